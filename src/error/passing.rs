//! Which of the database's errors pass by themselves: it is away, starts, stops, its disk is full, its file is locked.
//! Told by the driver's types and the databases' own codes, never by a text: those change, and are translated.

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, sqlite::SqliteError};
use sea_orm::{DbErr, RuntimeErr};

/// Whether the database may answer the same request later.
#[must_use]
pub fn is_passing(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => is_passing_sqlx(error),
        DbErr::Conn(_) => true,
        _ => false,
    }
}

/// Whether a COMMIT that failed so may have been done all the same: its answer never came, or says so itself.
#[must_use]
pub fn leaves_open(error: &DbErr) -> bool {
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

fn is_passing_sqlx(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        // The other end spoke half a word, or SQLite had rolled back by itself.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::InvalidSavePointStatement
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(error) => is_passing_answer(error.as_ref()),
        _ => false,
    }
}

fn is_passing_answer(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return is_passing_state(&code);
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        return code.parse().is_ok_and(is_passing_result);
    }
    false
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>: connections, resources, an operator who intervenes, the
/// disk, and transactions that stood in each other's way.
fn is_passing_state(state: &str) -> bool {
    let classes = ["08", "53", "57P", "58", "40"];
    classes.iter().any(|class| state.starts_with(class)) || matches!(state, "25006" | "25P03" | "55P03")
}

/// <https://sqlite.org/rescode.html>: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL, in the low byte.
fn is_passing_result(code: u32) -> bool {
    matches!(code & 0xff, 5 | 6 | 7 | 8 | 10 | 13 | 14 | 15)
}

#[cfg(test)]
mod tests {
    use super::{is_passing, is_passing_result, is_passing_state, leaves_open};
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
    fn what_passes_is_told_from_what_does_not() {
        let query = |error: Error| DbErr::Query(RuntimeErr::SqlxError(error.into()));
        assert!(is_passing(&query(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into())));
        assert!(is_passing(&query(Error::PoolTimedOut)));
        assert!(!is_passing(&query(Error::RowNotFound)));
        assert!(!is_passing(&DbErr::Custom("database is locked".into())), "a text proves nothing");
        // Stopped, starting, too many connections, a full disk, a deadlock; a unique key, a syntax error.
        assert!(["57P01", "57P03", "53300", "53100", "40P01"].into_iter().all(is_passing_state));
        assert!(!["23505", "42601", "57014", ""].into_iter().any(is_passing_state));
        // A snapshot that is busy, a write that fails; a primary key, a misuse.
        assert!([5, 13, 517, 778].into_iter().all(is_passing_result));
        assert!(![1, 21, 1555, 2067].into_iter().any(is_passing_result));
    }
}
