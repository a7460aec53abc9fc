//! Opens the database: SQLite in a folder, or PostgreSQL by its address. What cannot work is said at once, with the
//! remedy; a password never appears in what is said.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr};

use super::Store;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `taskloom.db` in this folder.
    Folder(PathBuf),
    /// A PostgreSQL address.
    Postgres(String),
}

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("cannot write to the data folder {path}: {source}; choose another with --data-dir, or change its owner")]
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
    #[error("cannot connect to {url}: {source}; check that it runs, the address, user and password")]
    Connect {
        /// As given, without the password.
        url: String,
        /// What it says.
        source: DbErr,
    },
}

/// Sizes of the pools.
#[derive(Clone, Copy, Debug)]
pub struct Pools {
    /// Connections of the reading pool (SQLite), or of the one pool (PostgreSQL).
    pub connections: u32,
    /// How long a request waits for a connection before it is answered `DATABASE_UNAVAILABLE`.
    pub acquire: Duration,
}

/// Keeps a SQLite folder for one process; dropped, another may open it.
#[derive(Debug)]
pub struct Guard {
    _lock: Option<File>,
}

/// Opens the database and, on SQLite, takes the folder.
///
/// # Errors
/// [`OpenError`], each with what to do.
pub async fn open(place: &Place, pools: Pools) -> Result<(Store, Guard), OpenError> {
    match place {
        Place::Folder(folder) => sqlite(folder, pools).await,
        Place::Postgres(url) => Ok((postgres(url, pools).await?, Guard { _lock: None })),
    }
}

/// Opens the database beside a server that may be running: for commands that change a few rows and no schema. On
/// SQLite the folder is not taken, and its database must exist.
///
/// # Errors
/// [`OpenError`], each with what to do.
pub async fn beside(place: &Place, pools: Pools) -> Result<Store, OpenError> {
    match place {
        Place::Folder(folder) if !folder.join(FILE).exists() => Err(OpenError::Empty { path: folder.to_owned() }),
        Place::Folder(folder) => files(folder, pools, PATIENCE_BESIDE).await,
        Place::Postgres(url) => postgres(url, pools).await,
    }
}

/// The database's file in its folder.
const FILE: &str = "taskloom.db";

/// How long a writer waits for another process to end its transaction. A command beside a busy server finds the file
/// free for short moments only, so it looks for them longer.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_BESIDE: Duration = Duration::from_secs(60);

async fn sqlite(folder: &Path, pools: Pools) -> Result<(Store, Guard), OpenError> {
    let refused = |source| OpenError::Folder { path: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(refused)?;
    let lock = File::create(folder.join("taskloom.lock")).map_err(refused)?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse { path: folder.to_owned() },
        TryLockError::Error(source) => refused(source),
    })?;
    Ok((files(folder, pools, PATIENCE).await?, Guard { _lock: Some(lock) }))
}

async fn files(folder: &Path, pools: Pools, patience: Duration) -> Result<Store, OpenError> {
    let url = format!("sqlite://{}?mode=rwc", folder.join(FILE).display());
    let write = connect(&url, sqlite_options(&url, Pools { connections: 1, ..pools }, patience)).await?;
    let url = url.replace("mode=rwc", "mode=ro");
    let read = connect(&url, sqlite_options(&url, pools, patience)).await?;
    Ok(Store::new(write, read))
}

fn sqlite_options(url: &str, pools: Pools, patience: Duration) -> ConnectOptions {
    let mut options = base(url, pools);
    // WAL lets readers go on while one writes; FULL makes every acknowledged commit survive a power cut.
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-16384")
            .pragma("mmap_size", "268435456")
            .busy_timeout(patience)
            .statement_cache_capacity(256)
    });
    options
}

async fn postgres(url: &str, pools: Pools) -> Result<Store, OpenError> {
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(OpenError::Address { url: without_password(url) });
    }
    let mut options = base(url, pools);
    options.map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(256).application_name("taskloom"));
    let pool = connect(url, options).await?;
    Ok(Store::new(pool.clone(), pool))
}

fn base(url: &str, pools: Pools) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(pools.connections)
        .min_connections(1)
        .acquire_timeout(pools.acquire)
        .connect_timeout(pools.acquire)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}

async fn connect(url: &str, options: ConnectOptions) -> Result<DatabaseConnection, OpenError> {
    Database::connect(options).await.map_err(|source| OpenError::Connect { url: without_password(url), source })
}

/// The address as it may be shown.
#[must_use]
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((credentials, host)) => {
            let user = credentials.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{host}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_password_is_never_shown() {
        assert_eq!(without_password("postgres://me:se:cr@et@db:5432/x"), "postgres://me:***@db:5432/x");
        assert_eq!(without_password("nonsense"), "nonsense");
    }
}
