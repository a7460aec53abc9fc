//! Subtasks: retried, skipped, cancelled, and why one is not running.

use sea_orm::ConnectionTrait;
use taskloom_entity::{AttemptId, Role, SubtaskId, TaskId, attempt};

use super::Request;
use super::audit::{self, Act};
use super::task::decide;
use crate::auth::Scope;
use crate::engine::tally::CommitTally;
use crate::error::{Error, Result, code};
use crate::store;
pub use crate::store::subtask::{SubtaskBrief, SubtaskRow};
use crate::task::command::Verb;

/// A subtask by its id alone, or within the task that it must belong to.
#[derive(Clone, Copy, Debug)]
pub struct SubtaskReference {
    pub id: SubtaskId,
    /// Its task, where the caller names it.
    pub task_id: Option<TaskId>,
}

impl From<SubtaskId> for SubtaskReference {
    fn from(id: SubtaskId) -> Self {
        Self { id, task_id: None }
    }
}

impl From<(TaskId, SubtaskId)> for SubtaskReference {
    fn from((task_id, id): (TaskId, SubtaskId)) -> Self {
        Self { id, task_id: Some(task_id) }
    }
}

impl SubtaskReference {
    async fn find(self, conn: &impl ConnectionTrait, scope: &Scope) -> Result<SubtaskRow> {
        let found = store::subtask::find(conn, scope, self.id).await?;
        let found = found.filter(|found| self.task_id.is_none_or(|task_id| task_id == found.task_id));
        found.ok_or_else(|| not_found(self.id))
    }
}

/// Runs a failed subtask again, or its undo when that failed.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.retry", skip_all, fields(id = %subtask.id))]
pub async fn retry(request: &Request, subtask: SubtaskReference) -> Result<SubtaskRow> {
    change(request, subtask, Verb::Retry, "subtask.retry").await
}

/// Counts a failed subtask as done; its downstreams go on.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.skip", skip_all, fields(id = %subtask.id))]
pub async fn skip(request: &Request, subtask: SubtaskReference) -> Result<SubtaskRow> {
    change(request, subtask, Verb::Skip, "subtask.skip").await
}

/// Stops a subtask with all its processes.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.cancel", skip_all, fields(id = %subtask.id))]
pub async fn cancel(request: &Request, subtask: SubtaskReference) -> Result<SubtaskRow> {
    change(request, subtask, Verb::Cancel, "subtask.cancel").await
}

async fn change(request: &Request, named: SubtaskReference, verb: Verb, name: &'static str) -> Result<SubtaskRow> {
    let id = named.id;
    let act = Act::new(name, format_args!("subtask:{id}"));
    let scope = audit::permit(request, Role::Manager, &act).await?;
    let mut tally = CommitTally::default();
    let subtask = audit::change(request, act, async |tx, act| {
        let of = named.find(tx, scope).await?;
        let decided = decide(tx, request, (of.task_id, Some(id)), verb).await?;
        tally = decided.tally;
        *act = act.clone().of(decided.tenant);
        named.find(tx, scope).await
    })
    .await?;
    tally.count(request.store.metrics());
    request.bell.ring();
    Ok(subtask)
}

/// The subtask of this id.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, also for one of other tenants.
#[tracing::instrument(name = "subtask.get", skip_all, fields(id = %subtask.id))]
pub async fn get(request: &Request, subtask: SubtaskReference) -> Result<SubtaskRow> {
    let scope = request.reads(Role::Viewer, "subtask.get")?;
    subtask.find(request.store.read(), scope).await
}

/// Every attempt of a subtask, in order.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, also for one of other tenants.
pub async fn attempts(request: &Request, subtask: SubtaskReference) -> Result<Vec<attempt::Model>> {
    let id = get(request, subtask).await?.id;
    let scope = request.principal.require(Role::Viewer)?;
    store::attempt::of_subtasks(request.store.read(), scope, &[id]).await
}

/// The `seq` of what a subtask needs.
///
/// # Errors
/// `INTERNAL` when its row was damaged.
pub fn upstreams(subtask: &SubtaskRow) -> Result<Vec<usize>> {
    store::snapshot::needs(&subtask.needs)
}

/// What an unknown subtask is answered.
pub fn not_found(id: SubtaskId) -> Error {
    Error::new(&code::SUBTASK_NOT_FOUND).with("id", id)
}

/// The attempt of this id.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, also for one of other tenants.
pub async fn attempt(request: &Request, id: AttemptId) -> Result<attempt::Model> {
    let scope = request.reads(Role::Viewer, "subtask.attempt")?;
    let found = store::attempt::list(request.store.read(), scope, &[id]).await?.pop();
    let attempt = found.ok_or_else(|| Error::new(&code::SUBTASK_NOT_FOUND).with("id", id))?;
    get(request, attempt.subtask_id.into()).await?;
    Ok(attempt)
}
