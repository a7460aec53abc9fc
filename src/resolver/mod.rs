//! Who may, and what together: one file per resource, one function per operation. Every door calls these, nothing
//! else does; nothing here knows GraphQL or HTTP.

pub mod audit;
pub mod name;
pub mod request;
pub mod session;
pub mod tenant;
pub mod token;
pub mod user;

pub use request::{App, Request};
