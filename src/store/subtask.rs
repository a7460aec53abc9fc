//! Subtasks, found and listed. Their states are written by [`super::change`] alone.

use futures::TryStreamExt as _;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, SelectModel, Selector, StreamTrait,
};
use taskloom_core::principal::Scope;
use taskloom_entity::{
    AttemptId, ExecutorKind, JsonText, Operation, SubtaskId, SubtaskState, TaskId, Timestamp, subtask, task,
};

use super::row::row;
use super::{bulk, scope};
use crate::error::Result;

row! {
    /// A subtask as it is shown. What it runs and what it has put out may be long: [`super::wide`] has them.
    SubtaskRow of subtask {
        /// Its number.
        id: SubtaskId = Id,
        /// Its task.
        task_id: TaskId = TaskId,
        /// From 0 in topological order.
        seq: i32 = Seq,
        /// Unique within its task.
        name: String = Name,
        /// For people.
        description: String = Description,
        /// What runs it.
        executor: ExecutorKind = Executor,
        /// The `seq` of its upstreams.
        needs: JsonText = Needs,
        /// Labels a worker must have, sorted, joined by commas; empty: any.
        requires: String = Requires,
        /// Where it stands.
        state: SubtaskState = State,
        /// What it is, or was last, doing.
        operation: Operation = Operation,
        /// 0 to 1.
        progress: f64 = Progress,
        /// Its share of the task's progress.
        weight: f64 = Weight,
        /// Attempts begun, ever.
        runs: i32 = Runs,
        /// Once it has run, the task cannot be rolled back.
        prohibit_rollback: bool = ProhibitRollback,
        /// The running attempt, else the last one.
        attempt_id: Option<AttemptId> = AttemptId,
        /// Back-off.
        not_before: Option<Timestamp> = NotBefore,
        /// Why it failed.
        message: Option<String> = Message,
        /// How many lines its log has had.
        log_lines: i64 = LogLines,
        /// How many bytes.
        log_bytes: i64 = LogBytes,
        /// When its latest attempt began.
        started_at: Option<Timestamp> = StartedAt,
        /// When that ended.
        finished_at: Option<Timestamp> = FinishedAt,
    }
}

row! {
    /// A subtask in a list of an old client.
    SubtaskBrief of subtask {
        /// Its number.
        id: SubtaskId = Id,
        /// Its task.
        task_id: TaskId = TaskId,
        /// Unique within its task.
        name: String = Name,
        /// For people.
        description: String = Description,
        /// Where it stands.
        state: SubtaskState = State,
        /// What it is, or was last, doing.
        operation: Operation = Operation,
    }
}

/// A subtask whose task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, scope: &Scope, id: SubtaskId) -> Result<Option<SubtaskRow>> {
    Ok(SubtaskRow::of(within(subtask::Entity::find_by_id(id), scope)).one(conn).await?)
}

/// Those whose task is in the scope.
pub(super) fn within(found: Select<subtask::Entity>, scope: &Scope) -> Select<subtask::Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_task = subtask::Entity::belongs_to(task::Entity).from(subtask::Column::TaskId).to(task::Column::Id);
    found.join(JoinType::InnerJoin, its_task.into()).filter(scope::of_found(scope, task::Column::TenantId))
}

/// Those of these ids whose task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, scope: &Scope, ids: &[SubtaskId]) -> Result<Vec<SubtaskRow>> {
    let these = bulk::among(conn.get_database_backend(), subtask::Column::Id, ids.iter().map(|id| id.0));
    Ok(SubtaskRow::of(within(subtask::Entity::find().filter(these), scope)).all(conn).await?)
}

/// The subtasks of those of these tasks that are in the scope, each task's in the order of `seq`.
///
/// # Errors
/// When the database does not answer.
pub async fn of_tasks(
    conn: &(impl ConnectionTrait + StreamTrait),
    scope: &Scope,
    tasks: &[TaskId],
) -> Result<Vec<SubtaskRow>> {
    gather(SubtaskRow::of(in_order(conn, scope, tasks)), conn).await
}

/// The same, unless there are more than so many together.
///
/// # Errors
/// When the database does not answer.
pub async fn few_of_tasks(
    conn: &(impl ConnectionTrait + StreamTrait),
    scope: &Scope,
    tasks: &[TaskId],
    most: usize,
) -> Result<Option<Vec<SubtaskRow>>> {
    let rows = gather(SubtaskRow::of(in_order(conn, scope, tasks).limit(most as u64 + 1)), conn).await?;
    Ok(Some(rows).filter(|rows| rows.len() <= most))
}

/// The same as lists of old clients show them.
///
/// # Errors
/// When the database does not answer.
pub async fn briefs(
    conn: &(impl ConnectionTrait + StreamTrait),
    scope: &Scope,
    tasks: &[TaskId],
) -> Result<Vec<SubtaskBrief>> {
    gather(SubtaskBrief::of(in_order(conn, scope, tasks)), conn).await
}

/// Rows that are read without a pause, less than a millisecond of work.
const STRETCH: usize = 50;

/// Reads row by row: a row as SQLite's driver has it is ten times as large as what is made of it.
async fn gather<M: FromQueryResult + Send>(
    found: Selector<SelectModel<M>>,
    conn: &(impl ConnectionTrait + StreamTrait),
) -> Result<Vec<M>> {
    let mut rows = found.stream(conn).await?;
    let mut gathered = vec![];
    while let Some(row) = rows.try_next().await? {
        gathered.push(row);
        // Others want the thread, too.
        if gathered.len().is_multiple_of(STRETCH) {
            tokio::task::yield_now().await;
        }
    }
    Ok(gathered)
}

/// How many subtasks these tasks have together.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, tasks: &[TaskId]) -> Result<u64> {
    Ok(of(conn, scope, tasks).count(conn).await?)
}

/// How many subtasks of these tasks stand where.
///
/// # Errors
/// When the database does not answer.
pub async fn totals(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    tasks: &[TaskId],
) -> Result<Vec<(TaskId, SubtaskState, i64)>> {
    let grouped = of(conn, scope, tasks).select_only().columns([subtask::Column::TaskId, subtask::Column::State]);
    let counted = grouped.column_as(ColumnTrait::count(&subtask::Column::Id), "count");
    let grouped = counted.group_by(subtask::Column::TaskId).group_by(subtask::Column::State);
    Ok(grouped.into_tuple().all(conn).await?)
}

fn in_order(conn: &impl ConnectionTrait, scope: &Scope, tasks: &[TaskId]) -> Select<subtask::Entity> {
    of(conn, scope, tasks).order_by_asc(subtask::Column::TaskId).order_by_asc(subtask::Column::Seq)
}

fn of(conn: &impl ConnectionTrait, scope: &Scope, tasks: &[TaskId]) -> Select<subtask::Entity> {
    let of_these = bulk::among(conn.get_database_backend(), subtask::Column::TaskId, tasks.iter().map(|id| id.0));
    within(subtask::Entity::find().filter(of_these), scope)
}
