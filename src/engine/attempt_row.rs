//! Between what the port carries of an attempt and what the store keeps of it.

use taskloom_entity::{AttemptState, Timestamp};

use crate::store::attempt::{Ended, RunningAttempt, Used};
use crate::task::command::execute::Outcome;
use crate::worker::port::{AttemptEnd, AttemptRef, ResourceUse};

impl From<&RunningAttempt> for AttemptRef {
    fn from(attempt: &RunningAttempt) -> Self {
        let RunningAttempt { id, subtask_id, task_id, epoch, canceling: _, held: _ } = *attempt;
        Self { id, subtask_id, task_id, epoch }
    }
}

/// The row of an end. Whatever a program makes of its cancel, the attempt was canceled.
pub(super) fn ended(end: &AttemptEnd, canceling: bool, at: Timestamp) -> Ended {
    let state = match end.outcome {
        Outcome::Lost => AttemptState::Lost,
        _ if canceling => AttemptState::Canceled,
        Outcome::Succeeded => AttemptState::Successful,
        Outcome::Failed => AttemptState::Failed,
        Outcome::TimedOut => AttemptState::TimedOut,
        Outcome::Canceled => AttemptState::Canceled,
    };
    let message = end.message.clone().map(String::from);
    Ended { id: end.attempt.id, state, at, exit_code: end.exit_code, message, used: stored(end.used) }
}

pub(super) fn stored(used: ResourceUse) -> Used {
    let ResourceUse { cpu_seconds, memory_bytes, peak_memory_bytes, processes } = used;
    Used { cpu_seconds, memory_bytes, peak_memory_bytes, processes }
}
