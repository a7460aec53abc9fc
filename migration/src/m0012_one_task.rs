//! A task of a vCenter that was told with two precisions is one row; old text has no U+0000 any more; what is to be said of
//! a collection has columns. The way back takes the columns away; what was merged and cleaned stays so.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseBackend, Statement};

use crate::table::{column, index, table};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [(&str, &str); 3] = [("unreadable", "text?"), ("clock_jump", "big?"), ("clock_jumped_at", "big?")];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // PostgreSQL never took one in.
        if manager.get_database_backend() == DatabaseBackend::Sqlite {
            clean(manager).await?;
        }
        merge(manager).await?;
        for (name, kind) in COLUMNS {
            let with = Table::alter().table("vcenter_collection").add_column(column(name, kind)).to_owned();
            manager.alter_table(with).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in COLUMNS {
            manager.alter_table(Table::alter().table("vcenter_collection").drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}

/// Replaces U+0000 in every text of every table. SQLite's own `replace` takes it for the end of a pattern.
async fn clean(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let query = |sql: String| Statement::from_string(DatabaseBackend::Sqlite, sql);
    let columns = query(
        "SELECT m.name AS owner, c.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = \
         'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'seaql_migrations' AND lower(c.type) LIKE '%text%'"
            .to_owned(),
    );
    for row in db.query_all_raw(columns).await? {
        let (owner, name): (String, String) = (row.try_get("", "owner")?, row.try_get("", "name")?);
        let dirty = query(format!(
            "SELECT rowid AS place, \"{name}\" AS text FROM \"{owner}\" WHERE instr(CAST(\"{name}\" AS BLOB), x'00') > 0"
        ));
        // What is unique stays as it is where it would not be any more.
        let mend = format!("UPDATE OR IGNORE \"{owner}\" SET \"{name}\" = ? WHERE rowid = ?");
        for row in db.query_all_raw(dirty).await? {
            let (place, text): (i64, String) = (row.try_get("", "place")?, row.try_get("", "text")?);
            let values = [text.replace('\0', "\u{fffd}").into(), place.into()];
            db.execute_raw(Statement::from_sql_and_values(DatabaseBackend::Sqlite, &mend, values)).await?;
        }
    }
    Ok(())
}

/// Rows of one key that were queued less than a second apart are one task. The row that says most is kept, with the most
/// exact instant, and the events of all.
async fn merge(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let columns = [("gone", "big"), ("kept", "big"), ("exact", "big"), ("queued_at", "big"), ("seen_at", "big")];
    let twice = table("vsphere_twice", &columns).primary_key(Index::create().col("gone")).to_owned();
    manager.create_table(twice).await?;
    manager.create_index(index("vsphere_twice", &["kept"], false)).await?;
    // Each goes into the best of its neighbours that stays itself. In a chain of neighbours that takes more than once.
    let next = format!(
        "INSERT INTO vsphere_twice (gone, kept, exact, queued_at, seen_at) SELECT gone, kept, exact, queued_at, seen_at \
         FROM (SELECT t.id AS gone, o.id AS kept, {exact} AS exact, t.queued_at AS queued_at, t.seen_at AS seen_at, \
         ROW_NUMBER() OVER (PARTITION BY t.id ORDER BY {score} DESC, o.id) AS place FROM vsphere_task t JOIN vsphere_task \
         o ON {better} WHERE NOT EXISTS (SELECT 1 FROM vsphere_task b WHERE {best})) AS pairs WHERE place = 1",
        exact = exact("t"),
        score = score("o"),
        better = is_better("o", "t"),
        best = is_better("b", "o"),
    );
    let steps = [
        "UPDATE vsphere_event SET task_id = (SELECT w.kept FROM vsphere_twice w WHERE w.gone = vsphere_event.task_id) \
         WHERE task_id IN (SELECT gone FROM vsphere_twice)"
            .to_owned(),
        "DELETE FROM vsphere_task WHERE id IN (SELECT gone FROM vsphere_twice)".to_owned(),
        format!(
            "UPDATE vsphere_task SET queued_at = (SELECT w.queued_at FROM vsphere_twice w WHERE w.kept = vsphere_task.id \
             ORDER BY w.exact DESC, w.gone LIMIT 1) WHERE id IN (SELECT kept FROM vsphere_twice) AND {} < (SELECT \
             MAX(w.exact) FROM vsphere_twice w WHERE w.kept = vsphere_task.id)",
            exact("vsphere_task")
        ),
        "UPDATE vsphere_task SET seen_at = (SELECT MIN(w.seen_at) FROM vsphere_twice w WHERE w.kept = vsphere_task.id) \
         WHERE id IN (SELECT kept FROM vsphere_twice) AND seen_at > (SELECT MIN(w.seen_at) FROM vsphere_twice w WHERE \
         w.kept = vsphere_task.id)"
            .to_owned(),
        "DELETE FROM vsphere_twice".to_owned(),
    ];
    while db.execute_unprepared(&next).await?.rows_affected() > 0 {
        for step in &steps {
            db.execute_unprepared(step).await?;
        }
    }
    manager.drop_table(Table::drop().table("vsphere_twice").to_owned()).await
}

/// Whether `one` is the same task as `other` and says more.
fn is_better(one: &str, other: &str) -> String {
    let (more, less) = (score(one), score(other));
    format!(
        "{one}.instance_id = {other}.instance_id AND {one}.key = {other}.key AND {one}.queued_at > {other}.queued_at - \
         1000000 AND {one}.queued_at < {other}.queued_at + 1000000 AND ({more} > {less} OR ({more} = {less} AND {one}.id < \
         {other}.id))"
    )
}

/// How much a row says: an end more than a beginning, a guess of ours least; then how exactly.
fn score(row: &str) -> String {
    format!(
        "(CASE WHEN {row}.is_lost THEN 0 WHEN {row}.state = 'QUEUED' THEN 10 WHEN {row}.state = 'RUNNING' THEN 20 ELSE 30 \
         END + {})",
        exact(row)
    )
}

/// How exactly an instant is told: to the second, to the millisecond (either with an error of rounding), or better.
fn exact(row: &str) -> String {
    format!(
        "(CASE WHEN ABS({row}.queued_at % 1000000) = 0 THEN 1 WHEN ABS({row}.queued_at % 1000000) IN (1, 999999) THEN 0 \
         WHEN ABS({row}.queued_at % 1000) = 0 THEN 3 WHEN ABS({row}.queued_at % 1000) IN (1, 999) THEN 2 ELSE 4 END)"
    )
}
