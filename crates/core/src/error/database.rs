//! What the database's errors mean: whether they pass by themselves (it is away, starts, stops, its disk is full, its
//! file is locked), or are about what one record holds (a character, a size, a number that it does not keep).
//! Told by the driver's types and the databases' own codes, never by a text: those change, and are translated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, sqlite::SqliteError};
use sea_orm::{DbErr, RuntimeErr};

use super::{Error, Verdict, code};

/// A write has found no room on the disk. The process's: whoever hears of it looks at a disk of their own.
static LACKS_ROOM: AtomicBool = AtomicBool::new(false);

/// The disk's, as [`obstacle`] has it.
const FULL: &str = "the disk is full";

/// Whether a write has found no room on the disk since this was asked last.
pub fn take_lack_of_room() -> bool {
    LACKS_ROOM.swap(false, Ordering::Relaxed)
}

/// Whether a row was found and cannot be read.
#[must_use]
pub fn is_damaged(error: &DbErr) -> bool {
    judge(error) == Verdict::Damaged
}

impl Error {
    /// What went wrong with a COMMIT. When its answer was lost, it may have been done.
    #[must_use]
    pub fn of_commit(error: DbErr) -> Self {
        // No hint when to come again: who sends it blindly a second time may do it twice.
        if leaves_open(&error) { Self::new(&code::OUTCOME_UNKNOWN).by(error) } else { error.into() }
    }

    fn by(self, error: DbErr) -> Self {
        self.judged(judge(&error), obstacle(&error)).source(error)
    }
}

impl From<DbErr> for Error {
    /// A database that does not answer is a pause, not a fault of the caller: nothing was accepted, try again. One that
    /// refuses what it is given (a character, a number, a size) says what the caller has to mend.
    fn from(error: DbErr) -> Self {
        if obstacle(&error) == Some(FULL) {
            LACKS_ROOM.store(true, Ordering::Relaxed);
        }
        let made = match judge(&error) {
            Verdict::Passing => Self::new(&code::DATABASE_UNAVAILABLE).retry_after(Duration::from_secs(2)),
            Verdict::Refused => {
                Self::invalid("the request", "it holds a character, number or size that cannot be stored")
            }
            Verdict::Damaged | Verdict::Fault => Self::new(&code::INTERNAL),
        };
        made.by(error)
    }
}

/// What this error means.
fn judge(error: &DbErr) -> Verdict {
    match error {
        DbErr::ConnectionAcquire(_) => Verdict::Passing,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => judge_sqlx(error),
        DbErr::Conn(_) => Verdict::Passing,
        DbErr::TryIntoErr { .. } | DbErr::Type(_) | DbErr::Json(_) => Verdict::Damaged,
        _ => Verdict::Fault,
    }
}

/// Whether a COMMIT that failed so may have been done all the same: its answer never came, or says so itself.
fn leaves_open(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    match &**error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        // A pooler that has lost its server says 08; 40003 is "statement completion unknown".
        sqlx::Error::Database(error) if error.try_downcast_ref::<PgDatabaseError>().is_some() => {
            error.code().is_some_and(|state| state.starts_with("08") || state == "40003")
        }
        _ => false,
    }
}

/// What keeps the database from writing, where that can be told, in words for an operator.
fn obstacle(error: &DbErr) -> Option<&'static str> {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return Some("no connection becomes free");
    }
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = &**error else { return None };
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<SqliteError>().is_some() {
        return match code.parse::<u32>().ok()? & 0xff {
            5 | 6 => Some("another process has locked the database"),
            8 => Some("the database is for reading alone"),
            10 => Some("the disk does not take what is written"),
            13 => Some(FULL),
            _ => None,
        };
    }
    match &*code {
        "53100" => Some("the database's disk is full"),
        "25006" => Some("the database is for reading alone"),
        _ => None,
    }
}

fn judge_sqlx(error: &sqlx::Error) -> Verdict {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        // The other end spoke half a word, or SQLite had rolled back by itself.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::InvalidSavePointStatement
        | sqlx::Error::BeginFailed => Verdict::Passing,
        sqlx::Error::Database(error) => judge_answer(error.as_ref()),
        // A value that the driver cannot send: too many of them, or too long.
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => Verdict::Refused,
        sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => Verdict::Damaged,
        _ => Verdict::Fault,
    }
}

