//! Every SeaORM query of the server, and the only place where a transaction begins.
//!
//! SQLite has one writer connection, whose transactions begin IMMEDIATE: a deferred one that reads and then writes
//! fails at once when somebody else writes, whatever the busy time-out says. Readers have their own pool, and the engine
//! has another.

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
pub mod removal;
pub mod result;
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

/// The database, by pools that do not take each other's connections: requests have one that writes and one that reads,
/// the engine has its own, and leases have theirs. With them go the metrics of this process, since what counts is what
/// was committed: whoever commits, counts.
#[derive(Clone, Debug)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    own: Own,
    metrics: Arc<Metrics>,
    /// Held by whoever removes what is old.
    removing: Arc<tokio::sync::Mutex<()>>,
}

/// Pools that no request can take a connection of.
#[derive(Clone, Debug)]
pub struct Own {
    /// The engine's, for transactions.
    pub write: DatabaseConnection,
    /// The engine's, for everything that changes nothing.
    pub read: DatabaseConnection,
    /// Renews leases and looks at them, and listens.
    pub lease: DatabaseConnection,
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
    /// A store on these pools, of which the engine has none of its own.
    #[must_use]
    pub fn new(write: DatabaseConnection, read: DatabaseConnection) -> Self {
        let own = Own { write: write.clone(), read: read.clone(), lease: write.clone() };
        Self { write, read, own, metrics: Arc::default(), removing: Arc::default() }
    }

    /// The same with pools that only the engine takes connections of.
    #[must_use]
    pub fn with(self, own: Own) -> Self {
        Self { own, ..self }
    }

    /// What no request can take a connection of.
    #[must_use]
    pub fn own(&self) -> &Own {
        &self.own
    }

    /// The same database by the engine's own pools.
    #[must_use]
    pub fn engine(&self) -> Self {
        Self { write: self.own.write.clone(), read: self.own.read.clone(), ..self.clone() }
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

    /// For what renews leases or looks at them, and for what waits without a transaction: a lock, a notice.
    #[must_use]
    pub fn lease(&self) -> &DatabaseConnection {
        &self.own.lease
    }

    /// The connection that writes: for migrations.
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

    /// Closes all pools when what runs on them has ended.
    pub async fn close(self) {
        for pool in [self.read, self.own.read, self.own.lease, self.own.write, self.write] {
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
