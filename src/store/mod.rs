//! Every SeaORM query of the server, and the only place where a transaction begins.
//!
//! SQLite has one writer connection, whose transactions begin IMMEDIATE: a deferred one that reads and then writes
//! fails at once when somebody else writes, whatever the busy time-out says. Readers have their own pool.

pub mod attempt;
pub mod audit;
pub mod bulk;
pub mod change;
pub mod definition;
pub mod event;
pub mod keyset;
pub mod listen;
pub mod log;
pub mod migrate;
pub mod open;
pub mod page;
pub mod queue;
pub mod result;
mod row;
pub mod scope;
pub mod sealed;
pub mod secret;
pub mod session;
pub mod snapshot;
pub mod source;
pub mod subtask;
pub mod task;
pub mod tenant;
pub mod token;
pub mod user;
pub mod vcenter;
pub mod vsphere;
pub mod wide;
pub mod worker;

use std::sync::Arc;
use std::time::Instant;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter,
    QuerySelect, Select, SqlErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};

use crate::error::{self, Error, Result};
use crate::telemetry::Metrics;

/// An open transaction: what is written through it is one. Dropped without [`commit`], it is rolled back.
/// Side effects outside of the database belong behind the commit.
pub type Tx = DatabaseTransaction;

/// The database: a pool that writes and a pool that reads. On PostgreSQL they are one. With it go the metrics of
/// this process, since what counts is what was committed: whoever commits, counts.
#[derive(Clone, Debug)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    metrics: Arc<Metrics>,
}

/// Whether a conditional write found what it expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// It did.
    Yes,
    /// Somebody was faster.
    Stale,
}

impl Changed {
    /// By the number of rows that were changed.
    pub fn of(rows: u64) -> Self {
        if rows > 0 { Self::Yes } else { Self::Stale }
    }
}

impl Store {
    /// A store on these pools.
    #[must_use]
    pub fn new(write: DatabaseConnection, read: DatabaseConnection) -> Self {
        Self { write, read, metrics: Arc::default() }
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// `DATABASE_UNAVAILABLE` when the database does not answer.
    pub async fn begin(&self) -> Result<Tx> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let asked = Instant::now();
        let tx = self.write.begin_with_options(options).await?;
        self.metrics.database_wait.observe(asked.elapsed());
        Ok(tx)
    }

    /// For queries that change nothing and need no transaction.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// The connection that writes: for migrations and listeners.
    #[must_use]
    pub fn write(&self) -> &DatabaseConnection {
        &self.write
    }

    /// What this process counts.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.write.get_database_backend()
    }

    /// Closes both pools when what runs on them has ended.
    pub async fn close(self) {
        for pool in [self.read, self.write] {
            if let Err(error) = pool.close().await {
                tracing::debug!(%error, "the pool was closed already");
            }
        }
    }
}

/// The rows of a query without those that cannot be read (somebody else wrote them, or they were damaged): one of
/// them must not keep a reader from all the others.
///
/// # Errors
/// When the database does not answer.
pub async fn readable<E: EntityTrait>(
    conn: &impl ConnectionTrait,
    query: Select<E>,
    id: E::Column,
) -> Result<Vec<E::Model>> {
    match query.clone().all(conn).await {
        Err(error) if error::is_damaged(&error) => {}
        read => return Ok(read?),
    }
    let ids: Vec<i64> = query.select_only().column(id).into_tuple().all(conn).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for number in ids {
        match E::find().filter(id.eq(number)).one(conn).await {
            Ok(row) => rows.extend(row),
            Err(error) if error::is_damaged(&error) => {
                tracing::error!(table = E::default().table_name(), id = number, %error, "a row cannot be read: it is left out");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(rows)
}

/// Commits: the only way to, so that an answer which is lost has one name everywhere.
///
/// # Errors
/// `OUTCOME_UNKNOWN` when nobody can tell whether it was done: the connection broke before the answer. Any other:
/// nothing was done.
pub async fn commit(tx: Tx) -> Result<()> {
    tx.commit().await.map_err(Error::of_commit)
}

/// Whether a unique key was taken by another row.
#[must_use]
pub fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
