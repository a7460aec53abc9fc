//! By which token an act was asked for.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Of the rows that are there nobody knows it.
        manager.alter_table(Table::alter().table("audit").add_column(column("token_id", "big?")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("audit").drop_column("token_id").to_owned()).await
    }
}
