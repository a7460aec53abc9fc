//! A task's progress: the weighted mean over its subtasks. It never runs backwards within an operation.

use super::draft::Draft;
use super::snapshot::Snapshot;
use crate::SubtaskState;

/// The weighted mean, 0 to 1. While undoing, what is undone (or never ran) counts.
#[must_use]
pub fn of(snapshot: &Snapshot) -> f64 {
    let backward = snapshot.task.backward;
    let (mut done, mut all) = (0.0, 0.0);
    for subtask in &snapshot.subtasks {
        let share = match (subtask.state, backward) {
            (SubtaskState::Successful, false) | (SubtaskState::Pending, true) => 1.0,
            (SubtaskState::Running | SubtaskState::Canceling, _) | (SubtaskState::Failed, false) => subtask.progress,
            (SubtaskState::Pending | SubtaskState::Ready, false)
            | (SubtaskState::Ready | SubtaskState::Failed | SubtaskState::Successful, true) => 0.0,
        };
        done += subtask.weight * share;
        all += subtask.weight;
    }
    if all > 0.0 { (done / all).clamp(0.0, 1.0) } else { 0.0 }
}

/// Brings the task's progress up to its subtasks', never down. A new operation begins by setting it to nothing.
pub(super) fn raise(draft: &mut Draft) {
    let progress = of(draft.snapshot());
    if progress > draft.snapshot().task.progress {
        draft.amend_task(|task| task.progress = progress);
    }
}
