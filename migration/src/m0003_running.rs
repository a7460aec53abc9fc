//! Workers and attempts.

use sea_orm_migration::prelude::*;

use crate::table::{index, table};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["attempt", "worker"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "worker",
            &[
                ("id", "text"),
                ("name", "text"),
                ("labels", "text"),
                ("slots", "int"),
                ("state", "text"),
                ("lease_until", "big"),
                ("started_at", "big"),
                ("seen_at", "big"),
            ],
        )
        .primary_key(Index::create().col("id"))
        .to_owned(),
        table(
            "attempt",
            &[
                ("id", "serial"),
                ("subtask_id", "big"),
                ("task_id", "big"),
                ("number", "int"),
                ("operation", "text"),
                ("worker_id", "text"),
                ("epoch", "big"),
                ("state", "text"),
                ("started_at", "big"),
                ("finished_at", "big?"),
                ("exit_code", "int?"),
                ("message", "text?"),
                ("first_line", "big"),
                ("cpu_seconds", "real?"),
                ("memory_bytes", "big?"),
                ("peak_memory_bytes", "big?"),
                ("processes", "int?"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("worker_alive")
            .table("worker")
            .col("lease_until")
            .and_where(Expr::col("state").eq("ALIVE"))
            .to_owned(),
        index("attempt", &["subtask_id", "number"], true),
        index("attempt", &["task_id", "id"], false),
        Index::create()
            .name("attempt_running")
            .table("attempt")
            .col("worker_id")
            .and_where(Expr::col("state").eq("RUNNING"))
            .to_owned(),
    ]
}
