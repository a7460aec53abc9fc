//! What may be asked of a task or subtask, one file a verb. Each has `allowed`, which only looks, and the command
//! itself, which asks `allowed` first: what is offered and what is accepted cannot differ.

pub mod cancel;
pub mod execute;
pub mod pause;
pub mod retry;
pub mod rollback;
pub mod skip;

use serde::{Deserialize, Serialize};

use super::{Draft, Refused, Snapshot};

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Run again what failed.
    Retry,
    /// Undo what ran.
    Rollback,
    /// Count a failure as done.
    Skip,
    /// Stop.
    Cancel,
    /// Freeze.
    Pause,
    /// Go on.
    Resume,
    /// Remove for good.
    Delete,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 7] =
        [Self::Retry, Self::Rollback, Self::Skip, Self::Cancel, Self::Pause, Self::Resume, Self::Delete];

    /// The upper-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => "RETRY",
            Self::Rollback => "ROLLBACK",
            Self::Skip => "SKIP",
            Self::Cancel => "CANCEL",
            Self::Pause => "PAUSE",
            Self::Resume => "RESUME",
            Self::Delete => "DELETE",
        }
    }
}

/// What is asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The task.
    Task,
    /// One of its subtasks, by index.
    Subtask(usize),
}

/// Decides. On a refusal the draft is as it was.
///
/// # Errors
/// [`Refused`] says what is possible instead.
pub fn decide(draft: &mut Draft, verb: Verb, target: Target) -> Result<(), Refused> {
    match (verb, target) {
        (Verb::Retry, Target::Task) => retry::task(draft),
        (Verb::Retry, Target::Subtask(index)) => retry::subtask(draft, index),
        (Verb::Rollback, Target::Task) => rollback::task(draft),
        (Verb::Skip, Target::Subtask(index)) => skip::subtask(draft, index),
        (Verb::Cancel, Target::Task) => cancel::task(draft),
        (Verb::Cancel, Target::Subtask(index)) => cancel::subtask(draft, index),
        (Verb::Pause, Target::Task) => pause::task(draft),
        (Verb::Resume, Target::Task) => pause::resume(draft),
        (Verb::Delete, Target::Task) => deletable(draft.snapshot()),
        (Verb::Rollback | Verb::Pause | Verb::Resume | Verb::Delete, Target::Subtask(_))
        | (Verb::Skip, Target::Task) => Err(refuse(draft.snapshot(), verb, target)),
    }
}

/// What would be accepted now.
#[must_use]
pub fn available(snapshot: &Snapshot, target: Target) -> Vec<Verb> {
    Verb::ALL.into_iter().filter(|&verb| is_allowed(snapshot, verb, target)).collect()
}

fn is_allowed(snapshot: &Snapshot, verb: Verb, target: Target) -> bool {
    match (verb, target) {
        (Verb::Retry, Target::Task) => retry::is_allowed(snapshot),
        (Verb::Retry, Target::Subtask(index)) => retry::is_subtask_allowed(snapshot, index),
        (Verb::Rollback, Target::Task) => rollback::is_allowed(snapshot) && snapshot.forbids_rollback().is_none(),
        (Verb::Skip, Target::Subtask(index)) => skip::is_allowed(snapshot, index),
        (Verb::Cancel, Target::Task) => cancel::is_allowed(snapshot),
        (Verb::Cancel, Target::Subtask(index)) => cancel::is_subtask_allowed(snapshot, index),
        (Verb::Pause, Target::Task) => pause::is_allowed(snapshot),
        (Verb::Resume, Target::Task) => pause::is_resume_allowed(snapshot),
        (Verb::Delete, Target::Task) => snapshot.task.state.is_final(),
        (Verb::Rollback | Verb::Pause | Verb::Resume | Verb::Delete, Target::Subtask(_))
        | (Verb::Skip, Target::Task) => false,
    }
}

fn deletable(snapshot: &Snapshot) -> Result<(), Refused> {
    require(snapshot.task.state.is_final(), snapshot, Verb::Delete, Target::Task)
}

fn require(allowed: bool, snapshot: &Snapshot, verb: Verb, target: Target) -> Result<(), Refused> {
    if allowed { Ok(()) } else { Err(refuse(snapshot, verb, target)) }
}

fn refuse(snapshot: &Snapshot, verb: Verb, target: Target) -> Refused {
    let available = available(snapshot, target);
    match target {
        Target::Task => Refused::Task { id: snapshot.task.id, state: snapshot.task.state, verb, available },
        Target::Subtask(index) => {
            let subtask = &snapshot.subtasks[index];
            Refused::Subtask { id: subtask.id, state: subtask.state, verb, available }
        }
    }
}
