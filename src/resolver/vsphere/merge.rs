//! What a new report of a task changes in what is kept of it. The reports come from several places, so an older one may
//! come after a newer one.

use taskloom_entity::VsphereTaskState;
use taskloom_entity::vsphere_task::Model;

use crate::store::vsphere::task::Seen;

/// Where a report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The history, read for the first time: what ended long ago is no news.
    First,
    /// The history, read because something may have been missed.
    Read,
    /// The vCenter told of a change.
    Live,
}

/// Whether `new` says more than what is kept: an end is never taken back, unless it was a guess of ours; nobody goes
/// back into the queue; and what was read earlier says nothing of how far a running task is.
#[must_use]
pub fn is_news(kept: &Model, new: &Seen, source: Source) -> bool {
    let goes_back = rank(new.state) < rank(kept.state) && !kept.is_lost;
    let is_guess = new.is_lost && rank(kept.state) == ENDED;
    let is_old = source != Source::Live && new.state == kept.state && new.state == VsphereTaskState::Running;
    !goes_back && !is_guess && !is_old && Seen::of(kept.clone()) != *new
}

const ENDED: u8 = 2;

fn rank(state: VsphereTaskState) -> u8 {
    match state {
        VsphereTaskState::Queued => 0,
        VsphereTaskState::Running => 1,
        VsphereTaskState::Success | VsphereTaskState::Error => ENDED,
    }
}

/// Whether a task that was not known before is worth an event.
#[must_use]
pub fn is_told(new: &Seen, source: Source) -> bool {
    source != Source::First || rank(new.state) < ENDED
}
