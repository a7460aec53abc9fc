//! Retry: what failed runs again, and nothing else. While undoing, what runs again is the undo.

use super::{Target, Verb, require};
use crate::task::rollup::settle;
use crate::task::state::{self, SubtaskEvent, TaskEvent};
use crate::task::{Draft, Refused, Snapshot};
use crate::{Operation, SubtaskState, TaskState};

/// Whether the whole task may be retried: it ended badly, and not in its rollback.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot) -> bool {
    !snapshot.task.backward
        && match snapshot.task.state {
            TaskState::Failed | TaskState::Canceled => true,
            TaskState::Pending
            | TaskState::Running
            | TaskState::Paused
            | TaskState::Canceling
            | TaskState::Successful
            | TaskState::RolledBack => false,
        }
}

/// Whether one subtask may be retried.
#[must_use]
pub fn is_subtask_allowed(snapshot: &Snapshot, index: usize) -> bool {
    is_open(snapshot) && snapshot.subtasks[index].state == SubtaskState::Failed
}

/// Whether the task goes on, or may be made to go on, when one of its subtasks does.
pub(super) fn is_open(snapshot: &Snapshot) -> bool {
    state::task(snapshot.task.state, TaskEvent::Reopen).is_some()
}

/// Runs every failed subtask again.
///
/// # Errors
/// The state forbids it.
pub fn task(draft: &mut Draft) -> Result<(), Refused> {
    require(is_allowed(draft.snapshot()), draft.snapshot(), Verb::Retry, Target::Task)?;
    reopen(draft, Operation::Retry);
    for index in 0..draft.snapshot().subtasks.len() {
        if draft.snapshot().subtasks[index].state == SubtaskState::Failed {
            again(draft, index, Operation::Retry);
        }
    }
    settle(draft);
    Ok(())
}

/// Runs one failed subtask again, or its undo when that failed.
///
/// # Errors
/// The state forbids it.
pub fn subtask(draft: &mut Draft, index: usize) -> Result<(), Refused> {
    let allowed = is_subtask_allowed(draft.snapshot(), index);
    require(allowed, draft.snapshot(), Verb::Retry, Target::Subtask(index))?;
    let operation = if draft.snapshot().task.backward { Operation::Rollback } else { Operation::Retry };
    reopen(draft, operation);
    again(draft, index, operation);
    settle(draft);
    Ok(())
}

fn again(draft: &mut Draft, index: usize, operation: Operation) {
    draft.step(index, SubtaskEvent::Retry, |subtask, _| {
        subtask.operation = operation;
        subtask.tries = 0;
        subtask.progress = 0.0;
        subtask.message = None;
        subtask.not_before = None;
    });
}

/// The task goes on: what is asked of a subtask of an ended task asks for the task too. That is a new operation,
/// whose progress is measured anew.
pub(super) fn reopen(draft: &mut Draft, operation: Operation) {
    let ended = draft.snapshot().task.state.is_final();
    draft.step_task(TaskEvent::Reopen, |task, _| {
        if ended {
            task.operation = operation;
            task.progress = 0.0;
            task.finished_at = None;
            task.message = None;
        }
    });
}
