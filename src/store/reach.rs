//! Whether a PostgreSQL can be reached, by one connection of its own.
//!
//! A pool that is refused tries again until its time is over, and then says nothing of why. So before the pools are
//! opened, one connection says at once what stands in the way. A database that is just starting is waited for.

use std::io;
use std::time::{Duration, Instant};

use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{Connection, Error, PgConnection};
use tokio::time::{sleep, timeout};

use super::open::OpenError;
use crate::config::mask;

/// Between two tries while it is starting.
const PAUSE: Duration = Duration::from_millis(200);

/// Connects once, or for as long as `patience` to a database that is starting.
///
/// # Errors
/// Why not, and what to do.
pub(super) async fn try_once(url: &str, patience: Duration) -> Result<(), OpenError> {
    let refused = |error: Error| OpenError::Connect { url: mask(url), remedy: remedy(&error), source: error.into() };
    let options: PgConnectOptions = url.parse().map_err(refused)?;
    let begun = Instant::now();
    loop {
        match timeout(patience, PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => {
                // It has answered; how it says farewell is no matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) if is_starting(&error) && begun.elapsed() < patience => sleep(PAUSE).await,
            Ok(Err(error)) => return Err(refused(error)),
            Err(_) => {
                let silent = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {patience:?}"));
                return Err(refused(Error::Io(silent)));
            }
        }
    }
}

/// The SQLSTATE of what the database says.
fn state(error: &dyn DatabaseError) -> String {
    error.code().unwrap_or_default().into_owned()
}

/// `cannot_connect_now` and `too_many_connections` (PostgreSQL, appendix A).
fn is_starting(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| matches!(state(error).as_str(), "57P03" | "53300"))
}

fn remedy(error: &Error) -> &'static str {
    match error {
        Error::Database(error) => match state(error.as_ref()).as_str() {
            "28P01" => "mend the user or the password",
            "28000" => "mend the user, or let it in by pg_hba.conf",
            "3D000" => "make the database (`createdb`), or mend its name",
            "42501" => "give the user the right to connect to this database",
            "57P03" => "it is still starting: try again in a moment",
            "53300" => "it has no connection left: raise its max_connections, or end others",
            _ => "the database says why",
        },
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "nothing listens there: start PostgreSQL, or mend the host and the port"
        }
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
            "nobody answers there: mend the host and the port, or look for a firewall between"
        }
        Error::Io(error) if error.to_string().contains("lookup") => "the host's name is not known: mend it",
        Error::Tls(_) => "it does not speak TLS as the address wants it: mend `sslmode` and `sslrootcert`",
        Error::Configuration(_) => "the address is not valid: use postgres://user:password@host:port/name",
        _ => "check that it runs, the address, user and password",
    }
}
