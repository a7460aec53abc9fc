//! Definitions, tasks, their labels and subtasks.

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
        for name in ["subtask", "task_label", "task_input", "task", "definition"] {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![definition(), task(), task_input(), task_label(), subtask()]
}

fn definition() -> TableCreateStatement {
    table(
        "definition",
        &[
            ("id", "serial"),
            ("tenant_id", "big"),
            ("name", "text"),
            ("version", "int"),
            ("latest", "bool"),
            ("spec", "text"),
            ("creator", "text"),
            ("created_at", "big"),
            ("deleted_at", "big?"),
        ],
    )
    .foreign_key(&mut belongs("tenant_id", "tenant"))
    .to_owned()
}

fn task() -> TableCreateStatement {
    table(
        "task",
        &[
            ("id", "serial"),
            ("tenant_id", "big"),
            ("name", "text"),
            ("task_type", "text"),
            ("definition_id", "big?"),
            ("creator_id", "big?"),
            ("creator", "text"),
            ("state", "text"),
            ("operation", "text"),
            ("backward", "bool"),
            ("priority", "small"),
            ("cluster", "text?"),
            ("target_tenant", "text?"),
            ("host", "text?"),
            ("labels", "text"),
            ("prohibit_rollback", "bool"),
            ("progress", "real"),
            ("message", "text?"),
            ("idempotency_key", "text?"),
            ("request_digest", "text?"),
            ("created_at", "big"),
            ("started_at", "big?"),
            ("finished_at", "big?"),
        ],
    )
    .foreign_key(&mut belongs("tenant_id", "tenant"))
    .to_owned()
}

fn task_input() -> TableCreateStatement {
    table("task_input", &[("task_id", "big"), ("spec", "text"), ("parameters", "text")])
        .primary_key(Index::create().col("task_id"))
        .foreign_key(&mut belongs("task_id", "task"))
        .to_owned()
}

fn task_label() -> TableCreateStatement {
    table("task_label", &[("task_id", "big"), ("key", "text"), ("value", "text")])
        .primary_key(Index::create().col("task_id").col("key"))
        .foreign_key(&mut belongs("task_id", "task"))
        .to_owned()
}

fn subtask() -> TableCreateStatement {
    table(
        "subtask",
        &[
            ("id", "serial"),
            ("task_id", "big"),
            ("seq", "int"),
            ("name", "text"),
            ("description", "text"),
            ("executor", "text"),
            ("spec", "text"),
            ("needs", "text"),
            ("requires", "text"),
            ("priority", "small"),
            ("state", "text"),
            ("operation", "text"),
            ("held", "bool"),
            ("progress", "real"),
            ("weight", "real"),
            ("runs", "int"),
            ("tries", "int"),
            ("max_tries", "int"),
            ("backoff_ms", "big"),
            ("on_lost", "text"),
            ("prohibit_rollback", "bool"),
            ("epoch", "big"),
            ("attempt_id", "big?"),
            ("not_before", "big?"),
            ("outputs", "text"),
            ("message", "text?"),
            ("log_lines", "big"),
            ("log_bytes", "big"),
            ("started_at", "big?"),
            ("finished_at", "big?"),
        ],
    )
    .foreign_key(&mut belongs("task_id", "task"))
    .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("definition", &["tenant_id", "name", "version"], true),
        index("task", &["tenant_id", "id"], false),
        index("task", &["state", "id"], false),
        index("task", &["creator", "id"], false),
        index("task", &["finished_at", "id"], false),
        index("task", &["tenant_id", "idempotency_key"], true)
            .and_where(Expr::col("idempotency_key").is_not_null())
            .to_owned(),
        index("task", &["definition_id", "id"], false).and_where(Expr::col("definition_id").is_not_null()).to_owned(),
        index("task", &["cluster", "id"], false).and_where(Expr::col("cluster").is_not_null()).to_owned(),
        index("task", &["target_tenant", "id"], false).and_where(Expr::col("target_tenant").is_not_null()).to_owned(),
        index("task", &["host", "id"], false).and_where(Expr::col("host").is_not_null()).to_owned(),
        index("task_label", &["key", "value", "task_id"], false),
        index("subtask", &["task_id", "seq"], true),
        // What may be claimed, in the order of claiming.
        Index::create()
            .name("subtask_ready")
            .table("subtask")
            .col(("priority", IndexOrder::Desc))
            .col("id")
            .and_where(Expr::col("state").eq("READY"))
            .and_where(Expr::col("held").eq(false))
            .to_owned(),
        // Which sets of labels are waited for.
        Index::create()
            .name("subtask_ready_requires")
            .table("subtask")
            .col("requires")
            .and_where(Expr::col("state").eq("READY"))
            .and_where(Expr::col("requires").ne(""))
            .to_owned(),
    ]
}
