//! Every SeaORM query of the server, and the only place where a transaction begins.
//!
//! SQLite has one writer connection, whose transactions begin IMMEDIATE: a deferred one that reads and then writes
//! fails at once when somebody else writes, whatever the busy time-out says. Readers have their own pool, and the engine
//! has another.

pub mod attempt;
pub mod audit;
mod bound;
pub mod bulk;
pub mod change;
pub mod collection;
pub mod definition;
pub mod event;
mod filter;
pub mod keyset;
pub mod listen;
pub mod log;
pub mod migrate;
pub mod open;
pub mod page;
pub mod pulse;
pub mod queue;
mod reach;
pub mod removal;
pub mod result;
mod row;
pub mod scope;
pub mod sealed;
pub mod secret;
pub mod session;
pub mod snapshot;
pub mod source;
pub mod standing;
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
use crate::slow_lane;
use crate::telemetry::Metrics;

/// An open transaction: what is written through it is one. Dropped without [`commit`], it is rolled back.
/// Side effects outside of the database belong behind the commit.
pub type Tx = DatabaseTransaction;

/// The database, by pools that do not take each other's connections: requests have one that writes and one that reads,
/// the engine has its own, and leases have theirs. With them go the metrics of this process, since what counts is what
/// was committed: whoever commits, counts.
#[derive(Clone, Debug)]
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    /// Reads for what has gone to the slow lane.
    slow: DatabaseConnection,
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
        let slow = read.clone();
        Self { write, read, slow, own, metrics: Arc::default(), removing: Arc::default() }
    }

    /// The same with a pool whose connections work at the slow lane's pace.
    #[must_use]
    pub fn with_slow(self, slow: DatabaseConnection) -> Self {
        Self { slow, ..self }
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
        if slow_lane::is_here() { &self.slow } else { &self.read }
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
        for pool in [self.slow, self.read, self.own.read, self.own.lease, self.own.write, self.write] {
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
