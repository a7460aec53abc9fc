//! Removal in bites: each a transaction that is over in a moment, so that others write between two of them.
//!
//! What is gone for everybody while some of it is still kept has a row in `removal` until the last bite. A round of
//! removals belongs to one process: on PostgreSQL by a lock that ends with its connection, also when the process is
//! frozen; on SQLite there is one process.

use std::borrow::Cow;

use sea_orm::sea_query::{Expr, Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait, FromQueryResult, QueryFilter,
    Statement, TransactionTrait, Value,
};
use taskloom_entity::{SubtaskId, TaskId, Timestamp, VcenterId, attempt, vcenter};
use tokio::sync::OwnedMutexGuard;

use super::{Store, Tx, result};
use crate::error::Result;

macro_rules! bite {
    () => {
        2000
    };
}

/// Rows of one bite.
pub const BITE: u64 = bite!();
/// Bytes of logs and results of one bite, about.
pub const BYTES: i64 = 16 * 1024 * 1024;
/// Subtasks of one bite.
const SUBTASKS: usize = 100;

const TASK: &str = "TASK";
const VCENTER: &str = "VCENTER";

const SESSIONS: &str = concat!(
    "DELETE FROM session WHERE digest IN (SELECT digest FROM session WHERE expires_at <= $1 ORDER BY expires_at LIMIT ",
    bite!(),
    ")"
);
const WORKERS: &str = concat!(
    "DELETE FROM worker WHERE id IN (SELECT id FROM worker WHERE ended_at < $1 ORDER BY ended_at LIMIT ",
    bite!(),
    ")"
);
const ENDED_TASKS: &str = concat!(
    "DELETE FROM vsphere_task WHERE id IN (SELECT id FROM vsphere_task WHERE vcenter_id = $1 AND completed_at < $2 ORDER \
     BY completed_at LIMIT ",
    bite!(),
    ")"
);
/// They have no end there.
const LOST_TASKS: &str = concat!(
    "DELETE FROM vsphere_task WHERE id IN (SELECT id FROM vsphere_task WHERE vcenter_id = $1 AND is_lost AND changed_at < \
     $2 ORDER BY changed_at LIMIT ",
    bite!(),
    ")"
);
const ITS_TASKS: &str = concat!(
    "DELETE FROM vsphere_task WHERE id IN (SELECT id FROM vsphere_task WHERE vcenter_id = $1 ORDER BY queued_at, id LIMIT ",
    bite!(),
    ")"
);
const ITS_OBJECTS: &str = concat!(
    "DELETE FROM vsphere_object WHERE id IN (SELECT id FROM vsphere_object WHERE vcenter_id = $1 ORDER BY reference LIMIT ",
    bite!(),
    ")"
);
const ITS_LABELS: &str = concat!(
    "DELETE FROM vsphere_label WHERE vcenter_id = $1 AND (locale, description_id) IN (SELECT locale, description_id FROM \
     vsphere_label WHERE vcenter_id = $1 ORDER BY locale, description_id LIMIT ",
    bite!(),
    ")"
);
const ITS_EVENTS: &str = "DELETE FROM vsphere_event WHERE id > $1 AND id <= $2 AND vcenter_id = $3";

/// What bites say to the database; each goes by an index, however long its table is.
pub const STATEMENTS: [&str; 8] =
    [SESSIONS, WORKERS, ENDED_TASKS, LOST_TASKS, ITS_TASKS, ITS_OBJECTS, ITS_LABELS, ITS_EVENTS];

/// The right to remove, for as long as it is held.
#[derive(Debug)]
pub struct RemovalRound {
    lock: Option<DatabaseTransaction>,
    _in_process: OwnedMutexGuard<()>,
}

