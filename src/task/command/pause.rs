//! Pause and resume: nothing new starts and what runs stands still; then it goes on where it was.

use taskloom_entity::TaskState;

use super::{Target, Verb, require};
use crate::task::rollup::settle;
use crate::task::state::TaskEvent;
use crate::task::{Draft, Refused, Snapshot};

/// Whether the task is under way.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot) -> bool {
    matches!(snapshot.task.state, TaskState::Pending | TaskState::Running)
}

/// Whether the task is paused.
#[must_use]
pub fn is_resume_allowed(snapshot: &Snapshot) -> bool {
    snapshot.task.state == TaskState::Paused
}

/// Freezes the task.
///
/// # Errors
/// The state forbids it.
pub fn task(draft: &mut Draft) -> Result<(), Refused> {
    require(is_allowed(draft.snapshot()), draft.snapshot(), Verb::Pause, Target::Task)?;
    draft.step_task(TaskEvent::Pause, |_, _| {});
    hold(draft, true);
    Ok(())
}

/// Lets the task go on.
///
/// # Errors
/// The state forbids it.
pub fn resume(draft: &mut Draft) -> Result<(), Refused> {
    require(is_resume_allowed(draft.snapshot()), draft.snapshot(), Verb::Resume, Target::Task)?;
    draft.step_task(TaskEvent::Resume, |task, now| task.started_at = task.started_at.or(Some(now)));
    hold(draft, false);
    settle(draft);
    Ok(())
}

/// What is being stopped is not held: frozen, it could not stop.
fn hold(draft: &mut Draft, held: bool) {
    for index in 0..draft.snapshot().subtasks.len() {
        let subtask = &draft.snapshot().subtasks[index];
        let wanted = held
            && matches!(subtask.state, taskloom_entity::SubtaskState::Ready | taskloom_entity::SubtaskState::Running);
        if subtask.held != wanted {
            draft.amend(index, |subtask| subtask.held = wanted);
        }
    }
}
