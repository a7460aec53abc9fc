//! Reads of many rows by their keys, for a door that gathers keys before it asks.
//!
//! They know no caller: who asks for a parent's children has been given the parent by another resolver, which checked.

pub use crate::store::Store;
pub use crate::store::attempt::{list as attempts, of_subtasks as attempts_of};
pub use crate::store::definition::list_by_id as definitions;
pub use crate::store::result::of_attempts as results;
pub use crate::store::snapshot::load as snapshots;
pub use crate::store::subtask::{few_of_tasks as few_subtasks_of, list_by_id as subtasks, of_tasks as subtasks_of};
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
