//! Tasks with everything that belongs to them, for doors that answer a task in one piece: one statement a table,
//! however many tasks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use taskloom_entity::{AttemptId, JsonText, Role, SubtaskId, TaskId, attempt, task};

use super::Request;
use super::subtask::{SubtaskBrief, SubtaskRow};
use crate::error::Result;
use crate::store;
use crate::store::wide::Document;

/// A task in one piece.
#[derive(Clone, Debug)]
pub struct Whole {
    pub task: task::Model,
    /// Its subtasks, upstreams first; index = `seq`.
    pub subtasks: Vec<SubtaskRow>,
    /// The latest attempt of each subtask that has run.
    pub attempts: HashMap<AttemptId, attempt::Model>,
    /// The names of the workers of these attempts, by the ids of the workers' lives.
    pub workers: Arc<HashMap<String, String>>,
}

/// The task of this id.
///
/// # Errors
/// `TASK_NOT_FOUND`, also for one of other tenants.
#[tracing::instrument(name = "task.whole", skip_all, fields(%id))]
pub async fn get(request: &Request, id: TaskId) -> Result<Whole> {
    of(request, super::task::get(request, id).await?).await
}

/// A task that another resolver has given.
///
/// # Errors
/// When the database does not answer.
pub async fn of(request: &Request, task: task::Model) -> Result<Whole> {
    let mut whole = many(request, vec![task]).await?;
    Ok(whole.remove(0))
}

/// Tasks that another resolver has given, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn many(request: &Request, tasks: Vec<task::Model>) -> Result<Vec<Whole>> {
    let (conn, scope) = (request.store.read(), request.principal.require(Role::Viewer)?);
    let mut subtasks = grouped(store::subtask::of_tasks(conn, scope, &ids(&tasks)).await?, |row| row.task_id);
    let latest: Vec<AttemptId> = subtasks.values().flatten().filter_map(|subtask| subtask.attempt_id).collect();
    let attempts = store::attempt::list(conn, scope, &latest).await?;
    let lives: BTreeSet<&str> = attempts.iter().map(|attempt| attempt.worker_id.as_str()).collect();
    let workers = Arc::new(store::worker::names(conn, &lives.into_iter().collect::<Vec<_>>()).await?);
    let mut of_task: HashMap<TaskId, HashMap<AttemptId, attempt::Model>> = HashMap::new();
    for attempt in attempts {
        of_task.entry(attempt.task_id).or_default().insert(attempt.id, attempt);
    }
    let whole = |task: task::Model| Whole {
        subtasks: subtasks.remove(&task.id).unwrap_or_default(),
        attempts: of_task.remove(&task.id).unwrap_or_default(),
        workers: workers.clone(),
        task,
    };
    Ok(tasks.into_iter().map(whole).collect())
}

/// Whether a task that another resolver has given can never be rolled back.
///
/// # Errors
/// When the database does not answer.
pub async fn prohibits_rollback(request: &Request, id: TaskId) -> Result<bool> {
    let scope = request.principal.require(Role::Viewer)?;
    let snapshot = store::snapshot::load(request.store.read(), scope, &[id]).await?.pop();
    Ok(snapshot.is_some_and(|snapshot| snapshot.forbids_rollback().is_some()))
}

/// What old clients have sent for these tasks, which another resolver has given.
///
/// # Errors
/// When the database does not answer.
pub async fn submissions(request: &Request, ids: &[TaskId]) -> Result<HashMap<TaskId, JsonText>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let scope = request.principal.require(Role::Viewer)?;
    let sent = store::wide::texts(request.store.read(), scope, Document::TaskSubmission, &ids).await?;
    Ok(sent.into_iter().map(|(id, text)| (TaskId(id), text)).collect())
}

/// How many bytes each of them has.
///
/// # Errors
/// When the database does not answer.
pub async fn submission_lengths(request: &Request, ids: &[TaskId]) -> Result<HashMap<TaskId, usize>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let scope = request.principal.require(Role::Viewer)?;
    let sent = store::wide::lengths(request.store.read(), scope, Document::TaskSubmission, &ids).await?;
    Ok(sent.into_iter().map(|(id, bytes)| (TaskId(id), bytes)).collect())
}

/// The longest that one run of each of these subtasks of one task may take, where there is a limit.
///
/// # Errors
/// When the database does not answer.
pub async fn timeouts(request: &Request, subtasks: &[SubtaskRow]) -> Result<HashMap<SubtaskId, Duration>> {
    let ids: Vec<i64> = subtasks.iter().map(|subtask| subtask.id.0).collect();
    let scope = request.principal.require(Role::Viewer)?;
    let specs = store::wide::texts(request.store.read(), scope, Document::SubtaskSpec, &ids).await?;
    let limit = |spec: &JsonText| spec.parse::<crate::task::spec::Subtask>().ok()?.timeout;
    Ok(specs.iter().filter_map(|(id, spec)| Some((SubtaskId(*id), limit(spec)?))).collect())
}

/// The subtasks of each of these tasks, which another resolver has given, as a list shows them; upstreams first.
///
/// # Errors
/// When the database does not answer.
pub async fn briefs(request: &Request, tasks: &[task::Model]) -> Result<HashMap<TaskId, Vec<SubtaskBrief>>> {
    let scope = request.principal.require(Role::Viewer)?;
    Ok(grouped(store::subtask::briefs(request.store.read(), scope, &ids(tasks)).await?, |row| row.task_id))
}

/// How many subtasks these tasks have together.
///
/// # Errors
/// When the database does not answer.
pub async fn count(request: &Request, tasks: &[task::Model]) -> Result<u64> {
    let scope = request.principal.require(Role::Viewer)?;
    store::subtask::count(request.store.read(), scope, &ids(tasks)).await
}

fn ids(tasks: &[task::Model]) -> Vec<TaskId> {
    tasks.iter().map(|task| task.id).collect()
}

fn grouped<T>(rows: Vec<T>, of: impl Fn(&T) -> TaskId) -> HashMap<TaskId, Vec<T>> {
    let mut grouped: HashMap<TaskId, Vec<T>> = HashMap::new();
    for row in rows {
        grouped.entry(of(&row)).or_default().push(row);
    }
    grouped
}

impl Whole {
    /// The name of the worker that runs a subtask, or ran it last.
    #[must_use]
    pub fn worker(&self, subtask: &SubtaskRow) -> Option<&str> {
        let attempt = self.attempts.get(&subtask.attempt_id?)?;
        self.workers.get(&attempt.worker_id).map(String::as_str)
    }
}
