//! Tables, typed ids and states: one file per table. Nothing here knows GraphQL, HTTP or how work is run.
//!
//! Instants are microseconds since the Unix epoch in UTC ([`Timestamp`]): the one form that SQLite and
//! PostgreSQL store, order and compare alike.

pub mod attempt;
pub mod audit;
pub mod data_source;
pub mod definition;
pub mod log_chunk;
pub mod result_chunk;
pub mod result_set;
pub mod secret;
pub mod session;
pub mod subtask;
pub mod task;
pub mod task_event;
pub mod task_input;
pub mod task_label;
pub mod tenant;
pub mod token;
pub mod user;
pub mod user_tenant;
pub mod vcenter;
pub mod vcenter_collection;
pub mod vsphere_event;
pub mod vsphere_instance;
pub mod vsphere_label;
pub mod vsphere_object;
pub mod vsphere_task;
pub mod worker;

pub use taskloom_core::{JsonText, Timestamp, id::*, state::*};
