//! Cancel: the request is recorded, what runs is stopped with all its processes, what has not begun never begins.

use super::{Target, Verb, require};
use crate::task::rollup::settle;
use crate::task::state::{SubtaskEvent, TaskEvent};
use crate::task::{Draft, Refused, Snapshot};
use crate::{Operation, SubtaskState, TaskState};

/// Whether there is something to cancel.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot) -> bool {
    match snapshot.task.state {
        TaskState::Pending | TaskState::Running | TaskState::Paused => true,
        TaskState::Canceling
        | TaskState::Successful
        | TaskState::Failed
        | TaskState::Canceled
        | TaskState::RolledBack => false,
    }
}

/// Whether the subtask runs or may begin.
#[must_use]
pub fn is_subtask_allowed(snapshot: &Snapshot, index: usize) -> bool {
    match snapshot.subtasks[index].state {
        SubtaskState::Running | SubtaskState::Ready => true,
        SubtaskState::Pending | SubtaskState::Canceling | SubtaskState::Failed | SubtaskState::Successful => false,
    }
}

/// Stops the whole task.
///
/// # Errors
/// The state forbids it.
pub fn task(draft: &mut Draft) -> Result<(), Refused> {
    require(is_allowed(draft.snapshot()), draft.snapshot(), Verb::Cancel, Target::Task)?;
    draft.step_task(TaskEvent::Cancel, |task, _| task.operation = Operation::Cancel);
    for index in 0..draft.snapshot().subtasks.len() {
        if is_subtask_allowed(draft.snapshot(), index) {
            stop(draft, index);
        }
    }
    settle(draft);
    Ok(())
}

/// Stops one subtask; the task goes on with the branches that do not depend on it.
///
/// # Errors
/// The state forbids it.
pub fn subtask(draft: &mut Draft, index: usize) -> Result<(), Refused> {
    let allowed = is_subtask_allowed(draft.snapshot(), index);
    require(allowed, draft.snapshot(), Verb::Cancel, Target::Subtask(index))?;
    stop(draft, index);
    settle(draft);
    Ok(())
}

/// A frozen process cannot be stopped gently: what is cancelled is not held any more.
fn stop(draft: &mut Draft, index: usize) {
    draft.step(index, SubtaskEvent::Cancel, |subtask, now| {
        subtask.held = false;
        subtask.not_before = None;
        subtask.operation = Operation::Cancel;
        if subtask.state == SubtaskState::Failed {
            subtask.message = Some("canceled before it began".to_owned());
            subtask.finished_at = Some(now);
        }
    });
}
