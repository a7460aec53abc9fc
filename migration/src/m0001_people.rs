//! Tenants, users, tokens, sessions, and the audit of what they do.

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
        for name in ["audit", "session", "api_token", "user_tenant", "app_user", "tenant"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table("tenant", &[("id", "serial"), ("name", "text"), ("created_at", "big")]),
        table(
            "app_user",
            &[
                ("id", "serial"),
                ("name", "text"),
                ("password_hash", "text?"),
                ("role", "text"),
                ("disabled", "bool"),
                ("created_at", "big"),
            ],
        ),
        table("user_tenant", &[("user_id", "big"), ("tenant_id", "big")])
            .primary_key(Index::create().col("user_id").col("tenant_id"))
            .foreign_key(&mut belongs("user_id", "app_user"))
            .foreign_key(&mut belongs("tenant_id", "tenant"))
            .to_owned(),
        table(
            "api_token",
            &[
                ("id", "serial"),
                ("user_id", "big"),
                ("name", "text"),
                ("digest", "text"),
                ("role", "text"),
                ("created_at", "big"),
                ("expires_at", "big?"),
                ("revoked_at", "big?"),
                ("last_used_at", "big?"),
            ],
        )
        .foreign_key(&mut belongs("user_id", "app_user"))
        .to_owned(),
        table(
            "session",
            &[("digest", "text"), ("user_id", "big"), ("created_at", "big"), ("seen_at", "big"), ("expires_at", "big")],
        )
        .primary_key(Index::create().col("digest"))
        .foreign_key(&mut belongs("user_id", "app_user"))
        .to_owned(),
        table(
            "audit",
            &[
                ("id", "serial"),
                ("at", "big"),
                ("tenant_id", "big?"),
                ("user_id", "big?"),
                ("actor", "text"),
                ("action", "text"),
                ("object", "text"),
                ("outcome", "text"),
                ("code", "text?"),
                ("detail", "text?"),
                ("request_id", "text"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("tenant", &["name"], true),
        index("app_user", &["name"], true),
        index("user_tenant", &["tenant_id"], false),
        index("api_token", &["digest"], true),
        index("api_token", &["user_id"], false),
        index("session", &["user_id"], false),
        index("session", &["expires_at"], false),
        index("audit", &["object", "id"], false),
        index("audit", &["actor", "id"], false),
    ]
}
