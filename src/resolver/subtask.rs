//! Subtasks: retried, skipped, cancelled, and why one is not running.

use taskloom_entity::{AttemptId, Role, SubtaskId, attempt, subtask};

use super::Request;
use super::audit::{self, Act};
use super::task::decide;
use crate::engine::tally::Tally;
use crate::error::{Error, Result, code};
use crate::store;
pub use crate::store::snapshot::needs;
use crate::task::command::Verb;

/// Runs a failed subtask again, or its undo when that failed.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.retry", skip_all, fields(%id))]
pub async fn retry(request: &Request, id: SubtaskId) -> Result<subtask::Model> {
    change(request, id, Verb::Retry, "subtask.retry").await
}

/// Counts a failed subtask as done; its downstreams go on.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.skip", skip_all, fields(%id))]
pub async fn skip(request: &Request, id: SubtaskId) -> Result<subtask::Model> {
    change(request, id, Verb::Skip, "subtask.skip").await
}

/// Stops a subtask with all its processes.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "subtask.cancel", skip_all, fields(%id))]
pub async fn cancel(request: &Request, id: SubtaskId) -> Result<subtask::Model> {
    change(request, id, Verb::Cancel, "subtask.cancel").await
}

async fn change(request: &Request, id: SubtaskId, verb: Verb, name: &'static str) -> Result<subtask::Model> {
    let act = Act::new(name, format_args!("subtask:{id}"));
    let scope = audit::permit(request, Role::Manager, &act).await?;
    let mut tally = Tally::default();
    let subtask = audit::change(request, act, async |tx, act| {
        let of = store::subtask::find(tx, scope, id).await?.ok_or_else(|| not_found(id))?;
        let (tenant, decided) = decide(tx, request, (of.task_id, Some(id)), verb).await?;
        tally = decided;
        *act = act.clone().of(tenant);
        store::subtask::find(tx, scope, id).await?.ok_or_else(|| not_found(id))
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
#[tracing::instrument(name = "subtask.get", skip_all, fields(%id))]
pub async fn get(request: &Request, id: SubtaskId) -> Result<subtask::Model> {
    let scope = request.principal.require(Role::Viewer)?;
    store::subtask::find(request.store.read(), scope, id).await?.ok_or_else(|| not_found(id))
}

/// What an unknown subtask is answered.
pub(super) fn not_found(id: SubtaskId) -> Error {
    Error::new(&code::SUBTASK_NOT_FOUND).with("id", id)
}

/// The attempt of this id.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, also for one of other tenants.
pub async fn attempt(request: &Request, id: AttemptId) -> Result<attempt::Model> {
    request.principal.require(Role::Viewer)?;
    let found = store::attempt::list(request.store.read(), &[id]).await?.pop();
    let attempt = found.ok_or_else(|| Error::new(&code::SUBTASK_NOT_FOUND).with("id", id))?;
    get(request, attempt.subtask_id).await?;
    Ok(attempt)
}
