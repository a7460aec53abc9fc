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
    DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqlErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

use crate::error::Result;
use crate::telemetry::Metrics;

/// An open transaction: what is written through it is one. Dropped without [`DatabaseTransaction::commit`], it is
/// rolled back. Side effects outside of the database belong behind the commit.
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

/// Whether a unique key was taken by another row.
#[must_use]
pub fn is_taken(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}
