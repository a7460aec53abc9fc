//! Tasks with everything that belongs to them, for doors that answer a task in one piece: one statement a table,
//! however many tasks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use taskloom_entity::{AttemptId, TaskId, attempt, subtask, task, task_input};

use super::Request;
use crate::error::Result;
use crate::store;

/// A task in one piece.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The task.
    pub task: task::Model,
    /// Its subtasks, upstreams first; index = `seq`.
    pub subtasks: Vec<subtask::Model>,
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
    let conn = request.store.read();
    let mut subtasks = subtasks(request, &tasks).await?;
    let latest: Vec<AttemptId> = subtasks.values().flatten().filter_map(|subtask| subtask.attempt_id).collect();
    let attempts = store::attempt::list(conn, &latest).await?;
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
    let snapshot = store::snapshot::load(request.store.read(), &[id]).await?.pop();
    Ok(snapshot.is_some_and(|snapshot| snapshot.forbids_rollback().is_some()))
}

/// What old clients have sent for these tasks, which another resolver has given.
///
/// # Errors
/// When the database does not answer.
pub async fn submissions(request: &Request, ids: &[TaskId]) -> Result<HashMap<TaskId, Value>> {
    let inputs = store::task::inputs(request.store.read(), ids).await?;
    let sent = |input: task_input::Model| Some((input.task_id, input.submission?.value()));
    Ok(inputs.into_iter().filter_map(sent).collect())
}

/// The subtasks of each of these tasks, which another resolver has given; upstreams first.
///
/// # Errors
/// When the database does not answer.
pub async fn subtasks(request: &Request, tasks: &[task::Model]) -> Result<HashMap<TaskId, Vec<subtask::Model>>> {
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
    let mut grouped: HashMap<TaskId, Vec<subtask::Model>> = HashMap::with_capacity(ids.len());
    for row in store::task::subtasks(request.store.read(), &ids).await? {
        grouped.entry(row.task_id).or_default().push(row);
    }
    Ok(grouped)
}

impl Whole {
    /// The name of the worker that runs a subtask, or ran it last.
    #[must_use]
    pub fn worker(&self, subtask: &subtask::Model) -> Option<&str> {
        let attempt = self.attempts.get(&subtask.attempt_id?)?;
        self.workers.get(&attempt.worker_id).map(String::as_str)
    }
}
