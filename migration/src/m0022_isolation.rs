//! How a worker holds its steps apart from the server and from each other.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Of a worker of before nobody knows it.
        manager.alter_table(Table::alter().table("worker").add_column(column("isolation", "text?")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("worker").drop_column("isolation").to_owned()).await
    }
}
