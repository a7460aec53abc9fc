//! Skip: a failure is counted as done and the downstreams go on. While undoing, the failed undo is counted as done.

use super::retry::{is_open, reopen};
use super::{Target, Verb, require};
use crate::task::rollup::settle;
use crate::task::state::SubtaskEvent;
use crate::task::{Draft, Refused, Snapshot};
use crate::{Operation, SubtaskState};

/// Whether the subtask failed and its task is not being cancelled.
#[must_use]
pub fn is_allowed(snapshot: &Snapshot, index: usize) -> bool {
    is_open(snapshot) && snapshot.subtasks[index].state == SubtaskState::Failed
}

/// Counts a failed subtask as done.
///
/// # Errors
/// The state forbids it.
pub fn subtask(draft: &mut Draft, index: usize) -> Result<(), Refused> {
    require(is_allowed(draft.snapshot(), index), draft.snapshot(), Verb::Skip, Target::Subtask(index))?;
    let backward = draft.snapshot().task.backward;
    let goes_on = if backward { Operation::Rollback } else { Operation::Execute };
    reopen(draft, goes_on);
    let event = if backward { SubtaskEvent::SkipUndo } else { SubtaskEvent::Skip };
    draft.step(index, event, |subtask, now| {
        subtask.operation = Operation::Skip;
        // It says why something failed, and nothing has any more; the attempt and the events keep it.
        subtask.message = None;
        subtask.progress = if backward { 0.0 } else { 1.0 };
        subtask.finished_at = Some(now);
    });
    settle(draft);
    Ok(())
}
