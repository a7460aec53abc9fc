//! Secrets, and the databases that tasks may ask.

use sea_orm_migration::prelude::*;

use crate::table::{belongs, index, table};

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
        for name in ["data_source", "secret"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "secret",
            &[
                ("id", "serial"),
                ("tenant_id", "big"),
                ("name", "text"),
                ("sealed", "bytes"),
                ("key_id", "text"),
                ("creator", "text"),
                ("created_at", "big"),
                ("updated_at", "big"),
            ],
        )
        .foreign_key(&mut belongs("tenant_id", "tenant"))
        .to_owned(),
        table(
            "data_source",
            &[
                ("id", "serial"),
                ("tenant_id", "big"),
                ("name", "text"),
                ("kind", "text"),
                ("host", "text?"),
                ("port", "int?"),
                ("database", "text"),
                ("username", "text?"),
                ("options", "text"),
                ("engine", "text?"),
                ("sealed", "bytes?"),
                ("key_id", "text?"),
                ("creator", "text"),
                ("created_at", "big"),
                ("updated_at", "big"),
            ],
        )
        .foreign_key(&mut belongs("tenant_id", "tenant"))
        .to_owned(),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("secret", &["tenant_id", "name"], true),
        index("secret", &["key_id"], false),
        index("data_source", &["tenant_id", "name"], true),
        // Any number of them serve no engine.
        index("data_source", &["tenant_id", "engine"], true),
        index("data_source", &["key_id"], false),
    ]
}
