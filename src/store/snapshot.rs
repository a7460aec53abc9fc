//! Tasks with their subtasks, as decisions need them. A decision that will be written locks its task first: on
//! PostgreSQL the task's row, on SQLite the one writer is the lock.

use std::collections::HashMap;
use std::time::Duration;

use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ConnectionTrait, DbBackend, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use taskloom_core::principal::Scope;
use taskloom_entity::{
    AttemptId, JsonText, OnLost, Operation, SubtaskId, SubtaskState, TaskId, TaskState, TenantId, Timestamp, subtask,
    task,
};

use super::{Tx, bulk, scope};
use crate::error::{Error, Result};
use crate::task::{Snapshot, SubtaskFacts, TaskFacts};

#[derive(DerivePartialModel)]
#[sea_orm(entity = "task::Entity")]
struct SnapshotTaskRow {
    id: TaskId,
    tenant_id: TenantId,
    state: TaskState,
    operation: Operation,
    backward: bool,
    prohibit_rollback: bool,
    progress: f64,
    message: Option<String>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

#[derive(DerivePartialModel)]
#[sea_orm(entity = "subtask::Entity")]
struct SnapshotSubtaskRow {
    id: SubtaskId,
    task_id: TaskId,
    name: String,
    needs: JsonText,
    requires: String,
    weight: f64,
    max_tries: i32,
    backoff_ms: i64,
    on_lost: OnLost,
    prohibit_rollback: bool,
    state: SubtaskState,
    operation: Operation,
    held: bool,
    progress: f64,
    runs: i32,
    tries: i32,
    epoch: i64,
    attempt_id: Option<AttemptId>,
    not_before: Option<Timestamp>,
    #[sea_orm(from_expr = "Expr::cust(\"outputs <> '{}'\")")]
    has_outputs: bool,
    message: Option<String>,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

/// Whose turn it is when a task is locked by somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Wait for the lock.
    Yes,
    /// Leave that task out.
    No,
}

/// Locks one task and loads it; none when it does not exist.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(tx: &Tx, id: TaskId) -> Result<Option<Snapshot>> {
    Ok(lock_many(tx, &[id], LockWait::Yes).await?.pop())
}

/// Locks these tasks, in the order of their ids so that no two lockers wait for each other, and loads them.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_many(tx: &Tx, ids: &[TaskId], wait: LockWait) -> Result<Vec<Snapshot>> {
    let mut query = find(tx, ids);
    // On SQLite the transaction is IMMEDIATE: nobody else writes. (`SKIP LOCKED` would be left out there silently.)
    if tx.get_database_backend() == DbBackend::Postgres {
        query = match wait {
            LockWait::Yes => query.lock(LockType::Update),
            LockWait::No => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
        };
    }
    assemble(tx, query.into_partial_model::<SnapshotTaskRow>().all(tx).await?).await
}

/// Loads those of these tasks that are in the scope, without locking, for reading.
///
/// # Errors
/// When the database does not answer.
pub async fn load(conn: &impl ConnectionTrait, scope: &Scope, ids: &[TaskId]) -> Result<Vec<Snapshot>> {
    let query = find(conn, ids).filter(scope::of_found(scope, task::Column::TenantId));
    assemble(conn, query.into_partial_model::<SnapshotTaskRow>().all(conn).await?).await
}

/// The same, unless they have more than so many subtasks together.
///
/// # Errors
/// When the database does not answer.
pub async fn load_few(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[TaskId],
    most: u64,
) -> Result<Option<Vec<Snapshot>>> {
    let is_more = super::subtask::count(conn, scope, ids).await? > most;
    if is_more { Ok(None) } else { load(conn, scope, ids).await.map(Some) }
}

fn find(conn: &impl ConnectionTrait, ids: &[TaskId]) -> Select<task::Entity> {
    let these = bulk::among(conn.get_database_backend(), task::Column::Id, ids.iter().map(|id| id.0));
    task::Entity::find().filter(these).order_by_asc(task::Column::Id)
}

async fn assemble(conn: &impl ConnectionTrait, tasks: Vec<SnapshotTaskRow>) -> Result<Vec<Snapshot>> {
    if tasks.is_empty() {
        return Ok(vec![]);
    }
    let of_these =
        bulk::among(conn.get_database_backend(), subtask::Column::TaskId, tasks.iter().map(|task| task.id.0));
    let rows = subtask::Entity::find()
        .filter(of_these)
        .order_by_asc(subtask::Column::TaskId)
        .order_by_asc(subtask::Column::Seq)
        .into_partial_model::<SnapshotSubtaskRow>()
        .all(conn)
        .await?;
    let mut by_task: HashMap<TaskId, Vec<SubtaskFacts>> = HashMap::with_capacity(tasks.len());
    for row in rows {
        by_task.entry(row.task_id).or_default().push(row.facts()?);
    }
    Ok(tasks
        .into_iter()
        .map(|row| Snapshot { subtasks: by_task.remove(&row.id).unwrap_or_default(), task: row.facts() })
        .collect())
}

impl SnapshotTaskRow {
    fn facts(self) -> TaskFacts {
        TaskFacts {
            id: self.id,
            tenant_id: self.tenant_id,
            state: self.state,
            operation: self.operation,
            backward: self.backward,
            prohibit_rollback: self.prohibit_rollback,
            progress: self.progress,
            message: self.message,
            started_at: self.started_at,
            finished_at: self.finished_at,
        }
    }
}

impl SnapshotSubtaskRow {
    fn facts(self) -> Result<SubtaskFacts> {
        Ok(SubtaskFacts {
            id: self.id,
            name: self.name,
            needs: needs(&self.needs)?,
            requires: self.requires,
            weight: self.weight,
            max_tries: self.max_tries,
            backoff: Duration::from_millis(self.backoff_ms.unsigned_abs()),
            on_lost: self.on_lost,
            prohibit_rollback: self.prohibit_rollback,
            state: self.state,
            operation: self.operation,
            held: self.held,
            progress: self.progress,
            runs: self.runs,
            tries: self.tries,
            epoch: self.epoch,
            attempt_id: self.attempt_id,
            not_before: self.not_before,
            has_outputs: self.has_outputs,
            message: self.message,
            started_at: self.started_at,
            finished_at: self.finished_at,
        })
    }
}

/// The `seq` of a subtask's upstreams.
///
/// # Errors
/// `INTERNAL` when the row was damaged.
pub fn needs(text: &JsonText) -> Result<Vec<usize>> {
    if text.as_str() == "[]" {
        return Ok(vec![]);
    }
    text.parse().map_err(Error::internal)
}
