//! One connection to a data source, and the way to cancel what runs on it.
//!
//! Built of fields, never of an address that somebody wrote: no option gets in but those that are listed. A password of
//! the server's own environment (`PGPASSWORD`, `.pgpass`) is never sent to a data source.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::TryStreamExt as _;
use libsqlite3_sys::{SQLITE_LIMIT_LENGTH, sqlite3_limit};
use serde_json::{Map, Value};
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode, Postgres};
use sqlx::sqlite::{LockedSqliteHandle, Sqlite, SqliteConnectOptions};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor, MySqlConnection, PgConnection, Row as _,
    SqlSafeStr as _, SqliteConnection, Statement as _,
};
use taskloom_core::DataSourceKind;
use taskloom_vault::Hidden;
use tokio::sync::watch;

use super::cell::{self, Cells};
use super::failure::StatementError;
use super::table::StatementRows;
use crate::policy::OutboundPolicy;
use crate::program::DataSource;
use crate::result_sets::ResultCollector;

/// How long a cancel may take to reach the database.
const CANCEL: Duration = Duration::from_secs(5);
/// SQLite asks so often, in steps of its machine, whether it is to stop.
const STEPS: i32 = 1000;
/// How long a locked file of SQLite is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// How far the statements may go just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatementFlow {
    Open,
    /// No row is read, and no statement begun.
    Paused,
    /// The running statement is to come to its end, and none to follow.
    Ending,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StatementDone {
    rows: u64,
    kept: Option<u64>,
    affected: u64,
}

impl fmt::Display for StatementDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kept {
            Some(kept) if kept < self.rows => write!(f, "{} rows, of which {kept} are kept", self.rows),
            Some(kept) => write!(f, "{kept} rows"),
            None => write!(f, "{} rows affected", self.affected),
        }
    }
}

pub(super) enum Session {
    Postgresql(PgConnection, Canceller),
    Mysql(MySqlConnection, Canceller),
    Sqlite(SqliteConnection, Canceller),
}

/// Ends what runs on a connection, from outside of it.
#[derive(Clone)]
pub(super) enum Canceller {
    Postgresql(Box<PgConnectOptions>, i32),
    Mysql(Box<MySqlConnectOptions>, u64),
    Sqlite(Arc<AtomicBool>),
}

impl Session {
    pub(super) async fn open(source: &DataSource, policy: &OutboundPolicy) -> Result<Self, StatementError> {
        match source.kind {
            DataSourceKind::Postgresql => {
                let options = postgresql(source)?;
                let mut connection = options.connect().await?;
                // Notices would go into the server's log, where a task's words do not belong.
                let quiet = "SELECT pg_backend_pid(), set_config('client_min_messages', 'error', false)";
                let id = sqlx::query(quiet).fetch_one(&mut connection).await?.try_get(0)?;
                Ok(Self::Postgresql(connection, Canceller::Postgresql(Box::new(options), id)))
            }
            DataSourceKind::Mysql => {
                let options = mysql(source)?;
                let mut connection = options.connect().await?;
                let id = sqlx::query("SELECT CONNECTION_ID()").fetch_one(&mut connection).await?.try_get(0)?;
                Ok(Self::Mysql(connection, Canceller::Mysql(Box::new(options), id)))
            }
            DataSourceKind::Sqlite => {
                let mut connection = sqlite(source, policy)?.connect().await?;
                let stop = Arc::new(AtomicBool::new(false));
                let asked = stop.clone();
                let mut handle = connection.lock_handle().await?;
                handle.set_progress_handler(STEPS, move || !asked.load(Ordering::Relaxed));
                limit(&mut handle, policy.cell);
                drop(handle);
                Ok(Self::Sqlite(connection, Canceller::Sqlite(stop)))
            }
        }
    }

    pub(super) fn canceller(&self) -> Canceller {
        let (Self::Postgresql(_, canceller) | Self::Mysql(_, canceller) | Self::Sqlite(_, canceller)) = self;
        canceller.clone()
    }

    /// What the database calls itself.
    pub(super) async fn version(&mut self) -> Result<String, StatementError> {
        Ok(match self {
            Self::Postgresql(connection, _) => sqlx::query("SELECT 'PostgreSQL ' || current_setting('server_version')")
                .fetch_one(connection)
                .await?
                .try_get(0)?,
            Self::Mysql(connection, _) => {
                sqlx::query("SELECT CONCAT('MySQL ', VERSION())").fetch_one(connection).await?.try_get(0)?
            }
            Self::Sqlite(connection, _) => {
                sqlx::query("SELECT 'SQLite ' || sqlite_version() FROM (SELECT count(*) FROM sqlite_schema)")
                    .fetch_one(connection)
                    .await?
                    .try_get(0)?
            }
        })
    }

