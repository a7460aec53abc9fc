//! Pause and resume: nothing new starts and what runs stands still; then it goes on where it was.

use super::{Target, Verb, require};
use crate::SubtaskState;
use crate::task::rollup::settle;
use crate::task::state::{self, TaskEvent};
use crate::task::{Draft, Refused, Snapshot};

/// Whether the task is under way.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot) -> bool {
    state::task(snapshot.task.state, TaskEvent::Pause).is_some()
}

/// Whether the task is paused.
#[must_use]
pub fn is_resume_allowed(snapshot: &Snapshot) -> bool {
    state::task(snapshot.task.state, TaskEvent::Resume).is_some()
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
    draft.step_task(TaskEvent::Resume, |_, _| {});
    hold(draft, false);
    settle(draft);
    Ok(())
}

/// What is being stopped is not held: frozen, it could not stop.
fn hold(draft: &mut Draft, held: bool) {
    for index in 0..draft.snapshot().subtasks.len() {
        let subtask = &draft.snapshot().subtasks[index];
        let wanted = held && matches!(subtask.state, SubtaskState::Ready | SubtaskState::Running);
        if subtask.held != wanted {
            draft.amend(index, |subtask| subtask.held = wanted);
        }
    }
}
