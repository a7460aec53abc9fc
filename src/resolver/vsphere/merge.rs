//! What a new report of a task changes in what is kept of it. The reports come from several places, so an older one may
//! come after a newer one, and one may tell less, or less exactly, than another.
//!
//! The invariant: what is known is never taken back by a report that only knows less.

use taskloom_entity::{Timestamp, VsphereReason, VsphereTaskState};

use crate::store::vsphere::task::Seen;
use crate::vsphere::APART;

/// Where a report comes from. What comes later is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportSource {
    /// The history, read for the first time: what ended long ago is no news.
    First,
    /// The history, read because something may have been missed.
    Read,
    /// The vCenter told of a change.
    Live,
}

/// What is to be kept of a task of which `new` was told; nothing where that changes nothing.
#[must_use]
pub fn merge(kept: &Seen, new: &Seen, source: ReportSource) -> Option<Seen> {
    let mut next = if says_more(kept, new, source) { with_known(kept, new) } else { kept.clone() };
    next.queued_at = exacter(kept.queued_at, new.queued_at);
    next.started_at = exacter_of(kept.started_at, new.started_at, next.started_at);
    next.completed_at = exacter_of(kept.completed_at, new.completed_at, next.completed_at);
    (next != *kept).then_some(next)
}

/// Whether a change is worth an event: that an instant is known more exactly is not.
#[must_use]
pub fn is_change(kept: &Seen, next: &Seen) -> bool {
    let as_kept = |kept: Option<Timestamp>, next: Option<Timestamp>| match (kept, next) {
        (Some(kept), Some(next)) if is_one(kept, next) => Some(kept),
        _ => next,
    };
    let as_exact = Seen {
        queued_at: kept.queued_at,
        started_at: as_kept(kept.started_at, next.started_at),
        completed_at: as_kept(kept.completed_at, next.completed_at),
        ..next.clone()
    };
    as_exact != *kept
}

/// Whether a task that was not known before is worth an event.
#[must_use]
pub fn is_told(new: &Seen, source: ReportSource) -> bool {
    source != ReportSource::First || rank(new.state) < ENDED
}

/// Whether two instants of one thing are one: one call tells microseconds, another milliseconds.
#[must_use]
pub fn is_one(one: Timestamp, other: Timestamp) -> bool {
    u128::from(one.0.abs_diff(other.0)) < APART.as_micros()
}

/// An end is never taken back, unless it was a guess of ours; nobody goes back into the queue; and what was read earlier
/// says nothing of how far a running task is.
fn says_more(kept: &Seen, new: &Seen, source: ReportSource) -> bool {
    let goes_back = rank(new.state) < rank(kept.state) && !kept.is_lost;
    let is_guess = new.is_lost && rank(kept.state) == ENDED;
    let is_old = source != ReportSource::Live && new.state == kept.state && new.state == VsphereTaskState::Running;
    !goes_back && !is_guess && !is_old
}

/// The new report, with what it lacks and was known. What may change, such as what a task is doing, is as it is told;
/// what a task is made of does not change, and how it ended neither.
fn with_known(kept: &Seen, new: &Seen) -> Seen {
    let mut next = new.clone();
    macro_rules! keep {
        ($($field:ident),+) => {{$(next.$field = next.$field.take().or_else(|| kept.$field.clone());)+}};
    }
    keep!(name, entity, entity_name, parent_key, root_key);
    if next.description_id.is_empty() {
        next.description_id.clone_from(&kept.description_id);
    }
    if next.event_chain_id == 0 {
        next.event_chain_id = kept.event_chain_id;
    }
    if next.reason == VsphereReason::Other {
        next.reason = kept.reason;
        keep!(username);
    }
    next.cancelled |= kept.cancelled;
    if next.state == kept.state && !kept.is_lost {
        match rank(next.state) {
            ENDED => keep!(fault, message, detail, rest),
            _ => keep!(progress),
        }
    }
    next
}

/// The one of two instants of one thing that is told more exactly; the new one where they are not one.
fn exacter(kept: Timestamp, new: Timestamp) -> Timestamp {
    if is_one(kept, new) && exactness(new) <= exactness(kept) { kept } else { new }
}

/// The same, where either may not be told. `next` is what counts where they are not one.
fn exacter_of(kept: Option<Timestamp>, new: Option<Timestamp>, next: Option<Timestamp>) -> Option<Timestamp> {
    match (kept, new) {
        (Some(kept), Some(new)) if is_one(kept, new) => Some(exacter(kept, new)),
        _ => next.or(kept),
    }
}

/// How exactly an instant is told: to the second, to the millisecond, or better. One of rounding more or less is the error
/// of whoever counted in fractions, and is worse than none: `.713999` for `.714`.
fn exactness(at: Timestamp) -> u8 {
    let rounded = |unit: i64| match at.0.rem_euclid(unit) {
        0 => Some(true),
        rest if rest == 1 || rest == unit - 1 => Some(false),
        _ => None,
    };
    match (rounded(1_000_000), rounded(1000)) {
        (Some(is_exact), _) => u8::from(is_exact),
        (None, Some(is_exact)) => 2 + u8::from(is_exact),
        (None, None) => 4,
    }
}

