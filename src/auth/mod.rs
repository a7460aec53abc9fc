//! Who is calling.

pub mod principal;

pub use principal::{Principal, Scope, Subject, Via};
