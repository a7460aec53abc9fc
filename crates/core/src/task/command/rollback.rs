//! Rollback: everything that ran is undone, against the arrows. A rollback that failed may be repeated: only the
//! undos that are not done yet run.

use super::retry::reopen;
use super::{Target, Verb, available, require};
use crate::task::rollup::settle;
use crate::task::{Draft, Refused, Snapshot};
use crate::{Operation, SubtaskState, TaskState};

/// Whether the task's state allows it; a definition may still forbid it.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot) -> bool {
    match snapshot.task.state {
        TaskState::Failed | TaskState::Canceled => true,
        TaskState::Pending
        | TaskState::Running
        | TaskState::Paused
        | TaskState::Canceling
        | TaskState::Successful
        | TaskState::RolledBack => false,
    }
}

/// Undoes every subtask that is not PENDING.
///
/// # Errors
/// The state forbids it, or rollback is prohibited for this task.
pub fn task(draft: &mut Draft) -> Result<(), Refused> {
    require(is_allowed(draft.snapshot()), draft.snapshot(), Verb::Rollback, Target::Task)?;
    if let Some(reason) = draft.snapshot().forbids_rollback() {
        let available = available(draft.snapshot(), Target::Task);
        return Err(Refused::RollbackProhibited { id: draft.snapshot().task.id, reason, available });
    }
    reopen(draft, Operation::Rollback);
    draft.amend_task(|task| task.backward = true);
    let mut marked = vec![];
    for index in 0..draft.snapshot().subtasks.len() {
        let subtask = &draft.snapshot().subtasks[index];
        if subtask.state != SubtaskState::Pending {
            if subtask.operation != Operation::Rollback {
                marked.push(index);
            }
            draft.amend(index, |subtask| {
                subtask.operation = Operation::Rollback;
                subtask.tries = 0;
                subtask.not_before = None;
            });
        }
    }
    settle(draft);
    // What is released has been told; what waits for its turn has another operation all the same.
    for index in marked {
        if draft.snapshot().awaits_undo(index) {
            draft.tell(index);
        }
    }
    Ok(())
}
