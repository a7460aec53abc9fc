//! Reads of many rows by their keys, for a door that gathers keys before it asks.
//!
//! They know no caller: who asks for a parent's children has been given the parent by another resolver, which checked.
//! What is not a parent's is asked about with [`is_seen`].

use taskloom_entity::{Role, TenantId};

use super::Request;
use crate::error::Result;

pub use crate::store::Store;
pub use crate::store::attempt::{few_of_subtasks as few_attempts_of, list as attempts, of_subtasks as attempts_of};
pub use crate::store::definition::list_by_id as definitions;
pub use crate::store::result::of_attempts as results;
pub use crate::store::snapshot::{load as snapshots, load_few as few_snapshots};
pub use crate::store::subtask::{
    few_of_tasks as few_subtasks_of, list_by_id as subtasks, of_tasks as subtasks_of, totals,
};
pub use crate::store::task::list_by_id as tasks;
pub use crate::store::tenant::{many as tenants, of_users as tenants_of};
pub use crate::store::user::many as users;
pub use crate::store::vcenter::list_by_id as vcenters;
pub use crate::store::vsphere::collection::list as collections;
pub use crate::store::vsphere::label::list as labels;
pub use crate::store::vsphere::object::list as objects;
pub use crate::store::vsphere::task::{list_by_id as vsphere_tasks, list_by_key as vsphere_tasks_by_key};
pub use crate::store::wide::{Document, lengths, texts};
pub use crate::store::worker::names as workers;

/// Whether the caller may see what belongs to this tenant: for what was read by its key alone. Nothing belongs to none.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn is_seen(request: &Request, tenant: Option<TenantId>) -> Result<bool> {
    let scope = request.principal.require(Role::Viewer)?;
    Ok(tenant.is_some_and(|tenant| scope.covers(tenant)))
}
