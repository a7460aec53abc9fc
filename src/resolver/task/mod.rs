//! Tasks: submitted, found, steered, deleted. Every verb has one shape, written once in [`change`].

mod alike;
pub mod bulk;
pub mod submit;

use serde_json::{Value, json};
use taskloom_entity::{Role, SubtaskId, TaskId, TaskState, TenantId, Timestamp, task};

pub use submit::submit;

use super::Request;
use super::audit::{self, Act};
use super::refusal::refused;
use crate::auth::Scope;
use crate::engine;
use crate::engine::tally::CommitTally;
use crate::error::{Error, Result, code};
use crate::store::keyset::Part;
use crate::store::page::Slice;
pub use crate::store::standing::{StandingSign, TaskStanding};
pub use crate::store::task::{TaskFilter, TaskOrder};
use crate::store::{self, Tx};
use crate::task::command::{self, Target, Verb};
use crate::task::preview::{self, Preview};
use crate::task::waiting::{Reason, Workers};
use crate::task::{Draft, Snapshot};

/// Runs again what failed. Subtasks that have finished are not repeated.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "task.retry", skip_all, fields(%id))]
pub async fn retry(request: &Request, id: TaskId) -> Result<task::Model> {
    change(request, id, Verb::Retry).await
}

/// Undoes what ran, against the arrows.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`, `ROLLBACK_PROHIBITED`.
#[tracing::instrument(name = "task.rollback", skip_all, fields(%id))]
pub async fn rollback(request: &Request, id: TaskId) -> Result<task::Model> {
    change(request, id, Verb::Rollback).await
}

/// Stops what runs, with all its processes; what has not begun never begins.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "task.cancel", skip_all, fields(%id))]
pub async fn cancel(request: &Request, id: TaskId) -> Result<task::Model> {
    change(request, id, Verb::Cancel).await
}

/// Freezes what runs; nothing new starts.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "task.pause", skip_all, fields(%id))]
pub async fn pause(request: &Request, id: TaskId) -> Result<task::Model> {
    change(request, id, Verb::Pause).await
}

/// Lets it go on.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED`.
#[tracing::instrument(name = "task.resume", skip_all, fields(%id))]
pub async fn resume(request: &Request, id: TaskId) -> Result<task::Model> {
    change(request, id, Verb::Resume).await
}

/// Removes an ended task with its subtasks, attempts and logs, and gives back what it was. Its events stay.
///
/// # Errors
/// `TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED` while it has not ended.
#[tracing::instrument(name = "task.delete", skip_all, fields(%id))]
pub async fn delete(request: &Request, id: TaskId) -> Result<task::Model> {
    let act = act(Verb::Delete, id);
    let scope = audit::permit(request, Role::Manager, &act).await?;
    let (deleted, has_rest) = audit::change(request, act, async |tx, act| {
        let (snapshot, now) = lock(tx, request, scope, id).await?;
        let task = fetch(tx, scope, id).await?;
        *act = act.clone().of(task.tenant_id).with(&described(&task, task.state));
        let mut draft = Draft::new(snapshot, now);
        command::decide(&mut draft, Verb::Delete, Target::Task).map_err(refused)?;
        let plan = draft.into_plan();
        let subtasks: Vec<SubtaskId> = plan.snapshot.subtasks.iter().map(|subtask| subtask.id).collect();
        let has_rest = store::task::delete(tx, id, &subtasks).await?;
        let event = store::event::NewEvent {
            kind: taskloom_entity::EventKind::TaskDeleted,
            from_state: Some(task.state),
            actor: Some(request.principal.name()),
            ..engine::apply::blank(plan.snapshot.task.tenant_id, id, now)
        };
        store::event::append(tx, vec![event]).await?;
        Ok((task, has_rest))
    })
    .await?;
    request.bell.ring();
    if has_rest {
        request.rests.notify_one();
    }
    Ok(deleted)
}

const fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Retry => "task.retry",
        Verb::Rollback => "task.rollback",
        Verb::Skip => "task.skip",
        Verb::Cancel => "task.cancel",
        Verb::Pause => "task.pause",
        Verb::Resume => "task.resume",
        Verb::Delete => "task.delete",
    }
}

fn act(verb: Verb, id: TaskId) -> Act {
    Act::new(name(verb), format_args!("task:{id}"))
}

/// What the audit log tells of a task beside its number, which may be nobody's by the time it is read.
fn described(task: &task::Model, state: TaskState) -> Value {
    json!({"name": task.name, "definition": task.definition_id, "state": state.name()})
}

async fn change(request: &Request, id: TaskId, verb: Verb) -> Result<task::Model> {
    let act = act(verb, id);
    let scope = audit::permit(request, Role::Manager, &act).await?;
    let mut tally = CommitTally::default();
    let task = audit::change(request, act, async |tx, act| {
        let decided = decide(tx, request, (id, None), verb).await?;
        tally = decided.tally;
        let task = fetch(tx, scope, id).await?;
        *act = act.clone().of(task.tenant_id).with(&described(&task, decided.before));
        Ok(task)
    })
    .await?;
    tally.count(request.store.metrics());
    request.bell.ring();
    Ok(task)
}

