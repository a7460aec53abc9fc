//! Access keys: tokens with a public half and a sealed secret one, for clients that sign their requests.

use sea_orm_migration::prelude::*;

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str); 3] = [("access_key", "text?"), ("sealed", "bytes?"), ("key_id", "text?")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, kind) in COLUMNS {
            let with = Table::alter().table("api_token").add_column(column(name, kind)).to_owned();
            manager.alter_table(with).await?;
        }
        let unique =
            Index::create().name("api_token_access_key").table("api_token").col("access_key").unique().to_owned();
        manager.create_index(unique).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("api_token_access_key").table("api_token").to_owned()).await?;
        for (name, _) in COLUMNS {
            manager.alter_table(Table::alter().table("api_token").drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
