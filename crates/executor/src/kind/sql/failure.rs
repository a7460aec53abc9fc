//! What goes wrong with statements, for a person: a limit is named by its setting.

use std::time::Duration;

use crate::policy::OutboundPolicy;

/// The codes of SQLite for want of memory, and for a value or row beyond the limit (sqlite.org/rescode.html).
const NOMEM: &str = "7";
const TOOBIG: &str = "18";

/// Why a data source did not do what it was asked.
#[derive(Debug)]
pub(super) enum StatementError {
    /// In the words of the database, or of its driver.
    Told(String),
    /// A value or a row is larger than it may be.
    TooLarge,
    /// SQLite, which is in this process, got no memory.
    OutOfMemory,
}

impl StatementError {
    pub(super) fn late(limit: Duration) -> Self {
        Self::Told(format!("no answer within {}", humantime::format_duration(limit)))
    }

    /// For a person: a limit by its setting.
    pub(super) fn told(&self, policy: &OutboundPolicy) -> String {
        match self {
            Self::Told(text) => text.clone(),
            Self::TooLarge => {
                format!("a value or a row is larger than {}: the limit is executor.sql.cell", size(policy.cell))
            }
            Self::OutOfMemory => out_of_memory(policy.memory),
        }
    }
}

impl From<sqlx::Error> for StatementError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(told) => match told.code() {
                Some(code) if code == NOMEM => Self::OutOfMemory,
                Some(code) if code == TOOBIG => Self::TooLarge,
                Some(code) => Self::Told(format!("{} ({code})", told.message())),
                None => Self::Told(told.message().to_owned()),
            },
            // The kind alone: the text may have more of this host in it than a task's owner is to know.
            sqlx::Error::Io(error) => Self::Told(format!("it cannot be reached: {}", error.kind())),
            sqlx::Error::Tls(_) => Self::Told("an encrypted connection could not be made".to_owned()),
            _ => Self::Told(error.to_string()),
        }
    }
}

/// What is said when a process would need more memory than it may have.
pub(super) fn out_of_memory(memory: u64) -> String {
    format!("it needs more memory than {}: the limit is executor.sql.memory, or the step's own", size(memory))
}

/// A size as a person writes it.
fn size(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}
