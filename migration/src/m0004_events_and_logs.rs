//! The event log and the logs of subtasks. No foreign keys: both are written on the hottest path, and go with
//! their task by the one function that deletes tasks.

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
        for name in ["log_chunk", "task_event"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "task_event",
            &[
                ("id", "serial"),
                ("at", "big"),
                ("tenant_id", "big"),
                ("task_id", "big"),
                ("subtask_id", "big?"),
                ("attempt_id", "big?"),
                ("kind", "text"),
                ("task_state", "text?"),
                ("subtask_state", "text?"),
                ("operation", "text?"),
                ("progress", "real?"),
                ("message", "text?"),
                ("actor", "text?"),
            ],
        ),
        table(
            "log_chunk",
            &[
                ("subtask_id", "big"),
                ("first_line", "big"),
                ("attempt_id", "big"),
                ("lines", "int"),
                ("first_byte", "big"),
                ("bytes", "int"),
                ("at", "big"),
                ("data", "bytes"),
            ],
        )
        .primary_key(Index::create().col("subtask_id").col("first_line"))
        .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![index("task_event", &["task_id", "id"], false), index("log_chunk", &["subtask_id", "first_byte"], false)]
}
