//! What an operation would do, before it is done: the same decision on a copy, and then the run that follows if
//! every attempt succeeds.

use super::command::execute::{self, Outcome};
use super::command::{self, Target, Verb};
use super::{Draft, Refused, Snapshot};
use crate::{Operation, SubtaskState, TaskState, Timestamp};

/// What happens to one subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It runs.
    Run,
    /// Its undo runs.
    Undo,
    /// It is counted as done without running.
    Skip,
    /// What runs of it is stopped.
    Stop,
    /// It had not begun, and will not.
    Drop,
    /// It is frozen.
    Freeze,
    /// It goes on where it was.
    Thaw,
}

/// One effect, in order; effects of the same wave happen side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The subtask's index.
    pub index: usize,
    /// What happens to it.
    pub effect: Effect,
    /// From 0: at once.
    pub wave: usize,
}

/// What would happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// In order.
    pub steps: Vec<Step>,
    /// How the task would end if every attempt succeeds.
    pub ends: TaskState,
}

/// Plays the operation through.
///
/// # Errors
/// The refusal that the operation itself would get.
pub fn operation(snapshot: &Snapshot, verb: Verb, target: Target, now: Timestamp) -> Result<Preview, Refused> {
    let mut draft = Draft::new(snapshot.clone(), now);
    command::decide(&mut draft, verb, target)?;
    let mut steps = at_once(snapshot, draft.snapshot());
    if verb != Verb::Pause && verb != Verb::Delete {
        play(&mut draft, snapshot, &mut steps);
    }
    Ok(Preview { steps, ends: draft.snapshot().task.state })
}

fn at_once(before: &Snapshot, after: &Snapshot) -> Vec<Step> {
    let pairs = before.subtasks.iter().zip(&after.subtasks).enumerate();
    pairs
        .filter_map(|(index, (was, is))| {
            let effect = match (was.state, is.state) {
                (SubtaskState::Running, SubtaskState::Canceling) => Effect::Stop,
                (SubtaskState::Ready, SubtaskState::Failed) => Effect::Drop,
                _ if is.operation == Operation::Skip && was.state != is.state => Effect::Skip,
                (SubtaskState::Running, SubtaskState::Running) if !was.held && is.held => Effect::Freeze,
                (SubtaskState::Running, SubtaskState::Running) if was.held && !is.held => Effect::Thaw,
                _ => return None,
            };
            Some(Step { index, effect, wave: 0 })
        })
        .collect()
}

/// Lets everything that is READY succeed, wave after wave; what ran before the operation ends in the first wave.
fn play(draft: &mut Draft, before: &Snapshot, steps: &mut Vec<Step>) {
    let mut wave = 0;
    loop {
        let ready: Vec<usize> = indexes(draft.snapshot(), |s| s.state == SubtaskState::Ready && !s.held);
        let running: Vec<usize> = indexes(draft.snapshot(), |s| {
            matches!(s.state, SubtaskState::Running | SubtaskState::Canceling) && !s.held
        });
        if ready.is_empty() && running.is_empty() {
            return;
        }
        for &index in &ready {
            draft_past_backoff(draft, index);
            let undo = draft.snapshot().subtasks[index].operation == Operation::Rollback;
            // What was READY or waiting all the same is not the operation's doing only if nothing of it changed; it is
            // shown nevertheless: the reader wants to know what will run.
            let effect = if undo { Effect::Undo } else { Effect::Run };
            steps.push(Step { index, effect, wave });
            execute::claim(draft, index);
        }
        for index in ready.into_iter().chain(running) {
            execute::finish(draft, index, &Outcome::Succeeded, None);
        }
        wave += 1;
        debug_assert!(wave <= 2 * before.subtasks.len() + 2, "each wave ends something");
    }
}

fn draft_past_backoff(draft: &mut Draft, index: usize) {
    draft.amend(index, |subtask| subtask.not_before = None);
}

fn indexes(snapshot: &Snapshot, wanted: impl Fn(&super::SubtaskFacts) -> bool) -> Vec<usize> {
    let subtasks = snapshot.subtasks.iter().enumerate();
    subtasks.filter(|(_, subtask)| wanted(subtask)).map(|(index, _)| index).collect()
}
