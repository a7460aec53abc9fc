//! Brings the schema to the version this program knows, under a lock; refuses a newer one.

use sea_orm::{ConnectionTrait, DbBackend, TransactionTrait};
use sea_orm_migration::MigratorTrait;
use taskloom_migration::Migrator;

use super::Store;

/// Why the schema is not usable.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Written by a later version.
    #[error("the database was written by a newer taskloom (it has {unknown}); run that version or a later one")]
    Newer {
        /// The first migration that is not known here.
        unknown: String,
    },
    /// Not up to date, and forbidden to change it.
    #[error("the database needs {pending} migrations; run `taskloom migrate up`, or start without --no-migrate")]
    Pending {
        /// How many.
        pending: usize,
    },
    /// The database refused.
    #[error("migration failed: {0}")]
    Database(#[from] sea_orm::DbErr),
}

/// Applies what is missing. Servers that start together take turns, also on an empty database.
///
/// # Errors
/// [`MigrateError`].
pub async fn up(store: &Store) -> Result<(), MigrateError> {
    in_turn(store, async || {
        refuse_newer(store).await?;
        Ok(Migrator::up(store.write(), None).await?)
    })
    .await
}

/// Takes back the latest `steps` migrations, or all.
///
/// # Errors
/// [`MigrateError`].
pub async fn down(store: &Store, steps: Option<u32>) -> Result<(), MigrateError> {
    in_turn(store, async || {
        refuse_newer(store).await?;
        Ok(Migrator::down(store.write(), steps).await?)
    })
    .await
}

/// Refuses a schema that is not exactly the one this program knows.
///
/// # Errors
/// [`MigrateError`].
pub async fn check(store: &Store) -> Result<(), MigrateError> {
    in_turn(store, async || {
        refuse_newer(store).await?;
        let pending = Migrator::get_pending_migrations(store.write()).await?.len();
        if pending == 0 { Ok(()) } else { Err(MigrateError::Pending { pending }) }
    })
    .await
}

/// Does it while nobody else does. Even a look makes the table of what is applied, where there is none.
async fn in_turn(store: &Store, work: impl AsyncFnOnce() -> Result<(), MigrateError>) -> Result<(), MigrateError> {
    if store.backend() != DbBackend::Postgres {
        return work().await;
    }
    // The lock belongs to a session of its own: migrations run in transactions of theirs.
    let lock = store.lease().begin().await?;
    lock.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(7305804402)").await?;
    work().await?;
    Ok(lock.rollback().await?)
}

/// Every migration by name, and whether it is applied.
///
/// # Errors
/// When the database does not answer.
pub async fn status(store: &Store) -> Result<Vec<(String, bool)>, MigrateError> {
    let pending: Vec<String> =
        Migrator::get_pending_migrations(store.write()).await?.iter().map(|m| m.name().to_owned()).collect();
    let all = Migrator::get_migration_files();
    Ok(all.iter().map(|m| (m.name().to_owned(), !pending.contains(&m.name().to_owned()))).collect())
}

async fn refuse_newer(store: &Store) -> Result<(), MigrateError> {
    Migrator::install(store.write()).await?;
    let known: Vec<String> = Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
    let applied = Migrator::get_migration_models(store.write()).await?;
    match applied.into_iter().find(|m| !known.contains(&m.version)) {
        Some(unknown) => Err(MigrateError::Newer { unknown: unknown.version }),
        None => Ok(()),
    }
}
