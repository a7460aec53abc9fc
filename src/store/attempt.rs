//! Attempts: begun by a claim, ended by an outcome, each once.

use std::collections::HashMap;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect, Select,
    Statement, Value,
};
use taskloom_core::principal::Scope;
use taskloom_entity::{
    AttemptId, AttemptState, JsonText, Operation, SubtaskId, TaskId, Timestamp, attempt, subtask, task,
};

use super::bulk::{self, BulkRows};
use super::change::run_all;
use super::{Tx, scope};
use crate::error::Result;

/// An attempt that begins.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Of this subtask.
    pub subtask_id: SubtaskId,
    /// Of its task.
    pub task_id: TaskId,
    /// From 1 within the subtask.
    pub number: i32,
    /// Doing what.
    pub operation: Operation,
    /// By this worker.
    pub worker_id: String,
    /// Under this epoch.
    pub epoch: i64,
    /// Since when.
    pub started_at: Timestamp,
}

/// Where an attempt has been put.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct PlacedAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Where its log begins in its subtask's.
    pub first_line: i64,
    subtask_id: SubtaskId,
}

/// Inserts attempts; says which one each subtask has.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(tx: &Tx, attempts: &[Begun]) -> Result<HashMap<SubtaskId, PlacedAttempt>> {
    let mut rows = BulkRows::default();
    for begun in attempts {
        rows.push([
            begun.subtask_id.0.into(),
            begun.task_id.0.into(),
            begun.number.into(),
            begun.operation.name().into(),
            begun.worker_id.clone().into(),
            begun.epoch.into(),
            begun.started_at.0.into(),
        ]);
    }
    let sql = "INSERT INTO attempt (subtask_id, task_id, number, operation, worker_id, epoch, started_at, state, first_line) \
               SELECT v.column1, v.column2, v.column3, v.column4, v.column5, v.column6, v.column7, 'RUNNING', \
               (SELECT log_lines + 1 FROM subtask WHERE subtask.id = v.column1) FROM ";
    let end = "WHERE v.column1 IS NOT NULL RETURNING id, subtask_id, first_line";
    let mut all = HashMap::with_capacity(attempts.len());
    for statement in rows.statements(tx.get_database_backend(), sql, end) {
        let placed = PlacedAttempt::find_by_statement(statement).all(tx).await?;
        all.extend(placed.into_iter().map(|row| (row.subtask_id, row)));
    }
    Ok(all)
}

/// What an attempt used of its host.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Used {
    /// Seconds of CPU.
    pub cpu_seconds: Option<f64>,
    /// Bytes, last seen.
    pub memory_bytes: Option<i64>,
    /// Bytes at most.
    pub peak_memory_bytes: Option<i64>,
    /// Processes at most.
    pub processes: Option<i32>,
}

/// An attempt that ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Which.
    pub id: AttemptId,
    /// How.
    pub state: AttemptState,
    /// When.
    pub at: Timestamp,
    /// The exit status of its process.
    pub exit_code: Option<i32>,
    /// Why.
    pub message: Option<String>,
    /// What it used.
    pub used: Used,
}

/// Records the ends of attempts that still run.
///
/// # Errors
/// When the database does not answer.
pub async fn end(tx: &Tx, attempts: &[Ended]) -> Result<()> {
    let mut rows = BulkRows::default();
    for ended in attempts {
        rows.push([
            ended.id.0.into(),
            ended.state.name().into(),
            ended.at.0.into(),
            ended.exit_code.into(),
            ended.message.clone().into(),
            ended.used.cpu_seconds.into(),
            ended.used.memory_bytes.into(),
            ended.used.peak_memory_bytes.into(),
            ended.used.processes.into(),
        ]);
    }
    let sql = "UPDATE attempt SET state = v.column2, finished_at = v.column3, exit_code = v.column4, message = v.column5, \
               cpu_seconds = v.column6, memory_bytes = v.column7, peak_memory_bytes = v.column8, processes = v.column9 FROM ";
    let condition = "WHERE attempt.id = v.column1 AND attempt.state = 'RUNNING'";
    run_all(tx, rows.statements(tx.get_database_backend(), sql, condition)).await
}

