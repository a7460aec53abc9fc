//! What a task is meant for, in the numbers that legacy clients know: those that lists are filtered by as columns, the
//! rest as one document.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// What lists are filtered by.
const NUMBERS: [&str; 3] = ["cluster_id", "target_tenant_id", "host_id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column a statement: SQLite knows no more.
        for name in NUMBERS {
            manager.alter_table(add(column(name, "big?"))).await?;
            manager.create_index(by(name)).await?;
        }
        manager.alter_table(add(column("target_facts", "text?"))).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in NUMBERS {
            manager.drop_index(Index::drop().name(format!("task_of_{name}")).table("task").to_owned()).await?;
        }
        for name in NUMBERS.into_iter().chain(["target_facts"]) {
            manager.alter_table(Table::alter().table("task").drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn add(column: ColumnDef) -> TableAlterStatement {
    Table::alter().table("task").add_column(column).to_owned()
}

fn by(name: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(format!("task_of_{name}"))
        .table("task")
        .col(name)
        .col("id")
        .and_where(Expr::col(name).is_not_null())
        .to_owned()
}