    /// Makes the parameters readable for statements, as values: they are never pasted into them. The names of those that
    /// the database cannot hold.
    pub(super) async fn set(&mut self, parameters: &Map<String, Value>) -> Result<Vec<String>, StatementError> {
        let is_name = |name: &str| {
            name.len() <= 48
                && name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
                && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
        };
        if let Self::Sqlite(connection, _) = self {
            let table = "CREATE TEMP TABLE taskloom_parameter (name TEXT PRIMARY KEY, value TEXT)";
            (&mut *connection).execute(table).await?;
        }
        let mut left_out = vec![];
        for (name, value) in parameters {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            // PostgreSQL has no text with U+0000.
            if !is_name(name) || (matches!(self, Self::Postgresql(..)) && text.contains('\0')) {
                left_out.push(name.clone());
                continue;
            }
            match self {
                Self::Postgresql(connection, _) => {
                    let set = sqlx::query("SELECT set_config($1, $2, false)").bind(format!("taskloom.{name}"));
                    set.bind(text).execute(connection).await?;
                }
                Self::Mysql(connection, _) => {
                    let set = AssertSqlSafe(format!("SET @taskloom_{name} = ?"));
                    sqlx::query(set).bind(text).execute(connection).await?;
                }
                Self::Sqlite(connection, _) => {
                    let insert = sqlx::query("INSERT INTO temp.taskloom_parameter VALUES (?, ?)").bind(name.clone());
                    insert.bind(text).execute(connection).await?;
                }
            }
        }
        Ok(left_out)
    }

    /// Runs one statement; its rows, of so many bytes at the most, go to the collector as the gate lets them.
    pub(super) async fn run(
        &mut self,
        statement: &str,
        collector: &mut ResultCollector,
        within: (&mut watch::Receiver<StatementFlow>, u64),
    ) -> Result<StatementDone, StatementError> {
        match self {
            Self::Postgresql(connection, _) => run::<Postgres>(connection, statement, collector, within).await,
            Self::Mysql(connection, _) => run::<MySql>(connection, statement, collector, within).await,
            Self::Sqlite(connection, _) => run::<Sqlite>(connection, statement, collector, within).await,
        }
    }

    pub(super) async fn close(self) {
        let closed = match self {
            Self::Postgresql(connection, _) => connection.close().await,
            Self::Mysql(connection, _) => connection.close().await,
            Self::Sqlite(connection, _) => connection.close().await,
        };
        // It has done all that it was asked: that it did not hear the good-bye changes nothing.
        drop(closed);
    }
}

async fn run<DB: Cells>(
    connection: &mut DB::Connection,
    statement: &str,
    collector: &mut ResultCollector,
    (gate, most): (&mut watch::Receiver<StatementFlow>, u64),
) -> Result<StatementDone, StatementError>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    usize: sqlx::ColumnIndex<DB::Row>,
    for<'s> usize: sqlx::ColumnIndex<DB::Statement>,
    DB::QueryResult: Affected,
{
    let mut affected = 0;
    let mut table = StatementRows::new(most);
    let read = async {
        let text = AssertSqlSafe(statement.to_owned()).into_sql_str();
        let mut answers = (&mut *connection).fetch_many(sqlx::raw_sql(text));
        while let Some(answer) = answers.try_next().await? {
            match answer {
                Either::Left(result) => affected += result.affected(),
                Either::Right(row) => {
                    table.push::<DB>(&row, collector).await?;
                    if *gate.borrow() == StatementFlow::Paused {
                        let _ = gate.wait_for(|gate| *gate != StatementFlow::Paused).await;
                    }
                }
            }
        }
        Ok::<_, StatementError>(())
    };
    if let Err(failure) = read.await {
        // What came before it failed is kept.
        table.settle(collector).await;
        return Err(failure);
    }
    if !table.has_columns() {
        // No row said which columns there would have been.
        let text = AssertSqlSafe(statement.to_owned()).into_sql_str();
        if let Ok(prepared) = connection.prepare(text).await
            && !prepared.columns().is_empty()
        {
            table.name(cell::columns::<DB>(prepared.columns()));
        }
    }
    let kept = table.settle(collector).await;
    Ok(StatementDone { rows: table.rows, kept, affected })
}

/// How many rows a statement changed.
pub(super) trait Affected {
    fn affected(&self) -> u64;
}

macro_rules! affected {
    ($($Result:ty),+) => {$(
        impl Affected for $Result {
            fn affected(&self) -> u64 {
                self.rows_affected()
            }
        }
    )+};
}

affected!(sqlx::postgres::PgQueryResult, sqlx::mysql::MySqlQueryResult, sqlx::sqlite::SqliteQueryResult);