const ENDED: u8 = 2;

fn rank(state: VsphereTaskState) -> u8 {
    match state {
        VsphereTaskState::Queued => 0,
        VsphereTaskState::Running => 1,
        VsphereTaskState::Success | VsphereTaskState::Error => ENDED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An instant of one second, in microseconds.
    fn at(micros: i64) -> Timestamp {
        Timestamp(1_700_000_000_000_000 + micros)
    }

    fn seen(state: VsphereTaskState) -> Seen {
        Seen {
            key: "task-1".into(),
            state,
            is_lost: false,
            cancelled: false,
            cancelable: true,
            progress: None,
            name: Some("PowerOnVM_Task".into()),
            description_id: "VirtualMachine.powerOn".into(),
            entity: Some("VirtualMachine:vm-1".into()),
            entity_name: Some("web".into()),
            reason: VsphereReason::User,
            username: Some("root".into()),
            fault: None,
            message: None,
            detail: None,
            event_chain_id: 7,
            parent_key: None,
            root_key: None,
            rest: None,
            queued_at: at(713_742),
            started_at: None,
            completed_at: None,
        }
    }

    use VsphereTaskState::{Error, Running, Success};

    #[test]
    fn the_more_exact_of_two_instants_is_kept_whichever_comes_first() {
        // Microseconds, milliseconds, the same with an error of rounding, seconds.
        let ladder =
            [at(713_742), at(714_000), at(713_999), at(1_000_000), at(0).before(std::time::Duration::from_micros(1))];
        for (better, worse) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (3, 4)] {
            let (better, worse) = (ladder[better], ladder[worse]);
            if is_one(better, worse) {
                assert_eq!((exacter(better, worse), exacter(worse, better)), (better, better));
            }
        }
        assert_eq!(exacter(at(714_001), at(713_999)), at(714_001), "neither is better: the known one stays");
        assert!(is_one(at(0), at(999_999)) && !is_one(at(0), at(1_000_000)));
        assert!(!is_one(Timestamp(i64::MIN), Timestamp(i64::MAX)));
        assert_eq!(exactness(Timestamp(-1_000)), 3, "before 1970, too");
    }

    #[test]
    fn an_instant_that_is_told_less_exactly_changes_nothing() {
        let kept = Seen { started_at: Some(at(800_123)), completed_at: Some(at(900_456)), ..seen(Success) };
        let vague = Seen {
            queued_at: at(713_999),
            started_at: Some(at(800_000)),
            completed_at: Some(at(1_000_000)),
            ..kept.clone()
        };
        assert_eq!(merge(&kept, &vague, ReportSource::Read), None);
        let next = merge(&vague, &kept, ReportSource::Read).unwrap();
        assert_eq!(next, kept);
        assert!(!is_change(&vague, &next), "that it is known more exactly is no event");
        // An older report does not take the end back, and may know the beginning more exactly.
        let early = Seen { started_at: Some(at(800_123)), progress: Some(10), ..seen(Running) };
        let next = merge(&vague, &early, ReportSource::Live).unwrap();
        assert_eq!((next.state, next.queued_at, next.started_at), (Success, at(713_742), Some(at(800_123))));
        assert_eq!(next.completed_at, vague.completed_at);
    }

    #[test]
    fn what_is_known_is_not_lost_to_a_report_that_lacks_it() {
        let kept = Seen { progress: Some(40), started_at: Some(at(800_000)), cancelled: true, ..seen(Running) };
        let poor = Seen {
            name: None,
            description_id: String::new(),
            entity: None,
            entity_name: None,
            reason: VsphereReason::Other,
            username: None,
            event_chain_id: 0,
            ..seen(Running)
        };
        assert_eq!(merge(&kept, &poor, ReportSource::Live), None);
        let newer = Seen { state: Success, completed_at: Some(at(900_000)), ..poor };
        let ended = merge(&kept, &newer, ReportSource::Live).unwrap();
        let expected = Seen { state: Success, completed_at: Some(at(900_000)), progress: None, ..kept };
        assert_eq!(ended, expected);
        let failed = Seen { fault: Some("Timedout".into()), message: Some("no".into()), ..seen(Error) };
        assert_eq!(merge(&failed, &seen(Error), ReportSource::Read), None, "how it ended is not forgotten");
    }

    #[test]
    fn an_end_is_final_unless_it_was_a_guess() {
        let lost = Seen { is_lost: true, message: Some("gone".into()), ..seen(Error) };
        assert_eq!(merge(&seen(Success), &lost, ReportSource::Live), None);
        assert_eq!(merge(&seen(Success), &seen(Running), ReportSource::Live), None);
        assert_eq!(merge(&lost, &seen(Running), ReportSource::Live), Some(seen(Running)));
        assert_eq!(merge(&lost, &seen(Error), ReportSource::Read), Some(seen(Error)), "the guess's words go with it");
        let (slow, fast) = (Seen { progress: Some(10), ..seen(Running) }, Seen { progress: Some(99), ..seen(Running) });
        assert_eq!(merge(&fast, &slow, ReportSource::Read), None, "what was read earlier tells no progress");
        assert_eq!(merge(&slow, &fast, ReportSource::Live), Some(fast));
    }
}
