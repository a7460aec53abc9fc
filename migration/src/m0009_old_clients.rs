//! What old clients bring with them: what they have sent, beside what was made of it, and how long their sessions last.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let with = Table::alter().table("task_input").add_column(column("submission", "text?")).to_owned();
        manager.alter_table(with).await?;
        manager.alter_table(Table::alter().table("session").add_column(column("idle_seconds", "int?")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("session").drop_column("idle_seconds").to_owned()).await?;
        manager.alter_table(Table::alter().table("task_input").drop_column("submission").to_owned()).await
    }
}
