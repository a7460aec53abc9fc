//! Opens the database: SQLite in a folder, or PostgreSQL by its address. What cannot work is said at once, with the
//! remedy; a password never appears in what is said.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sea_orm::sqlx::{Connection, Executor, SqliteConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use super::{Own, Store, bound, reach};
use crate::config::mask;
use crate::{private, room, slow_lane};

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabasePlace {
    /// `taskloom.db` in this folder.
    Folder(PathBuf),
    /// A PostgreSQL address.
    Postgres(String),
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("cannot write to the data folder {path}; choose another with --data-dir, or change its owner")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Somebody else has it open.
    #[error(
        "the data folder {path} is in use by another taskloom; stop that one, choose another --data-dir, or use PostgreSQL for several servers"
    )]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// There is no database yet.
    #[error("there is no database in {path}; start `taskloom serve --data-dir {path}` once, or name another folder")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// No such database.
    #[error(
        "{url} is not the address of a database: use postgres://user:password@host:port/name, or leave it out for SQLite"
    )]
    Address {
        /// As given, without the password.
        url: String,
    },
    /// It does not answer.
    #[error("cannot connect to {url}; {remedy}")]
    Connect {
        /// As given, without the password.
        url: String,
        /// What to do, as far as the reason tells.
        remedy: &'static str,
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Sizes of the pools.
#[derive(Clone, Copy, Debug)]
pub struct Pools {
    /// Connections of the reading pool (SQLite), or of all pools (PostgreSQL), where 7 are the fewest.
    pub connections: u32,
    /// How long a request waits for a connection before it is answered `DATABASE_UNAVAILABLE`.
    pub acquire: Duration,
    /// How long a statement of a request may work.
    pub statement: Duration,
}

impl Pools {
    /// For what is long already and waits for its turn.
    fn patient(self) -> Self {
        Self { acquire: self.acquire.max(self.statement), ..self }
    }
}

/// Keeps a SQLite folder for one process; dropped, another may open it.
#[derive(Debug)]
pub struct FolderGuard {
    _lock: Option<File>,
}

/// Opens the database and, on SQLite, takes the folder.
///
/// # Errors
/// [`OpenError`], each with what to do.
pub async fn open(place: &DatabasePlace, pools: Pools) -> Result<(Store, FolderGuard), OpenError> {
    match place {
        DatabasePlace::Folder(folder) => sqlite(folder, pools).await,
        DatabasePlace::Postgres(url) => Ok((postgres(url, pools).await?, FolderGuard { _lock: None })),
    }
}

/// Opens the database beside a server that may be running: for commands that change a few rows and no schema. On
/// SQLite the folder is not taken, and its database must exist.
///
/// # Errors
/// [`OpenError`], each with what to do.
pub async fn beside(place: &DatabasePlace, pools: Pools) -> Result<Store, OpenError> {
    match place {
        DatabasePlace::Folder(folder) if !folder.join(FILE).exists() => {
            Err(OpenError::Empty { path: folder.to_owned() })
        }
        // A server that is busy leaves the file free for short moments only: they are waited for.
        DatabasePlace::Folder(folder) => files(folder, Pools { acquire: pools.acquire.max(PATIENCE), ..pools }).await,
        DatabasePlace::Postgres(url) => postgres(url, pools).await,
    }
}

/// The database's file in its folder.
const FILE: &str = "taskloom.db";

/// How long a server waits for the lock of one that has just ended.
const HANDOVER: Duration = Duration::from_secs(1);

/// How long a command waits for a moment to write beside a server.
const PATIENCE: Duration = Duration::from_secs(60);

async fn sqlite(folder: &Path, pools: Pools) -> Result<(Store, FolderGuard), OpenError> {
    let refused = |source| OpenError::Folder { path: folder.to_owned(), source };
    private::folder(folder).map_err(refused)?;
    let lock = private::file(&folder.join("taskloom.lock")).map_err(refused)?;
    // SQLite gives the files beside the database the rights of this one.
    private::file(&folder.join(FILE)).map_err(refused)?;
    ["-wal", "-shm"].iter().for_each(|end| private::narrow(&folder.join(format!("{FILE}{end}"))));
    // A child that a killed server was just starting may hold its lock for a moment.
    let patient = Instant::now() + HANDOVER;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(source)) => return Err(refused(source)),
            Err(TryLockError::WouldBlock) if Instant::now() >= patient => {
                return Err(OpenError::InUse { path: folder.to_owned() });
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    // On a disk that is full the database could not even be opened.
    room::give(folder);
    Ok((files(folder, pools).await?, FolderGuard { _lock: Some(lock) }))
}

/// How many connections read for the engine alone on SQLite: the dispatcher's question for work, and a look at intents.
const ENGINE_READS: u32 = 2;

async fn files(folder: &Path, pools: Pools) -> Result<Store, OpenError> {
    let url = format!("sqlite://{}?mode=rwc", folder.join(FILE).display());
    let write = connect(&url, sqlite_bound(sqlite_options(&url, 1, pools), pools)).await?;
    let url = url.replace("mode=rwc", "mode=ro");
    let read = connect(&url, sqlite_bound(sqlite_options(&url, pools.connections, pools), pools)).await?;
    let engine = connect(&url, sqlite_options(&url, ENGINE_READS, pools)).await?;
    // None of them is opened but by the slow lane: the thread of each has the pace of the one that opened it.
    let patient = pools.patient();
    let mut slow = sqlite_bound(sqlite_options(&url, slow_lane::AT_ONCE.into(), patient), patient);
    slow.min_connections(0).connect_lazy(true);
    let slow = connect(&url, slow).await?;
    // There is one writer, and whoever writes holds it for a moment only: leases wait with the others.
    let own = Own { write: write.clone(), read: engine, lease: write.clone() };
    Ok(Store::new(write, read).with(own).with_slow(slow))
}

fn sqlite_options(url: &str, connections: u32, pools: Pools) -> ConnectOptions {
    let mut options = base(url, connections, pools);
    // WAL lets readers go on while one writes; FULL makes every acknowledged commit survive a power cut.
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .pragma("temp_store", "MEMORY")
            // Of each connection, in KiB. What is read beyond that is in the system's memory, and nobody else's.
            .pragma("cache_size", "-4096")
            .pragma("mmap_size", "0")
            // Somebody else's lock is waited for as long as a connection is.
            .busy_timeout(pools.acquire)
            .statement_cache_capacity(256)
    });
    options.map_sqlx_sqlite_before_acquire(|connection, _| {
        let usable = is_usable(connection);
        Box::pin(async move { Ok(usable) })
    });
    options
}

