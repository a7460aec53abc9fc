//! A vCenter's clock, as it is seen from here. It may be wrong, and be set right while it is followed.
//!
//! Whether it jumped is told by a steady clock within a process; from one process to the next only by the machine's.

use std::time::Duration;

use taskloom_entity::Timestamp;
use tokio::time::Instant;

use super::trouble::VsphereRoundEnd;
use crate::resolver::Request;
use crate::vsphere::Session;

/// Clocks drift, and are steered: less than this is no jump.
const SLACK: Duration = Duration::from_secs(5);

/// What it showed, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct VcenterClock {
    theirs: Timestamp,
    at: Instant,
    /// How far off either may be: half of the way there and back.
    error: Duration,
    /// Theirs less ours, in microseconds.
    pub(super) offset: i64,
}

impl VcenterClock {
    /// Looks at it.
    pub(super) async fn read(session: &Session, request: &Request) -> Result<Self, VsphereRoundEnd> {
        let (ours, begun) = (request.clock.now(), Instant::now());
        let theirs: Timestamp = session.server_clock().await?.into();
        let error = begun.elapsed() / 2;
        Ok(Self { theirs, at: begun + error, error, offset: theirs.0 - ours.after(error).0 })
    }

    /// What it shows now.
    pub(super) fn now(&self) -> Timestamp {
        self.theirs.after(self.at.elapsed())
    }

    /// How far it jumped from this look to a later one, in microseconds; none: it did not.
    pub(super) fn jump(&self, later: &Self) -> Option<i64> {
        let expected = self.theirs.after(later.at.saturating_duration_since(self.at));
        later.jumped(later.theirs.0 - expected.0, self.error)
    }

    /// The same since a look of which only the offset is known.
    pub(super) fn jump_from(&self, offset: i64) -> Option<i64> {
        self.jumped(self.offset - offset, Duration::ZERO)
    }

    fn jumped(&self, micros: i64, error: Duration) -> Option<i64> {
        let slack = SLACK + self.error + error;
        (u128::from(micros.unsigned_abs()) > slack.as_micros()).then_some(micros)
    }
}
