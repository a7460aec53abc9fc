//! An event keeps the state that its task had before it.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let from_state = column("from_state", "text?");
        manager.alter_table(Table::alter().table("task_event").add_column(from_state).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("task_event").drop_column("from_state").to_owned()).await
    }
}
