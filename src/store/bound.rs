//! How long a statement of a request may work: as long as the request, and no longer than somebody waits for it. What
//! the engine, the collectors, retention and migrations do has no bound.
//!
//! A request that is dropped leaves its statement behind: at the driver of SQLite with a thread, at PostgreSQL with a
//! backend. The driver would wait for its end before the connection is used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::ConnectOptions;
use sea_orm::sqlx::{Connection, Executor, PgConnection, Result, SqliteConnection};
use tokio::time::timeout;

use crate::asker;

/// Instructions of SQLite's machine between two looks, some tenths of a millisecond.
const INSTRUCTIONS: i32 = 10_000;
/// How long a connection of PostgreSQL that is given back may take to be idle; one that takes longer is closed.
const IDLE: Duration = Duration::from_millis(100);
/// The first version with `client_connection_check_interval`: a backend notices that its client has gone.
const NOTICES: u32 = 14_00_00;

/// Bounds what this connection of SQLite does next. The only connection of a pool keeps in `is_bound` whether it was
/// bound before.
pub(super) async fn sqlite(
    connection: &mut SqliteConnection,
    time: Duration,
    is_bound: Option<&AtomicBool>,
) -> Result<()> {
    let asker = asker::current();
    let was_bound = is_bound.is_none_or(|is_bound| is_bound.swap(asker.is_some(), Ordering::Relaxed));
    if asker.is_none() && !was_bound {
        return Ok(());
    }
    let mut handle = connection.lock_handle().await?;
    let Some(asker) = asker else {
        handle.remove_progress_handler();
        return Ok(());
    };
    let until = Instant::now() + time;
    handle.set_progress_handler(INSTRUCTIONS, move || !asker.has_gone() && Instant::now() < until);
    Ok(())
}

/// Bounds what the connections of a pool of PostgreSQL do.
pub(super) fn postgres(options: &mut ConnectOptions, time: Duration) {
    let limit = Arc::<str>::from(format!("SET statement_timeout = {}", time.as_millis().max(1)));
    options.map_sqlx_postgres_pool_opts(move |pool| {
        let limit = limit.clone();
        let limited = pool.after_connect(move |connection, _| {
            let limit = limit.clone();
            Box::pin(async move {
                connection.execute(super::open::FROZEN).await?;
                connection.execute(sea_orm::sqlx::AssertSqlSafe(limit.to_string())).await?;
                notice(connection).await
            })
        });
        limited.after_release(|connection, _| {
            Box::pin(async move { Ok(timeout(IDLE, connection.ping()).await.is_ok_and(|pinged| pinged.is_ok())) })
        })
    });
}

/// A backend whose client has gone ends its statement.
async fn notice(connection: &mut PgConnection) -> Result<()> {
    if connection.server_version_num().is_some_and(|version| version >= NOTICES)
        && let Err(error) = connection.execute("SET client_connection_check_interval = '250ms'").await
    {
        // A system whose sockets cannot tell: the statement ends by its time.
        tracing::debug!(%error, "the database does not notice that a client has gone");
    }
    Ok(())
}
