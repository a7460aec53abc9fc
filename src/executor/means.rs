//! What a work is run with: the host's means, and where the work speaks to.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::line_clock::LineClock;
use super::policy::OutboundPolicy;
use super::process::{Isolation, ProcessLauncher};
use super::quota::Folders;
use super::work::Report;

/// What a host has for the works that run on it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct HostMeans {
    pub(super) launcher: Arc<ProcessLauncher>,
    pub(super) policy: Arc<OutboundPolicy>,
    pub(super) folders: Arc<Folders>,
    pub(super) isolation: Arc<Isolation>,
}

/// Where a work speaks to.
#[derive(Debug)]
pub(super) struct WorkVoice {
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) clock: LineClock,
}
