//! The kinds of work.

mod fill;
pub mod http;
pub mod noop;
pub mod script;
pub mod sql;
pub mod vsphere;
