//! Names and targets as they are looked for: in any case of any script, which neither database can do by itself.
//!
//! The rows that are there are filled in bites, each a transaction of its own: nothing is locked for long, and what
//! was broken off goes on where it stood. A row without the value is found by the old way.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement, Value};

use crate::table::column;

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// A table's new columns, each with the SQL of the text that it is folded from.
const COLUMNS: [(&str, &[(&str, &str)]); 3] = [
    ("task", &[("name_folded", "name"), ("cluster_folded", "cluster")]),
    ("app_user", &[("name_folded", "name")]),
    ("vsphere_task", &[("folded", "COALESCE(entity_name, '') || '\u{1f}' || COALESCE(username, '')")]),
];

/// Rows of one bite: SQLite binds 32,766 values at the most.
const BITE: usize = 5_000;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in COLUMNS {
            for (name, _) in columns {
                // It may have been broken off behind this.
                if !manager.has_column(table, name).await? {
                    manager
                        .alter_table(Table::alter().table(table).add_column(column(name, "text?")).to_owned())
                        .await?;
                }
            }
            fill(manager.get_connection(), table, columns).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in COLUMNS {
            for (name, _) in columns.iter().rev() {
                manager.alter_table(Table::alter().table(table).drop_column(*name).to_owned()).await?;
            }
        }
        Ok(())
    }
}

async fn fill(db: &impl ConnectionTrait, table: &str, columns: &[(&str, &str)]) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let from: Vec<&str> = columns.iter().map(|(_, from)| *from).collect();
    let read = format!(
        "SELECT id, {} FROM {table} WHERE id > $1 AND {} IS NULL ORDER BY id LIMIT {BITE}",
        (0..).zip(&from).map(|(at, from)| format!("{from} AS text_{at}")).collect::<Vec<_>>().join(", "),
        columns[0].0
    );
    let mut last = i64::MIN;
    loop {
        let rows = db.query_all_raw(Statement::from_sql_and_values(backend, &read, [last.into()])).await?;
        let mut values: Vec<Value> = vec![];
        for row in &rows {
            last = row.try_get("", "id")?;
            values.push(last.into());
            for at in 0..columns.len() {
                let text: Option<String> = row.try_get("", &format!("text_{at}"))?;
                values.push(text.as_deref().map(folded).into());
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let sql = update(table, columns, rows.len());
        db.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
    }
}

/// `WITH v (id, …) AS (VALUES …) UPDATE …`, of so many rows.
fn update(table: &str, columns: &[(&str, &str)], rows: usize) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let width = names.len() + 1;
    let tuple = |row: usize| {
        let bound = |at: usize| {
            let kind = if at == 0 { "bigint" } else { "text" };
            format!("CAST(${} AS {kind})", row * width + at + 1)
        };
        format!("({})", (0..width).map(bound).collect::<Vec<_>>().join(", "))
    };
    let set: Vec<String> = names.iter().map(|name| format!("{name} = v.{name}")).collect();
    format!(
        "WITH v (id, {}) AS (VALUES {}) UPDATE {table} SET {} FROM v WHERE {table}.id = v.id",
        names.join(", "),
        (0..rows).map(tuple).collect::<Vec<_>>().join(", "),
        set.join(", ")
    )
}

/// As it was meant when this step was made: composed, then folded in full.
fn folded(text: &str) -> String {
    CaseMapper::new().fold_string(&ComposingNormalizerBorrowed::new_nfc().normalize(text)).into_owned()
}
