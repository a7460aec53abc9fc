//! Long columns behind all others: SQLite reads a row from its beginning, and whoever wants a column behind a megabyte
//! walks through that megabyte. PostgreSQL keeps long values elsewhere.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Tables with their long columns, the longest last, and what stands there until the value does.
const LONG: [(&str, &[(&str, &str)]); 2] =
    [("subtask", &[("outputs", "{}"), ("spec", "{}")]), ("definition", &[("spec", "{}")])];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if db.get_database_backend() != DbBackend::Sqlite {
            return Ok(());
        }
        for (table, columns) in LONG {
            for (column, nothing) in columns {
                let old = format!("old_{column}");
                for sql in [
                    format!("ALTER TABLE {table} RENAME COLUMN {column} TO {old}"),
                    format!("ALTER TABLE {table} ADD COLUMN {column} text NOT NULL DEFAULT '{nothing}'"),
                    format!("UPDATE {table} SET {column} = {old}"),
                    format!("ALTER TABLE {table} DROP COLUMN {old}"),
                ] {
                    db.execute_unprepared(&sql).await?;
                }
            }
        }
        Ok(())
    }

    /// Where a column stands means nothing to anybody but the disk.
    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