impl Canceller {
    /// Asks the database to end what runs, which may have ended already.
    ///
    /// # Errors
    /// That it could not be asked, as a line for the log.
    pub(super) async fn cancel(&self) -> Result<(), String> {
        let asked = async {
            match self {
                Self::Postgresql(options, id) => {
                    let mut connection = options.connect().await?;
                    sqlx::query("SELECT pg_cancel_backend($1)").bind(*id).execute(&mut connection).await?;
                    connection.close().await
                }
                Self::Mysql(options, id) => {
                    let mut connection = options.connect().await?;
                    (&mut connection).execute(AssertSqlSafe(format!("KILL QUERY {id}"))).await?;
                    connection.close().await
                }
                Self::Sqlite(stop) => {
                    stop.store(true, Ordering::Relaxed);
                    Ok(())
                }
            }
        };
        match tokio::time::timeout(CANCEL, asked).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let why = StatementError::from(error).told(&OutboundPolicy::default());
                Err(format!("the statement could not be cancelled at its data source: {why}"))
            }
            Err(_) => Err("the data source does not answer a cancel".to_owned()),
        }
    }
}

/// No text, blob or row of this connection is larger.
#[expect(unsafe_code, reason = "the driver gives no way to set a limit of SQLite's")]
fn limit(handle: &mut LockedSqliteHandle<'_>, bytes: u64) {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    // SAFETY: the handle is an open connection, and locked: nobody else uses it meanwhile.
    unsafe { sqlite3_limit(handle.as_raw_handle().as_ptr(), SQLITE_LIMIT_LENGTH, bytes) };
}

fn option<'s>(source: &'s DataSource, name: &str) -> Option<&'s str> {
    source.options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn postgresql(source: &DataSource) -> Result<PgConnectOptions, StatementError> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(source.host.as_deref().unwrap_or("localhost"))
        .port(source.port.unwrap_or(5432))
        .database(&source.database)
        .application_name(option(source, "application_name").unwrap_or("taskloom"))
        .ssl_mode(PgSslMode::Prefer);
    options = options.username(source.user.as_deref().unwrap_or("postgres"));
    options = options.password(source.password.as_ref().map_or("", Hidden::expose));
    if let Some(mode) = option(source, "sslmode") {
        options = options.ssl_mode(PgSslMode::from_str(mode)?);
    }
    if let Some(path) = option(source, "search_path") {
        options = options.options([("search_path", path)]);
    }
    Ok(options.disable_statement_logging())
}

fn mysql(source: &DataSource) -> Result<MySqlConnectOptions, StatementError> {
    let mut options = MySqlConnectOptions::new()
        .host(source.host.as_deref().unwrap_or("localhost"))
        .port(source.port.unwrap_or(3306))
        .database(&source.database)
        .charset(option(source, "charset").unwrap_or("utf8mb4"));
    if let Some(user) = &source.user {
        options = options.username(user);
    }
    if let Some(password) = &source.password {
        options = options.password(password.expose());
    }
    if let Some(mode) = option(source, "ssl_mode") {
        options = options.ssl_mode(MySqlSslMode::from_str(mode)?);
    }
    Ok(options.disable_statement_logging())
}

fn sqlite(source: &DataSource, policy: &OutboundPolicy) -> Result<SqliteConnectOptions, StatementError> {
    let folder = policy.sqlite_folder.as_deref();
    let folder = folder.ok_or_else(|| {
        StatementError::Told("no SQLite files are allowed here: set executor.sql.sqlite_folder".into())
    })?;
    let mode = option(source, "mode").unwrap_or("rw");
    let file = below(folder, &source.database).ok_or_else(|| {
        StatementError::Told("its file is not below executor.sql.sqlite_folder, or does not exist".to_owned())
    })?;
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(BUSY).foreign_keys(true);
    Ok(options.read_only(mode == "ro").create_if_missing(mode == "rwc").disable_statement_logging())
}

/// The file of this name below `folder`; none when it, or the folder that it would be made in, is elsewhere.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    if !name.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let file = folder.join(name);
    // A link may lead anywhere: what counts is where it ends.
    let real = match file.canonicalize() {
        Ok(real) => real,
        Err(_) if file.is_symlink() => return None,
        Err(_) => file.parent()?.canonicalize().ok()?.join(file.file_name()?),
    };
    (real.starts_with(&folder) && real != folder).then_some(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_below_its_folder_or_nowhere() {
        let (folder, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(outside.path().join("x.db"), "").unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/nowhere/x.db", folder.path().join("lost.db")).unwrap();
        for name in ["new.db", "inner/new.db"] {
            assert!(below(folder.path(), name).is_some(), "{name}");
        }
        let absolute = outside.path().join("x.db").display().to_string();
        for name in
            ["", ".", "..", "../x.db", "inner/../../x.db", "link/x.db", "link/new.db", "lost.db", "none/x", &absolute]
        {
            assert!(below(folder.path(), name).is_none(), "{name}");
        }
    }
}
