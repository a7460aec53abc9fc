//! What follows from a change of subtasks: who may go next, and how the task stands. Every command ends here.

use super::draft::Draft;
use super::progress;
use super::state::{SubtaskEvent, TaskEvent};
use crate::{Operation, SubtaskState, TaskState};

/// Releases what may go next and brings the task's state in line with its subtasks'.
pub(super) fn settle(draft: &mut Draft) {
    match draft.snapshot().task.state {
        TaskState::Pending | TaskState::Running | TaskState::Paused => release(draft),
        TaskState::Canceling
        | TaskState::Successful
        | TaskState::Failed
        | TaskState::Canceled
        | TaskState::RolledBack => {}
    }
    progress::raise(draft);
    conclude(draft);
}

fn release(draft: &mut Draft) {
    let backward = draft.snapshot().task.backward;
    for index in 0..draft.snapshot().subtasks.len() {
        let snapshot = draft.snapshot();
        if backward {
            if snapshot.awaits_undo(index) && snapshot.is_undo_releasable(index) {
                draft.step(index, SubtaskEvent::ReleaseUndo, |subtask, _| {
                    subtask.progress = 0.0;
                    subtask.message = None;
                });
            }
        } else if snapshot.subtasks[index].state == SubtaskState::Pending && snapshot.is_releasable(index) {
            draft.step(index, SubtaskEvent::Release, |subtask, _| subtask.operation = Operation::Execute);
        }
    }
}

/// Ends the task when nothing of it is active any more.
fn conclude(draft: &mut Draft) {
    let snapshot = draft.snapshot();
    if snapshot.task.state.is_final() || snapshot.subtasks.iter().any(|s| s.state.is_active()) {
        return;
    }
    let all = |state| snapshot.subtasks.iter().all(|s| s.state == state);
    let event = if snapshot.task.state == TaskState::Canceling {
        TaskEvent::Canceled
    } else if !snapshot.task.backward && all(SubtaskState::Successful) {
        TaskEvent::Succeed
    } else if snapshot.task.backward && all(SubtaskState::Pending) {
        TaskEvent::RolledBack
    } else {
        TaskEvent::Fail
    };
    let message = match event {
        TaskEvent::Fail => reason(draft),
        _ => None,
    };
    draft.step_task(event, |task, now| {
        task.message = message;
        task.finished_at = Some(now);
        if matches!(event, TaskEvent::Succeed | TaskEvent::RolledBack) {
            task.progress = 1.0;
        }
    });
}

/// The first failure, by name; how many more there are.
fn reason(draft: &Draft) -> Option<String> {
    let undoing = draft.snapshot().task.backward;
    let failed = || draft.snapshot().subtasks.iter().filter(|s| s.state == SubtaskState::Failed);
    let first = failed().next()?;
    let what = if undoing { "undo of " } else { "" };
    let why = first.message.as_deref().unwrap_or("failed");
    let more = match failed().count() {
        0 | 1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    Some(format!("{what}{}: {why}{more}", first.name))
}