/// What a verb did.
pub(super) struct Decided {
    /// Whose task it is.
    pub(super) tenant: TenantId,
    /// The state of the task before.
    before: TaskState,
    /// What is to be counted.
    pub(super) tally: CommitTally,
}

/// Locks, decides and writes: the middle of every verb, on a task or one of its subtasks.
pub(super) async fn decide(
    tx: &Tx,
    request: &Request,
    (id, subtask): (TaskId, Option<SubtaskId>),
    verb: Verb,
) -> Result<Decided> {
    let scope = request.reads(Role::Manager, "task.decide")?;
    let (snapshot, now) = lock(tx, request, scope, id).await?;
    let target = match subtask {
        None => Target::Task,
        Some(id) => {
            Target::Subtask(snapshot.index(id).ok_or_else(|| Error::new(&code::SUBTASK_NOT_FOUND).with("id", id))?)
        }
    };
    let (tenant, before) = (snapshot.task.tenant_id, snapshot.task.state);
    let mut draft = Draft::new(snapshot, now);
    command::decide(&mut draft, verb, target).map_err(refused)?;
    let tally = engine::apply::apply(tx, &[draft.into_plan()], Some(&request.principal.name()), now).await?;
    Ok(Decided { tenant, before, tally })
}

/// Whether the caller may do more with tasks than look at them.
#[must_use]
pub fn may_steer(request: &Request) -> bool {
    request.principal.require(Role::Manager).is_ok()
}

/// A foreign tenant's task is not found, like one that never was.
async fn lock(tx: &Tx, request: &Request, scope: &Scope, id: TaskId) -> Result<(Snapshot, Timestamp)> {
    let snapshot = store::snapshot::lock(tx, id).await?.filter(|snapshot| scope.covers(snapshot.task.tenant_id));
    Ok((snapshot.ok_or_else(|| not_found(id))?, request.clock.now()))
}

async fn fetch(conn: &impl sea_orm::ConnectionTrait, scope: &Scope, id: TaskId) -> Result<task::Model> {
    store::task::find(conn, scope, id).await?.ok_or_else(|| not_found(id))
}

/// What an unknown task is answered.
pub(super) fn not_found(id: TaskId) -> Error {
    Error::new(&code::TASK_NOT_FOUND).with("id", id)
}

/// The task of this id.
///
/// # Errors
/// `TASK_NOT_FOUND`, also for one of other tenants.
#[tracing::instrument(name = "task.get", skip_all, fields(%id))]
pub async fn get(request: &Request, id: TaskId) -> Result<task::Model> {
    let scope = request.reads(Role::Viewer, "task.get")?;
    fetch(request.store.read(), scope, id).await
}

/// A page of the caller's tasks.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "task.list", skip_all)]
pub async fn list(
    request: &Request,
    filter: &TaskFilter,
    order: (TaskOrder, bool),
    part: &Part,
) -> Result<Slice<task::Model>> {
    let scope = request.reads(Role::Viewer, "task.list")?;
    store::task::list(request.store.read(), scope, filter, order, part).await
}

/// A page by number, and how many tasks there are in all: orders lie one within the other.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "task.page", skip_all)]
pub async fn page(
    request: &Request,
    filter: &TaskFilter,
    orders: &[(TaskOrder, bool)],
    (offset, limit): (u64, u64),
) -> Result<(Vec<task::Model>, u64)> {
    let scope = request.reads(Role::Viewer, "task.page")?;
    store::task::page(request.store.read(), scope, filter, orders, (offset, limit)).await
}

/// How many tasks such a list has.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, filter: &TaskFilter) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "task.count")?;
    store::task::count(request.store.read(), scope, filter).await
}

/// What the operation would do, before it is done.
///
/// # Errors
/// The refusal that the operation itself would get.
pub async fn preview(
    request: &Request,
    target: (TaskId, Option<SubtaskId>),
    verb: Verb,
) -> Result<(Snapshot, Preview)> {
    let (id, subtask) = target;
    let scope = request.reads(Role::Viewer, "task.preview")?;
    let snapshot = store::snapshot::load(request.store.read(), scope, &[id]).await?.pop();
    let snapshot = snapshot.ok_or_else(|| not_found(id))?;
    let target = match subtask {
        None => Target::Task,
        Some(id) => {
            Target::Subtask(snapshot.index(id).ok_or_else(|| Error::new(&code::SUBTASK_NOT_FOUND).with("id", id))?)
        }
    };
    let preview = preview::operation(&snapshot, verb, target, request.clock.now()).map_err(refused)?;
    Ok((snapshot, preview))
}

/// Why a subtask of this snapshot is not running.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting_for(request: &Request, snapshot: &Snapshot, index: usize) -> Result<Vec<Reason>> {
    let alive = super::worker::alive(request).await?;
    let runner = match snapshot.subtasks[index].attempt_id {
        Some(id) => {
            let scope = request.principal.require(Role::Viewer)?;
            let attempts = store::attempt::list(request.store.read(), scope, &[id]).await?;
            attempts.first().and_then(|attempt| alive.iter().find(|worker| worker.id == attempt.worker_id))
        }
        None => None,
    };
    let workers = Workers { alive: &alive, runner, silent_after: super::worker::SILENT };
    Ok(crate::task::waiting::reasons(snapshot, index, &workers, request.clock.now()))
}
