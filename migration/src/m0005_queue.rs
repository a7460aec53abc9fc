//! The queue's index by what is required, so that a worker reads none of what waits for others; and the ends of
//! back-offs.

use sea_orm_migration::prelude::*;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["subtask_ready", "subtask_ready_requires"] {
            manager.drop_index(Index::drop().name(name).table("subtask").to_owned()).await?;
        }
        manager.create_index(queue()).await?;
        manager.create_index(backoff()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in ["subtask_queue", "subtask_backoff"] {
            manager.drop_index(Index::drop().name(name).table("subtask").to_owned()).await?;
        }
        manager.create_index(ready()).await?;
        manager.create_index(requires()).await
    }
}

fn on_ready(name: &'static str) -> IndexCreateStatement {
    Index::create()
        .name(name)
        .table("subtask")
        .and_where(Expr::col("state").eq("READY"))
        .and_where(Expr::col("held").eq(false))
        .to_owned()
}

/// What may be claimed, in the order of claiming, for each set of labels.
fn queue() -> IndexCreateStatement {
    on_ready("subtask_queue").col("requires").col(("priority", IndexOrder::Desc)).col("id").to_owned()
}

fn backoff() -> IndexCreateStatement {
    on_ready("subtask_backoff").col("not_before").and_where(Expr::col("not_before").is_not_null()).to_owned()
}

/// As `m0002_tasks` makes them.
fn ready() -> IndexCreateStatement {
    on_ready("subtask_ready").col(("priority", IndexOrder::Desc)).col("id").to_owned()
}

fn requires() -> IndexCreateStatement {
    Index::create()
        .name("subtask_ready_requires")
        .table("subtask")
        .col("requires")
        .and_where(Expr::col("state").eq("READY"))
        .and_where(Expr::col("requires").ne(""))
        .to_owned()
}
