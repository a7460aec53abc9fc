//! Reads of many rows by their keys, for a door that gathers keys before it asks. A key may come from anywhere: each
//! read asks the caller's scope, and what is outside of it is left out like what never was.
//!
//! What carries a tenant is filtered by it; what belongs to a task or a vCenter, by that one's, in the same statement.
//! A refusal is not told of here: the resolver that gave the parent has done so.

use std::collections::HashMap;

use taskloom_entity::{
    AttemptId, DefinitionId, JsonText, Role, SubtaskId, SubtaskState, TaskId, TenantId, UserId, VcenterId,
    VsphereInstanceId, VsphereTaskId, attempt, result_set, task, tenant, user, vcenter, vcenter_collection,
    vsphere_label, vsphere_object, vsphere_task,
};

use super::Request;
use super::definition;
use super::subtask::SubtaskRow;
use crate::auth::Scope;
use crate::error::Result;
use crate::store;
use crate::task::Snapshot;

pub use crate::store::wide::Document;

fn scope(request: &Request) -> Result<&Scope> {
    request.principal.require(Role::Viewer)
}

/// Those of these tasks that the caller may see.
///
/// # Errors
/// `UNAUTHENTICATED`, as of every read here; when the database does not answer.
pub async fn tasks(request: &Request, ids: &[TaskId]) -> Result<Vec<task::Model>> {
    store::task::list_by_id(request.store.read(), scope(request)?, ids).await
}

/// Those of these subtasks.
///
/// # Errors
/// As [`tasks`].
pub async fn subtasks(request: &Request, ids: &[SubtaskId]) -> Result<Vec<SubtaskRow>> {
    store::subtask::list_by_id(request.store.read(), scope(request)?, ids).await
}

/// The subtasks of these tasks, each task's in the order of `seq`.
///
/// # Errors
/// As [`tasks`].
pub async fn subtasks_of(request: &Request, tasks: &[TaskId]) -> Result<Vec<SubtaskRow>> {
    store::subtask::of_tasks(request.store.read(), scope(request)?, tasks).await
}

/// The same, unless there are more than so many together.
///
/// # Errors
/// As [`tasks`].
pub async fn few_subtasks_of(request: &Request, tasks: &[TaskId], most: usize) -> Result<Option<Vec<SubtaskRow>>> {
    store::subtask::few_of_tasks(request.store.read(), scope(request)?, tasks, most).await
}

/// How many subtasks of these tasks stand where.
///
/// # Errors
/// As [`tasks`].
pub async fn totals(request: &Request, tasks: &[TaskId]) -> Result<Vec<(TaskId, SubtaskState, i64)>> {
    store::subtask::totals(request.store.read(), scope(request)?, tasks).await
}

/// These tasks as decisions see them.
///
/// # Errors
/// As [`tasks`].
pub async fn snapshots(request: &Request, ids: &[TaskId]) -> Result<Vec<Snapshot>> {
    store::snapshot::load(request.store.read(), scope(request)?, ids).await
}

/// The same, unless they have more than so many subtasks together.
///
/// # Errors
/// As [`tasks`].
pub async fn few_snapshots(request: &Request, ids: &[TaskId], most: u64) -> Result<Option<Vec<Snapshot>>> {
    store::snapshot::load_few(request.store.read(), scope(request)?, ids, most).await
}

/// Those of these attempts.
///
/// # Errors
/// As [`tasks`].
pub async fn attempts(request: &Request, ids: &[AttemptId]) -> Result<Vec<attempt::Model>> {
    store::attempt::list(request.store.read(), scope(request)?, ids).await
}

/// The attempts of these subtasks, each subtask's in order.
///
/// # Errors
/// As [`tasks`].
pub async fn attempts_of(request: &Request, subtasks: &[SubtaskId]) -> Result<Vec<attempt::Model>> {
    store::attempt::of_subtasks(request.store.read(), scope(request)?, subtasks).await
}

/// The same, unless there are more than so many together.
///
/// # Errors
/// As [`tasks`].
pub async fn few_attempts_of(
    request: &Request,
    subtasks: &[SubtaskId],
    most: usize,
) -> Result<Option<Vec<attempt::Model>>> {
    store::attempt::few_of_subtasks(request.store.read(), scope(request)?, subtasks, most).await
}

