//! One row that is written to see whether the database takes writes.

use sea_orm::{ConnectionTrait, DbBackend};

use super::Store;
use crate::error::Result;

/// Changes the row.
///
/// # Errors
/// When the database takes no write: it is away, locked, full, or for reading alone.
pub async fn beat(store: &Store) -> Result<()> {
    // SQLite writes no page that stays as it is, so a number goes up. On PostgreSQL a row of its own for each writer
    // would be needed so that none waits for another; a lock of a moment is less.
    let conn = match store.backend() {
        DbBackend::Sqlite => store.write(),
        _ => store.lease(),
    };
    conn.execute_unprepared("UPDATE pulse SET beats = beats + 1").await?;
    Ok(())
}