impl RemovalRound {
    /// Takes the right; none: somebody else has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin(store: &Store) -> Result<Option<Self>> {
        let Ok(in_process) = store.removing.clone().try_lock_owned() else { return Ok(None) };
        if store.backend() != DbBackend::Postgres {
            return Ok(Some(Self { lock: None, _in_process: in_process }));
        }
        let lock = store.lease().begin().await?;
        let sql = "SELECT pg_try_advisory_xact_lock(7305804405) AS is_ours";
        let row = lock.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        let is_ours = row.map_or(Ok(false), |row| row.try_get("", "is_ours"))?;
        Ok(is_ours.then_some(Self { lock: Some(lock), _in_process: in_process }))
    }

    /// Makes sure that it is still held. Between two calls no more than a few seconds may go by: the database takes a
    /// transaction that is idle for longer for that of a frozen process.
    ///
    /// # Errors
    /// When it is not.
    pub async fn hold(&self) -> Result<()> {
        if let Some(lock) = &self.lock {
            lock.execute_unprepared("SELECT 1").await?;
        }
        Ok(())
    }
}

/// What is removed bite by bite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removable {
    /// Events of tasks from before.
    Events(Timestamp),
    /// Events of vCenters' tasks from before.
    VsphereEvents(Timestamp),
    /// Who did what before.
    Audit(Timestamp),
    /// Sessions that ended before.
    Sessions(Timestamp),
    /// Lives of workers that ended before.
    Workers(Timestamp),
    /// Result sets that were made before.
    ResultSets(Timestamp),
    /// Tasks of a vCenter that ended before.
    VsphereTasks(VcenterId, Timestamp),
    /// What is still kept of something that was deleted.
    Deleted(RemovalRest),
}

impl Removable {
    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events(_) => "events",
            Self::VsphereEvents(_) => "vsphere_events",
            Self::Audit(_) => "audit",
            Self::Sessions(_) => "sessions",
            Self::Workers(_) => "workers",
            Self::ResultSets(_) => "result_sets",
            Self::VsphereTasks(..) => "vsphere_tasks",
            Self::Deleted(_) => "deleted",
        }
    }
}

/// Removes the next bite, the oldest first; how many rows. `after` is 0 at first, and moves on with the bites. None: there
/// are no more.
///
/// # Errors
/// When the database does not answer.
pub async fn bite(tx: &Tx, old: Removable, after: &mut i64) -> Result<u64> {
    match old {
        Removable::Events(until) => log(tx, "task_event", until, after).await,
        Removable::VsphereEvents(until) => log(tx, "vsphere_event", until, after).await,
        Removable::Audit(until) => log(tx, "audit", until, after).await,
        Removable::Sessions(now) => run(tx, SESSIONS, [now.0.into()]).await,
        Removable::Workers(until) => run(tx, WORKERS, [until.0.into()]).await,
        Removable::ResultSets(until) => result::bite_before(tx, until, &mut RemovalRoom::default()).await,
        Removable::VsphereTasks(vcenter, until) => vsphere_tasks(tx, vcenter, until).await,
        Removable::Deleted(rest) => deleted(tx, rest, after).await,
    }
}

#[derive(FromQueryResult)]
struct Last {
    last: Option<i64>,
}

/// A bite's statement as this database is to have it. PostgreSQL may join the keys by a walk over the whole table; of an
/// array it looks each up.
#[must_use]
pub fn bite_for(backend: DbBackend, sql: &str) -> Cow<'_, str> {
    match sql.split_once(" WHERE id IN (SELECT ") {
        Some((table, keys)) if backend == DbBackend::Postgres => {
            format!("{table} WHERE id = ANY(ARRAY(SELECT {keys})").into()
        }
        _ => sql.into(),
    }
}

