//! Why a question of a worker was not answered, in a form that can cross a connection.

use std::fmt;

use serde::{Deserialize, Serialize};
use taskloom_core::error::{Error, Kind, code};

/// An answer of the port.
pub type PortResult<T> = Result<T, PortError>;

/// What a worker can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortErrorKind {
    /// Ask again later: the database does not answer, or the server is stopping.
    Away,
    /// Leave this record out: what is in it is refused, and will be refused again.
    Record,
    /// Neither: a fault of the server.
    Fault,
}

/// Why a question was not answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    pub kind: PortErrorKind,
    /// As in the server's table of codes.
    pub code: String,
    /// For people, in English.
    pub message: String,
    /// What is behind it, for the worker's own log and for nobody else.
    pub cause: String,
}

impl PortError {
    /// The answer to who asks for work in a session that has ended.
    #[must_use]
    pub fn session_over() -> Self {
        Self {
            kind: PortErrorKind::Fault,
            code: "WORKER_SESSION_OVER".to_owned(),
            message: "the worker's session has ended".to_owned(),
            cause: String::new(),
        }
    }

    /// Whether nothing was done because the database does not answer.
    #[must_use]
    pub fn is_database_away(&self) -> bool {
        self.code == code::DATABASE_UNAVAILABLE.name
    }
}

impl From<Error> for PortError {
    fn from(error: Error) -> Self {
        let kind = match error.code().kind {
            Kind::Unavailable => PortErrorKind::Away,
            _ if error.is_about_one_record() => PortErrorKind::Record,
            _ => PortErrorKind::Fault,
        };
        Self { kind, code: error.code().name.to_owned(), message: error.to_string(), cause: error.chain() }
    }
}

impl fmt::Debug for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self} ({})", self.code, self.cause)
    }
}
