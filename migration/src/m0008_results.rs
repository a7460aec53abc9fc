//! What attempts found: result sets, their rows in chunks. No foreign keys, as with logs: they go with their task by
//! the one function that deletes tasks.

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
        manager.create_index(index("result_set", &["attempt_id", "number"], true)).await?;
        manager.create_index(index("result_set", &["subtask_id"], false)).await?;
        manager.create_index(index("result_set", &["created_at"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["result_chunk", "result_set"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "result_set",
            &[
                ("id", "serial"),
                ("attempt_id", "big"),
                ("subtask_id", "big"),
                ("number", "int"),
                ("kind", "text"),
                ("columns", "text"),
                ("rows", "big"),
                ("bytes", "big"),
                ("truncated", "bool"),
                ("created_at", "big"),
            ],
        ),
        table(
            "result_chunk",
            &[("result_set_id", "big"), ("first_row", "big"), ("rows", "int"), ("bytes", "int"), ("data", "bytes")],
        )
        .primary_key(Index::create().col("result_set_id").col("first_row"))
        .to_owned(),
    ]
}
