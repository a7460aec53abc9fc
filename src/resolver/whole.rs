//! Tasks with everything that belongs to them, for doors that answer a task in one piece: one statement a table,
//! however many tasks.

use std::collections::HashMap;

use taskloom_entity::{AttemptId, TaskId, attempt, subtask, task};

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
    pub workers: HashMap<String, String>,
    /// It can never be rolled back.
    pub prohibits_rollback: bool,
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
    let conn = request.store.read();
    let subtasks = store::task::subtasks(conn, &[task.id]).await?;
    let latest: Vec<AttemptId> = subtasks.iter().filter_map(|subtask| subtask.attempt_id).collect();
    let attempts = store::attempt::list(conn, &latest).await?;
    let lives: Vec<&str> = attempts.iter().map(|attempt| attempt.worker_id.as_str()).collect();
    let workers = store::worker::names(conn, &lives).await?;
    let snapshot = store::snapshot::load(conn, &[task.id]).await?.pop();
    Ok(Whole {
        prohibits_rollback: snapshot.is_some_and(|snapshot| snapshot.forbids_rollback().is_some()),
        attempts: attempts.into_iter().map(|attempt| (attempt.id, attempt)).collect(),
        task,
        subtasks,
        workers,
    })
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