fn judge_answer(error: &dyn DatabaseError) -> Verdict {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return judge_state(&code);
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        return code.parse().map_or(Verdict::Fault, judge_result);
    }
    Verdict::Fault
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>. Passing: connections, resources, an operator or a time
/// limit that intervenes, the disk, and transactions that stood in each other's way. Refused: data, constraints,
/// limits of the program (an index entry or a statement that is too large). XX001 and XX002 are damaged data.
fn judge_state(state: &str) -> Verdict {
    let within = |classes: &[&str]| classes.iter().any(|class| state.starts_with(class));
    if within(&["08", "53", "57", "58", "40"]) || matches!(state, "25006" | "25P03" | "25P04" | "55P03") {
        Verdict::Passing
    } else if within(&["22", "23", "54"]) {
        Verdict::Refused
    } else if within(&["XX001", "XX002"]) {
        Verdict::Damaged
    } else {
        Verdict::Fault
    }
}

/// <https://sqlite.org/rescode.html>, in the low byte. Passing: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL,
/// CANTOPEN, PROTOCOL. Refused: TOOBIG, CONSTRAINT, MISMATCH, RANGE. Damaged: CORRUPT.
fn judge_result(code: u32) -> Verdict {
    match code & 0xff {
        5..=10 | 13..=15 => Verdict::Passing,
        18..=20 | 25 => Verdict::Refused,
        11 => Verdict::Damaged,
        _ => Verdict::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, judge, judge_result, judge_state, leaves_open};
    use sea_orm::sqlx::Error;
    use sea_orm::{DbErr, RuntimeErr};

    #[test]
    fn a_lost_answer_is_told_from_one_that_says_no() {
        let query = |error: Error| DbErr::Query(RuntimeErr::SqlxError(error.into()));
        assert!(leaves_open(&query(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into())));
        assert!(leaves_open(&query(Error::WorkerCrashed)));
        assert!(!leaves_open(&query(Error::PoolTimedOut)), "it was never sent");
        assert!(!leaves_open(&DbErr::Custom("the connection broke".into())), "a text proves nothing");
    }

    #[test]
    fn what_passes_is_told_from_what_is_refused() {
        let query = |error: Error| judge(&DbErr::Query(RuntimeErr::SqlxError(error.into())));
        assert_eq!(query(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()), Verdict::Passing);
        assert_eq!(query(Error::PoolTimedOut), Verdict::Passing);
        assert_eq!(query(Error::RowNotFound), Verdict::Fault);
        assert_eq!(query(Error::Encode("too many values".into())), Verdict::Refused);
        assert_eq!(query(Error::Decode("an unknown state".into())), Verdict::Damaged);
        assert_eq!(judge(&DbErr::Custom("database is locked".into())), Verdict::Fault, "a text proves nothing");
    }

    #[test]
    fn codes_of_both_databases_are_judged() {
        // Stopped, starting, cancelled by a time limit, too many connections, a full disk, a deadlock.
        for state in ["57P01", "57P03", "57014", "53300", "53100", "40P01"] {
            assert_eq!(judge_state(state), Verdict::Passing, "{state}");
        }
        // A NUL in text and in JSON, a number out of range, a string too long, a unique key, an index row too large.
        for state in ["22021", "22P05", "22003", "22001", "23505", "54000"] {
            assert_eq!(judge_state(state), Verdict::Refused, "{state}");
        }
        // A right that was taken away, a syntax error, a missing table, a plan that has become stale.
        for state in ["42501", "42601", "42P01", "0A000", "XX000", ""] {
            assert_eq!(judge_state(state), Verdict::Fault, "{state}");
        }
        // A snapshot that is busy, a write that fails; a primary key, a value too big; a damaged file; a misuse.
        assert!([5, 13, 517, 778].into_iter().all(|code| judge_result(code) == Verdict::Passing));
        assert!([18, 1555, 2067].into_iter().all(|code| judge_result(code) == Verdict::Refused));
        assert!([11, 267].into_iter().all(|code| judge_result(code) == Verdict::Damaged));
        assert!([1, 21].into_iter().all(|code| judge_result(code) == Verdict::Fault));
    }
}
