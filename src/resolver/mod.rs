//! Who may, and what together: one file per resource, one function per operation. Every door calls these, nothing
//! else does; nothing here knows GraphQL or HTTP.

pub mod any;
pub mod audit;
pub mod definition;
pub mod event;
pub mod job;
pub mod key;
pub mod log;
pub mod name;
pub mod now;
pub mod page;
pub mod progress;
pub mod read;
pub mod refusal;
pub mod refused;
pub mod request;
pub mod result;
pub mod retention;
pub mod secret;
pub mod session;
pub mod source;
pub mod subtask;
pub mod task;
pub mod tenant;
pub mod token;
pub mod user;
pub mod vcenter;
pub mod vsphere;
pub mod whole;
pub mod whole_log;
pub mod worker;

pub use request::{App, Request};
