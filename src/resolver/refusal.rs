//! The core's refusals as the application's errors.

use crate::error::{Error, code};
use crate::task::Refused;
use crate::task::command::Verb;

/// What a refused command is answered.
pub fn refused(refused: Refused) -> Error {
    let names = |available: Vec<Verb>| available.into_iter().map(|verb| verb.name().to_owned()).collect();
    match refused {
        Refused::Task { id, state, verb, available } => Error::new(&code::OPERATION_NOT_ALLOWED)
            .with("object", format!("task {id}"))
            .with("id", id)
            .with("state", state)
            .with("operation", verb.name())
            .available(names(available)),
        Refused::Subtask { id, state, verb, available } => Error::new(&code::OPERATION_NOT_ALLOWED)
            .with("object", format!("subtask {id}"))
            .with("id", id)
            .with("state", state)
            .with("operation", verb.name())
            .available(names(available)),
        Refused::RollbackProhibited { id, reason, available } => {
            Error::new(&code::ROLLBACK_PROHIBITED).with("id", id).with("reason", reason).available(names(available))
        }
    }
}
