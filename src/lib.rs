//! Taskloom: runs, schedules and records operational tasks, and shows them as one live GraphQL graph.
//!
//! `docs/ARCHITECTURE.md` draws the house; `tests/it/house.rs` holds the code against it.

pub mod asker;
pub mod auth;
pub mod background;
pub mod cli;
pub mod compat;
pub mod config;
pub mod demo;
pub mod engine;
pub mod feed;
pub mod gql;
pub mod graphql;
pub mod http;
pub mod lease;
pub mod licenses;
pub mod memory;
pub mod private;
pub mod readiness;
pub mod resolver;
pub mod room;
pub mod secrecy;
pub mod server;
pub mod slow_lane;
pub mod store;
pub mod telemetry;

pub use taskloom_core::{document, error, log, rows, schedule, task, text};
pub use taskloom_executor as executor;
pub use taskloom_runtime::{clock, descriptors, lifecycle, supervise};
pub use taskloom_vault as vault;
pub use taskloom_vsphere as vsphere;
pub use taskloom_worker as worker;
