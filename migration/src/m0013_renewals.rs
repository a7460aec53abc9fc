//! Leases by counters instead of instants: each renewal raises one. And when a worker's life was ended.

use sea_orm_migration::prelude::*;

use crate::table::{column, index};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// New columns, each with the value of the rows that are there.
const COLUMNS: [(&str, &str, i64); 3] =
    [("worker", "renewals", 0), ("worker", "lease_ms", 15_000), ("vcenter_collection", "renewals", 0)];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name, value) in COLUMNS {
            let mut with = column(name, "big");
            with.default(value);
            manager.alter_table(Table::alter().table(table).add_column(with).to_owned()).await?;
        }
        let ended_at = column("ended_at", "big?");
        manager.alter_table(Table::alter().table("worker").add_column(ended_at).to_owned()).await?;
        // Of those that have ended nobody knows more than when they were heard of last.
        let ended = "UPDATE worker SET ended_at = seen_at WHERE state <> 'ALIVE'";
        manager.get_connection().execute_unprepared(ended).await?;
        manager.create_index(index("worker", &["ended_at"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("worker_ended_at").table("worker").to_owned()).await?;
        manager.alter_table(Table::alter().table("worker").drop_column("ended_at").to_owned()).await?;
        for (table, name, _) in COLUMNS.into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
