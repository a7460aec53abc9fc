//! The one integration binary: a module per area.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so best by ending there")]

mod attack;
mod auth;
mod chaos;
mod cli;
mod compat;
mod contract;
mod docs;
mod doors;
#[macro_use]
mod engine;
mod executor;
mod harness;
mod hostile;
mod house;
mod outage;
mod vsphere;
