//! When a request began: the instant, and how far the logs of events had been read by then. What the request reads is
//! at least as new, so who subscribes behind these places misses nothing of what follows.

use taskloom_entity::{EventId, Timestamp};

use super::App;

#[derive(Clone, Copy, Debug)]
pub struct RequestStart {
    pub time: Timestamp,
    /// The newest event of our own tasks.
    pub event: EventId,
    /// The newest event of vCenters' tasks.
    pub vsphere_event: EventId,
}

impl RequestStart {
    /// It begins now.
    #[must_use]
    pub fn of(app: &App) -> Self {
        Self { time: app.clock.now(), event: app.hub.newest(), vsphere_event: app.vsphere_hub.newest() }
    }
}
