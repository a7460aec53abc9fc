//! What a work is run with: the host's means, and where the work speaks to.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::StartError;
use super::line_clock::LineClock;
use super::policy::OutboundPolicy;
use super::process::{Isolation, ProcessLauncher};
use super::quota::Folders;
use super::work::{Report, Work};

/// What a host has for the works that run on it. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct HostMeans {
    pub(super) launcher: Arc<ProcessLauncher>,
    pub(super) policy: Arc<OutboundPolicy>,
    pub(super) folders: Arc<Folders>,
    pub(super) isolation: Arc<Isolation>,
}

impl HostMeans {
    /// How this work is held apart: by its own user, where it names one.
    pub(super) fn isolation_of(&self, work: &Work) -> Result<Cow<'_, Isolation>, StartError> {
        let Some(user) = &work.user else { return Ok(Cow::Borrowed(&self.isolation)) };
        let found = self.isolation.of(user).ok_or_else(|| {
            StartError::Program(format!(
                "this worker runs no step as the user {user}: its setting worker.users names those"
            ))
        })?;
        Ok(Cow::Owned(found))
    }
}

/// Where a work speaks to.
#[derive(Debug)]
pub(super) struct WorkVoice {
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) clock: LineClock,
}