async fn run(tx: &Tx, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64> {
    let backend = tx.get_database_backend();
    let statement = Statement::from_sql_and_values(backend, bite_for(backend, sql), values);
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

/// The last of the next [`BITE`] keys behind `after`.
async fn stretch(tx: &Tx, table: &str, after: i64) -> Result<Option<i64>> {
    let sql =
        format!("SELECT MAX(id) AS last FROM (SELECT id FROM {table} WHERE id > $1 ORDER BY id LIMIT {BITE}) AS keys");
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, [after.into()]);
    Ok(Last::find_by_statement(statement).one(tx).await?.and_then(|row| row.last))
}

/// Keys ascend with instants. Clocks of servers differ, so a younger row among older ones stays where it is.
async fn log(tx: &Tx, table: &str, until: Timestamp, after: &mut i64) -> Result<u64> {
    let Some(last) = stretch(tx, table, *after).await? else { return Ok(0) };
    let sql = format!("DELETE FROM {table} WHERE id > $1 AND id <= $2 AND at < $3");
    let removed = run(tx, &sql, [(*after).into(), last.into(), until.0.into()]).await?;
    *after = last;
    Ok(removed)
}

async fn vsphere_tasks(tx: &Tx, vcenter: VcenterId, until: Timestamp) -> Result<u64> {
    // Events go by their own age.
    let removed = run(tx, ENDED_TASKS, [vcenter.0.into(), until.0.into()]).await?;
    if removed > 0 { Ok(removed) } else { run(tx, LOST_TASKS, [vcenter.0.into(), until.0.into()]).await }
}

/// Something that is gone for everybody, and of which some is still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalRest {
    /// Attempts of a deleted task, with their logs and results.
    Task(TaskId),
    /// A deleted vCenter with its history.
    Vcenter(VcenterId),
}

impl RemovalRest {
    const fn row(self) -> (&'static str, i64) {
        match self {
            Self::Task(id) => (TASK, id.0),
            Self::Vcenter(id) => (VCENTER, id.0),
        }
    }
}

#[derive(FromQueryResult)]
struct RestRow {
    kind: String,
    key: i64,
}

/// Notes that something is gone, in the transaction in which it goes.
///
/// # Errors
/// When the database does not answer.
pub async fn note(tx: &Tx, rest: RemovalRest) -> Result<()> {
    let (kind, key) = rest.row();
    run(tx, "INSERT INTO removal (kind, key) VALUES ($1, $2)", [kind.into(), key.into()]).await?;
    Ok(())
}

/// Everything of which some is still kept, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn rests(conn: &impl ConnectionTrait) -> Result<Vec<RemovalRest>> {
    let sql = format!("SELECT kind, key FROM removal ORDER BY id LIMIT {BITE}");
    let rows = RestRow::find_by_statement(Statement::from_string(conn.get_database_backend(), sql)).all(conn).await?;
    let rest = |row: RestRow| match row.kind.as_str() {
        TASK => RemovalRest::Task(TaskId(row.key)),
        _ => RemovalRest::Vcenter(VcenterId(row.key)),
    };
    Ok(rows.into_iter().map(rest).collect())
}

/// Whether the vCenter that `column` names has not been deleted.
pub fn is_there(column: impl ColumnTrait) -> SimpleExpr {
    let gone = Query::select().column("key").from("removal").and_where(Expr::col("kind").eq(VCENTER)).to_owned();
    Expr::col((column.entity_name(), column)).not_in_subquery(gone)
}

/// With the last of it goes the note.
async fn deleted(tx: &Tx, rest: RemovalRest, after: &mut i64) -> Result<u64> {
    let removed = match rest {
        RemovalRest::Task(id) => of_task(tx, id).await?,
        RemovalRest::Vcenter(id) => of_vcenter(tx, id, after).await?,
    };
    if removed == 0 {
        let (kind, key) = rest.row();
        run(tx, "DELETE FROM removal WHERE kind = $1 AND key = $2", [kind.into(), key.into()]).await?;
    }
    Ok(removed)
}