/// Records what running attempts use; `epoch` fences.
///
/// # Errors
/// When the database does not answer.
pub async fn measure(tx: &Tx, id: AttemptId, epoch: i64, used: Used) -> Result<()> {
    let sql = "UPDATE attempt SET cpu_seconds = $1, memory_bytes = $2, peak_memory_bytes = $3, processes = $4 \
               WHERE id = $5 AND epoch = $6 AND state = 'RUNNING'";
    let values: [Value; 6] = [
        used.cpu_seconds.into(),
        used.memory_bytes.into(),
        used.peak_memory_bytes.into(),
        used.processes.into(),
        id.0.into(),
        epoch.into(),
    ];
    tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(())
}

/// Keeps what subtasks put out.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_outputs(tx: &Tx, outputs: &[(SubtaskId, JsonText)]) -> Result<()> {
    let mut rows = BulkRows::default();
    for (id, json) in outputs {
        rows.push([id.0.into(), json.as_str().into()]);
    }
    let sql = "UPDATE subtask SET outputs = v.column2 FROM ";
    run_all(tx, rows.statements(tx.get_database_backend(), sql, "WHERE subtask.id = v.column1")).await
}

/// A running attempt and where its subtask stands.
#[derive(Clone, Debug, FromQueryResult)]
pub struct RunningAttempt {
    /// The attempt.
    pub id: AttemptId,
    /// Its subtask.
    pub subtask_id: SubtaskId,
    /// Its task.
    pub task_id: TaskId,
    /// Its epoch.
    pub epoch: i64,
    /// Whether its subtask is being cancelled.
    pub canceling: bool,
    /// Whether its subtask is held.
    pub held: bool,
}

/// The running attempts of one worker.
///
/// # Errors
/// When the database does not answer.
pub async fn of_worker(conn: &impl ConnectionTrait, worker_id: &str) -> Result<Vec<RunningAttempt>> {
    let sql = "SELECT a.id, a.subtask_id, a.task_id, a.epoch, s.state = 'CANCELING' AS canceling, s.held \
               FROM attempt a JOIN subtask s ON s.id = a.subtask_id AND s.epoch = a.epoch \
               WHERE a.worker_id = $1 AND a.state = 'RUNNING'";
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [worker_id.into()]);
    Ok(RunningAttempt::find_by_statement(statement).all(conn).await?)
}

/// Running attempts whose worker holds no lease any more.
///
/// # Errors
/// When the database does not answer.
pub async fn orphans(conn: &impl ConnectionTrait, limit: u64) -> Result<Vec<RunningAttempt>> {
    let sql = "SELECT a.id, a.subtask_id, a.task_id, a.epoch, FALSE AS canceling, FALSE AS held FROM attempt a \
               WHERE a.state = 'RUNNING' AND NOT EXISTS \
               (SELECT 1 FROM worker w WHERE w.id = a.worker_id AND w.state = 'ALIVE') LIMIT $1";
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [limit.cast_signed().into()]);
    Ok(RunningAttempt::find_by_statement(statement).all(conn).await?)
}

/// The attempts of these subtasks, each subtask's in order, where their task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn of_subtasks(conn: &impl ConnectionTrait, scope: &Scope, ids: &[SubtaskId]) -> Result<Vec<attempt::Model>> {
    Ok(in_order(conn, scope, ids).all(conn).await?)
}

/// The same, unless there are more than so many together.
///
/// # Errors
/// When the database does not answer.
pub async fn few_of_subtasks(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[SubtaskId],
    most: usize,
) -> Result<Option<Vec<attempt::Model>>> {
    let rows = in_order(conn, scope, ids).limit(most as u64 + 1).all(conn).await?;
    Ok(Some(rows).filter(|rows| rows.len() <= most))
}

fn in_order(conn: &impl ConnectionTrait, scope: &Scope, ids: &[SubtaskId]) -> Select<attempt::Entity> {
    let of_these = bulk::among(conn.get_database_backend(), attempt::Column::SubtaskId, ids.iter().map(|id| id.0));
    let query = within(attempt::Entity::find().filter(of_these), scope);
    query.order_by_asc(attempt::Column::SubtaskId).order_by_asc(attempt::Column::Number)
}