/// A full disk makes SQLite itself roll back. The driver does not notice, takes the next BEGIN for a savepoint, and once
/// that is rolled back nothing is ever committed again: such a connection is not used any more.
fn is_usable(connection: &mut SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

/// For pools that requests take connections of.
fn sqlite_bound(mut options: ConnectOptions, pools: Pools) -> ConnectOptions {
    let is_bound = (options.get_max_connections() == Some(1)).then(|| Arc::new(AtomicBool::default()));
    let of_new = is_bound.clone();
    options.map_sqlx_sqlite_pool_opts(move |pool| {
        let is_bound = of_new.clone();
        pool.after_connect(move |connection, _| {
            let is_bound = is_bound.clone();
            Box::pin(async move { bound::sqlite(connection, pools.statement, is_bound.as_deref()).await })
        })
    });
    options.map_sqlx_sqlite_before_acquire(move |connection, _| {
        let is_bound = is_bound.clone();
        Box::pin(async move {
            let usable = is_usable(connection);
            bound::sqlite(connection, pools.statement, is_bound.as_deref()).await?;
            Ok(usable)
        })
    });
    options
}

/// A server that is frozen in the middle of a transaction must not keep its locks from the others. Not as an option of
/// the connection: a pooler in front would refuse it.
pub(super) const FROZEN: &str = "SET idle_in_transaction_session_timeout = '10s'";

async fn postgres(url: &str, pools: Pools) -> Result<Store, OpenError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(OpenError::Address { url: mask(url) });
    }
    reach::try_once(url, pools.acquire).await?;
    let shares = Shares::of(pools.connections);
    let pool = async |connections| connect(url, postgres_options(url, connections, pools)).await;
    let bound = async |connections, pools: Pools| {
        let mut options = postgres_options(url, connections, pools);
        bound::postgres(&mut options, pools.statement);
        connect(url, options).await
    };
    let engine = pool(shares.engine).await?;
    let own = Own { write: engine.clone(), read: engine, lease: pool(shares.lease).await? };
    let (write, read) = (bound(shares.write, pools).await?, bound(shares.read, pools).await?);
    let slow = match shares.slow {
        0 => read.clone(),
        connections => bound(connections, pools.patient()).await?,
    };
    Ok(Store::new(write, read).with(own).with_slow(slow))
}

/// How the connections to PostgreSQL are shared out, so that whoever needs many keeps nobody else from work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shares {
    /// Changes that are asked for.
    write: u32,
    /// Questions.
    read: u32,
    /// Those that have turned out long; with none they share the others'.
    slow: u32,
    /// Cycles, logs and results.
    engine: u32,
    /// One listens, one may hold a lock for long, two renew and look.
    lease: u32,
}

impl Shares {
    fn of(connections: u32) -> Self {
        let (engine, write, lease) = ((connections / 4).clamp(1, 8), (connections / 5).clamp(1, 8), 4);
        let questions = connections.saturating_sub(engine + write + lease).max(1);
        let slow = (questions / 3).min(slow_lane::AT_ONCE.into());
        Self { write, read: questions - slow, slow, engine, lease }
    }
}

fn postgres_options(url: &str, connections: u32, pools: Pools) -> ConnectOptions {
    let mut options = base(url, connections, pools);
    options.map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(256).application_name("taskloom"));
    // After a restart of the database nobody is to stumble over a connection of before it.
    options.test_before_acquire_if_idle_for(Duration::from_secs(1));
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| Box::pin(async move { connection.execute(FROZEN).await.map(drop) }))
    });
    options
}

fn base(url: &str, connections: u32, pools: Pools) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(pools.acquire)
        .connect_timeout(pools.acquire)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

async fn connect(url: &str, options: ConnectOptions) -> Result<DatabaseConnection, OpenError> {
    Database::connect(options).await.map_err(|source| OpenError::Connect {
        url: mask(url),
        remedy: "check that it runs, the address, user and password",
        source: source.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn every_pool_has_a_connection_and_all_have_as_many_as_were_given() {
        for given in 0..200 {
            let Shares { write, read, slow, engine, lease } = Shares::of(given);
            assert!([write, read, engine, lease].into_iter().all(|share| share > 0), "{given}");
            assert_eq!(write + read + slow + engine + lease, given.max(7), "{given}");
        }
        assert_eq!(Shares::of(16), Shares { write: 3, read: 4, slow: 1, engine: 4, lease: 4 });
    }
}