/// Attempts say which subtasks a deleted task had: they go last.
async fn of_task(tx: &Tx, id: TaskId) -> Result<u64> {
    let mut room = RemovalRoom::default();
    let mut removed = 0;
    for _ in 0..SUBTASKS {
        let sql = "SELECT subtask_id AS last FROM attempt WHERE task_id = $1 ORDER BY id LIMIT 1";
        let first = Statement::from_sql_and_values(tx.get_database_backend(), sql, [id.0.into()]);
        let Some(subtask) = Last::find_by_statement(first).one(tx).await?.and_then(|row| row.last) else { break };
        removed += logs(tx, SubtaskId(subtask), &mut room).await?;
        removed += result::bite_of(tx, SubtaskId(subtask), &mut room).await?;
        if room.is_full() {
            break;
        }
        let attempts = attempt::Column::SubtaskId.eq(subtask);
        let attempts = attempt::Entity::delete_many().filter(attempts).exec(tx).await?.rows_affected;
        room.take(attempts, 0);
        removed += attempts;
    }
    Ok(removed)
}

/// What a bite has room for.
#[derive(Clone, Copy, Debug)]
pub struct RemovalRoom {
    /// Rows.
    pub rows: u64,
    /// Of logs and results.
    pub bytes: i64,
}

impl Default for RemovalRoom {
    fn default() -> Self {
        Self { rows: BITE, bytes: BYTES }
    }
}

impl RemovalRoom {
    /// Takes some of it.
    pub fn take(&mut self, rows: u64, bytes: i64) {
        self.rows = self.rows.saturating_sub(rows);
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows == 0 || self.bytes <= 0
    }

    /// Of these sizes, in this order, those that it has room for; the first is always among them.
    #[must_use]
    pub fn first_of<T>(&mut self, sizes: Vec<(T, i64)>) -> Vec<T> {
        let mut first = vec![];
        for (row, bytes) in sizes {
            if !first.is_empty() && self.is_full() {
                break;
            }
            self.take(1, bytes);
            first.push(row);
        }
        first
    }
}

#[derive(FromQueryResult)]
struct ChunkSizeRow {
    place: i64,
    bytes: i32,
}

/// Removes the next of the rows of `table` whose `of` is `key`, in the order of `place`; how many.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn chunks(
    tx: &Tx,
    (table, of, place): (&str, &str, &str),
    key: i64,
    room: &mut RemovalRoom,
) -> Result<u64> {
    let sql = format!("SELECT {place} AS place, bytes FROM {table} WHERE {of} = $1 ORDER BY {place} LIMIT $2");
    let values = [key.into(), room.rows.cast_signed().into()];
    let sizes = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let sizes = ChunkSizeRow::find_by_statement(sizes).all(tx).await?;
    let first = room.first_of(sizes.into_iter().map(|size| (size.place, i64::from(size.bytes))).collect());
    let Some(last) = first.last() else { return Ok(0) };
    let sql = format!("DELETE FROM {table} WHERE {of} = $1 AND {place} <= $2");
    run(tx, &sql, [key.into(), (*last).into()]).await
}

async fn logs(tx: &Tx, subtask: SubtaskId, room: &mut RemovalRoom) -> Result<u64> {
    chunks(tx, ("log_chunk", "subtask_id", "first_line"), subtask.0, room).await
}

/// What is seen most goes first, and what says that it is gone last.
async fn of_vcenter(tx: &Tx, id: VcenterId, after: &mut i64) -> Result<u64> {
    for sql in [ITS_TASKS, ITS_OBJECTS, ITS_LABELS] {
        let removed = run(tx, sql, [id.0.into()]).await?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    // Events are found by their own numbers alone: each bite looks through the next of them.
    if let Some(last) = stretch(tx, "vsphere_event", *after).await? {
        let removed = run(tx, ITS_EVENTS, [(*after).into(), last.into(), id.0.into()]).await?;
        *after = last;
        // Also where none was its: there may be more.
        return Ok(std::cmp::max(removed, 1));
    }
    vcenter::Entity::delete_by_id(id).exec(tx).await?;
    Ok(0)
}