/// Those whose task is in the scope.
fn within(found: Select<attempt::Entity>, scope: &Scope) -> Select<attempt::Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_task = attempt::Entity::belongs_to(task::Entity).from(attempt::Column::TaskId).to(task::Column::Id);
    found.join(JoinType::InnerJoin, its_task.into()).filter(scope::of_found(scope, task::Column::TenantId))
}

/// The lines of an attempt in the log of its subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Span {
    /// Its subtask.
    pub subtask_id: SubtaskId,
    /// Whether it may still write.
    pub runs: bool,
    /// Its first line, from 1.
    pub first_line: i64,
    /// The line behind its last.
    pub next_line: i64,
}

impl Span {
    /// How many lines it has.
    #[must_use]
    pub const fn lines(&self) -> i64 {
        self.next_line - self.first_line
    }
}

/// Where the attempts of a task have their lines, in the order in which they began. One statement: ends and lengths are
/// of one moment. Claims of one task come one after the other, so that a later one has a higher id.
///
/// # Errors
/// When the database does not answer.
pub async fn spans(conn: &impl ConnectionTrait, task_id: TaskId) -> Result<Vec<Span>> {
    let sql = "SELECT a.subtask_id, a.state = 'RUNNING' AS runs, a.first_line, COALESCE((SELECT MIN(b.first_line) FROM \
               attempt b WHERE b.subtask_id = a.subtask_id AND b.number > a.number), s.log_lines + 1) AS next_line FROM \
               attempt a JOIN subtask s ON s.id = a.subtask_id WHERE a.task_id = $1 ORDER BY a.id";
    let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [task_id.0.into()]);
    Ok(Span::find_by_statement(statement).all(conn).await?)
}

/// The attempts with these ids whose task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list(conn: &impl ConnectionTrait, scope: &Scope, ids: &[AttemptId]) -> Result<Vec<attempt::Model>> {
    let these = bulk::among(conn.get_database_backend(), attempt::Column::Id, ids.iter().map(|id| id.0));
    Ok(within(attempt::Entity::find().filter(these), scope).all(conn).await?)
}

/// What a claimed subtask's worker needs: its spec, and its task's parameters.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Material {
    /// The subtask.
    pub id: SubtaskId,
    /// Run, undo and limits.
    pub spec: JsonText,
    /// The task's.
    pub parameters: JsonText,
    /// The upstreams' `seq`.
    pub needs: JsonText,
    /// Its task.
    pub task_id: TaskId,
    /// Its number in its task.
    pub seq: i32,
}

/// The material of these subtasks.
///
/// # Errors
/// When the database does not answer.
pub async fn material(conn: &impl ConnectionTrait, ids: &[SubtaskId]) -> Result<Vec<Material>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let mut rows = BulkRows::default();
    for id in ids {
        rows.push([id.0.into()]);
    }
    let sql = "SELECT s.id, s.spec, t.parameters, s.needs, s.task_id, s.seq FROM ";
    let join = "JOIN subtask s ON s.id = v.column1 JOIN task_input t ON t.task_id = s.task_id";
    let mut found = Vec::with_capacity(ids.len());
    for statement in rows.statements(conn.get_database_backend(), sql, join) {
        found.extend(Material::find_by_statement(statement).all(conn).await?);
    }
    Ok(found)
}

/// The outputs of every subtask of these tasks that has some.
///
/// # Errors
/// When the database does not answer.
pub async fn outputs(conn: &impl ConnectionTrait, tasks: &[TaskId]) -> Result<Vec<(TaskId, i32, JsonText)>> {
    let query = subtask::Entity::find()
        .select_only()
        .columns([subtask::Column::TaskId, subtask::Column::Seq, subtask::Column::Outputs])
        .filter(bulk::among(conn.get_database_backend(), subtask::Column::TaskId, tasks.iter().map(|task| task.0)))
        .filter(subtask::Column::Outputs.ne("{}"));
    Ok(query.into_tuple().all(conn).await?)
}
