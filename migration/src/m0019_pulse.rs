//! A row that is written to see whether the database takes writes.

use sea_orm_migration::prelude::*;

use crate::table::table;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table("pulse", &[("beats", "big")])).await?;
        manager
            .execute(Query::insert().into_table("pulse").columns(["beats"]).values_panic([0.into()]).to_owned())
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("pulse").to_owned()).await
    }
}
