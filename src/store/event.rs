//! The event log. Its numbers ascend in the order of commits, so a reader that goes by number misses nothing: on
//! SQLite there is one writer; on PostgreSQL a writer takes its numbers under a lock that lasts until its commit.

use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};
use taskloom_entity::{
    AttemptId, EventId, EventKind, Operation, SubtaskId, SubtaskState, TaskId, TaskState, TenantId, Timestamp,
    task_event,
};

use super::Tx;
use super::bulk::BulkRows;
use super::change::run_all;
use super::listen::PROCESS;
use super::page::{Page, Slice};
use super::readable;
use crate::error::Result;

/// The channel that is notified of new events.
pub const CHANNEL: &str = "taskloom_event";

/// An event before it has its number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which task.
    pub task_id: TaskId,
    /// Of which subtask.
    pub subtask_id: Option<SubtaskId>,
    /// Of which attempt.
    pub attempt_id: Option<AttemptId>,
    /// What it tells.
    pub kind: EventKind,
    /// The state of the task before; none: it begins with this.
    pub from_state: Option<TaskState>,
    /// The task's new state.
    pub task_state: Option<TaskState>,
    /// The subtask's new state.
    pub subtask_state: Option<SubtaskState>,
    /// The operation by then.
    pub operation: Option<Operation>,
    /// The progress by then.
    pub progress: Option<f64>,
    /// Why.
    pub message: Option<String>,
    /// Who asked.
    pub actor: Option<String>,
}

/// Appends events. The last write of its transaction: on PostgreSQL everybody who appends waits for its commit.
///
/// # Errors
/// When the database does not answer.
pub async fn append(tx: &Tx, events: Vec<NewEvent>) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut rows = BulkRows::default();
    for (order, event) in (0_i32..).zip(events) {
        rows.push(row(event, order));
    }
    let sql = "INSERT INTO task_event (at, tenant_id, task_id, subtask_id, attempt_id, kind, task_state, subtask_state, \
               operation, progress, message, actor, from_state) SELECT v.column1, v.column2, v.column3, v.column4, v.column5, \
               v.column6, v.column7, v.column8, v.column9, v.column10, v.column11, v.column12, v.column13 FROM ";
    let backend = tx.get_database_backend();
    // A row gets its number behind the join and the sort, so after the lock.
    let lock = match backend {
        DbBackend::Postgres => format!(
            "CROSS JOIN (SELECT pg_advisory_xact_lock(7305804403), pg_notify('{CHANNEL}', '{}') OFFSET 0) AS lock ",
            *PROCESS
        ),
        _ => String::new(),
    };
    let condition = format!("{lock}WHERE v.column1 IS NOT NULL ORDER BY v.column14");
    run_all(tx, rows.statements(backend, sql, &condition)).await
}

fn row(event: NewEvent, order: i32) -> [Value; 14] {
    [
        event.at.0.into(),
        event.tenant_id.0.into(),
        event.task_id.0.into(),
        event.subtask_id.map(|id| id.0).into(),
        event.attempt_id.map(|id| id.0).into(),
        event.kind.name().into(),
        event.task_state.map(TaskState::name).into(),
        event.subtask_state.map(SubtaskState::name).into(),
        event.operation.map(Operation::name).into(),
        event.progress.into(),
        event.message.into(),
        event.actor.into(),
        event.from_state.map(TaskState::name).into(),
        order.into(),
    ]
}

/// The events behind `after`, oldest first, `limit` at the most.
///
/// # Errors
/// When the database does not answer.
pub async fn after(conn: &impl ConnectionTrait, after: EventId, limit: u64) -> Result<Vec<task_event::Model>> {
    let query = task_event::Entity::find().filter(task_event::Column::Id.gt(after));
    readable(conn, query.order_by_asc(task_event::Column::Id).limit(limit), task_event::Column::Id).await
}

/// The event of this number, whoever asks.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, id: EventId) -> Result<Option<task_event::Model>> {
    Ok(task_event::Entity::find_by_id(id).one(conn).await?)
}

/// A page of the events of one task, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn page(conn: &impl ConnectionTrait, task_id: TaskId, page: Page) -> Result<Slice<task_event::Model>> {
    let of_task = task_event::Entity::find().filter(task_event::Column::TaskId.eq(task_id));
    page.oldest_first(of_task, task_event::Column::Id).all(conn).await
}

/// The events of one task behind `after`, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_task(
    conn: &impl ConnectionTrait,
    task_id: TaskId,
    after: EventId,
    limit: u64,
) -> Result<Vec<task_event::Model>> {
    let of_task = task_event::Column::TaskId.eq(task_id);
    let query = task_event::Entity::find().filter(of_task).filter(task_event::Column::Id.gt(after));
    readable(conn, query.order_by_asc(task_event::Column::Id).limit(limit), task_event::Column::Id).await
}

/// Whether something is told of a task at just this instant.
///
/// # Errors
/// When the database does not answer.
pub async fn is_told(conn: &impl ConnectionTrait, task_id: TaskId, at: Timestamp) -> Result<bool> {
    let of_task = task_event::Entity::find().filter(task_event::Column::TaskId.eq(task_id));
    Ok(of_task.filter(task_event::Column::At.eq(at)).limit(1).one(conn).await?.is_some())
}

/// The newest event of one task among these kinds.
///
/// # Errors
/// When the database does not answer.
pub async fn last_of_task(
    conn: &impl ConnectionTrait,
    task_id: TaskId,
    kinds: &[EventKind],
) -> Result<Option<task_event::Model>> {
    let of_task = task_event::Column::TaskId.eq(task_id);
    let query = task_event::Entity::find().filter(of_task);
    let query = query.filter(task_event::Column::Kind.is_in(kinds.iter().copied()));
    Ok(query.order_by_desc(task_event::Column::Id).limit(1).one(conn).await?)
}

/// The number of the newest event; 0 when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(conn: &impl ConnectionTrait) -> Result<EventId> {
    let newest = task_event::Entity::find().select_only().column(task_event::Column::Id);
    let newest = newest.order_by_desc(task_event::Column::Id).limit(1);
    Ok(newest.into_tuple().one(conn).await?.unwrap_or(EventId(0)))
}