/// The result sets of these attempts, each attempt's in order.
///
/// # Errors
/// As [`tasks`].
pub async fn results_of(
    request: &Request,
    attempts: &[AttemptId],
) -> Result<HashMap<AttemptId, Vec<result_set::Model>>> {
    store::result::of_attempts(request.store.read(), scope(request)?, attempts).await
}

/// How many bytes these documents have, by the numbers of their rows.
///
/// # Errors
/// As [`tasks`].
pub async fn lengths(request: &Request, of: Document, ids: &[i64]) -> Result<Vec<(i64, usize)>> {
    store::wide::lengths(request.store.read(), scope(request)?, of, ids).await
}

/// These documents, by the numbers of their rows.
///
/// # Errors
/// As [`tasks`].
pub async fn texts(request: &Request, of: Document, ids: &[i64]) -> Result<Vec<(i64, JsonText)>> {
    store::wide::texts(request.store.read(), scope(request)?, of, ids).await
}

/// The names of the workers whose sessions these are. Workers are the installation's, and run what is anybody's.
///
/// # Errors
/// As [`tasks`].
pub async fn workers(request: &Request, lives: &[&str]) -> Result<HashMap<String, String>> {
    scope(request)?;
    store::worker::names(request.store.read(), lives).await
}

/// Those of these versions of definitions, in use or not.
///
/// # Errors
/// As [`tasks`].
pub async fn definitions(request: &Request, ids: &[DefinitionId]) -> Result<Vec<definition::DefinitionRow>> {
    store::definition::list_by_id(request.store.read(), scope(request)?, ids).await
}

/// Those of these tenants.
///
/// # Errors
/// As [`tasks`].
pub async fn tenants(request: &Request, ids: &[TenantId]) -> Result<Vec<tenant::Model>> {
    store::tenant::many(request.store.read(), scope(request)?, ids).await
}

/// Those of these users who share a tenant with the caller, and the caller.
///
/// # Errors
/// As [`tasks`].
pub async fn users(request: &Request, ids: &[UserId]) -> Result<Vec<user::Model>> {
    super::user::many(request, ids).await
}

/// The tenants of each of these users that the caller may see, by name.
///
/// # Errors
/// As [`tasks`].
pub async fn tenants_of(request: &Request, users: &[UserId]) -> Result<HashMap<UserId, Vec<tenant::Model>>> {
    super::user::tenants(request, users).await
}

/// Those of these vCenters.
///
/// # Errors
/// As [`tasks`].
pub async fn vcenters(request: &Request, ids: &[VcenterId]) -> Result<Vec<vcenter::Model>> {
    store::vcenter::list_by_id(request.store.read(), scope(request)?, ids).await
}

/// How the collections of these vCenters stand.
///
/// # Errors
/// As [`tasks`].
pub async fn collections(request: &Request, ids: &[VcenterId]) -> Result<Vec<vcenter_collection::Model>> {
    super::vcenter::collections(request, ids).await
}

/// What these vCenters call these operations, in every language.
///
/// # Errors
/// As [`tasks`].
pub async fn labels(
    request: &Request,
    vcenters: impl IntoIterator<Item = VcenterId>,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<vsphere_label::Model>> {
    store::vsphere::label::list(request.store.read(), scope(request)?, vcenters, ids).await
}

/// The objects of a vCenter with these references.
///
/// # Errors
/// As [`tasks`].
pub async fn objects(
    request: &Request,
    vcenter: VcenterId,
    references: impl IntoIterator<Item = String>,
) -> Result<Vec<vsphere_object::Model>> {
    store::vsphere::object::list(request.store.read(), scope(request)?, vcenter, references).await
}

/// Those of these tasks of vCenters.
///
/// # Errors
/// As [`tasks`].
pub async fn vsphere_tasks(request: &Request, ids: &[VsphereTaskId]) -> Result<Vec<vsphere_task::Model>> {
    store::vsphere::task::list_by_id(request.store.read(), scope(request)?, ids).await
}

/// The tasks of a vCenter with one of these keys.
///
/// # Errors
/// As [`tasks`].
pub async fn vsphere_tasks_by_key(
    request: &Request,
    instance: VsphereInstanceId,
    keys: impl IntoIterator<Item = String>,
) -> Result<Vec<vsphere_task::Model>> {
    store::vsphere::task::list_by_key(request.store.read(), scope(request)?, instance, keys).await
}
