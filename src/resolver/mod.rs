//! Who may, and what together: one file per resource, one function per operation. Every door calls these, nothing
//! else does; nothing here knows GraphQL or HTTP.

pub mod request;

pub use request::{App, Request};
