//! Why a command was refused, and what may be done instead.

use super::command::Verb;
use crate::{SubtaskId, SubtaskState, TaskId, TaskState};

/// A refusal. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The task's state forbids it.
    #[error("task {id} is {state}")]
    Task {
        /// The task.
        id: TaskId,
        /// Its state.
        state: TaskState,
        /// What was asked for.
        verb: Verb,
        /// What may be done.
        available: Vec<Verb>,
    },
    /// The subtask's state forbids it.
    #[error("subtask {id} is {state}")]
    Subtask {
        /// The subtask.
        id: SubtaskId,
        /// Its state.
        state: SubtaskState,
        /// What was asked for.
        verb: Verb,
        /// What may be done.
        available: Vec<Verb>,
    },
    /// Rollback is forbidden for good.
    #[error("task {id} cannot be rolled back: {reason}")]
    RollbackProhibited {
        /// The task.
        id: TaskId,
        /// Who forbids it.
        reason: String,
        /// What may be done.
        available: Vec<Verb>,
    },
}
