//! A vCenter under the lease of its collector: what one round hands on to the next.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use taskloom_entity::vcenter;
use tokio::time::Instant;

use super::trouble::VsphereRoundEnd;
use super::writer::Writer;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{self, Lease, News};
use crate::telemetry::metrics::HeldGauge;
use crate::vsphere::Session;

/// How long a session may take to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// A vCenter under the lease of its collector.
#[derive(Debug)]
pub(super) struct LeasedVcenter {
    pub(super) request: Request,
    pub(super) writer: Writer,
    pub(super) vcenter: vcenter::Model,
    pub(super) lease: Lease,
    /// The session of this round or of the last, to be ended.
    pub(super) session: Option<Session>,
    /// Whether this round came as far as to follow.
    pub(super) follows: AtomicBool,
    /// Why the round before ended, while none came further: a word and a sentence.
    pub(super) failed: Option<(String, String)>,
    /// When the vCenter's words were read, and when its inventory was.
    pub(super) read: Mutex<(Option<Instant>, Option<Instant>)>,
    _counted: HeldGauge,
}

impl LeasedVcenter {
    pub(super) fn new(request: Request, writer: Writer, (vcenter, lease): (vcenter::Model, Lease)) -> Self {
        let counted = request.store.metrics().vsphere_collectors.hold();
        let (follows, read) = (AtomicBool::new(false), Mutex::default());
        Self { request, writer, vcenter, lease, session: None, follows, failed: None, read, _counted: counted }
    }

    pub(super) fn follows(&self) -> bool {
        self.follows.load(Ordering::Relaxed)
    }

    /// Ends a session; one that cannot be ended now ends when it has been idle for long enough.
    pub(super) async fn part(&self, session: Option<Session>) {
        if let Some(session) = session
            && !matches!(tokio::time::timeout(FAREWELL, session.sign_out()).await, Ok(Ok(())))
        {
            tracing::debug!(vcenter = self.vcenter.name, "a session ends by itself");
        }
    }

    /// Writes how it stands.
    pub(super) async fn tell(&self, news: News) -> Result<(), VsphereRoundEnd> {
        match collect::tell(&self.request, &self.lease, news).await? {
            true => Ok(()),
            false => Err(VsphereRoundEnd::LeaseLost),
        }
    }
}
