//! Taskloom: runs, schedules and records operational tasks, and shows them as one live GraphQL graph.
//!
//! `docs/ARCHITECTURE.md` draws the house; `tests/it/house.rs` holds the code against it.

pub mod asker;
pub mod auth;
pub mod background;
pub mod cli;
pub mod clock;
pub mod compat;
pub mod config;
pub mod demo;
pub mod descriptors;
mod document;
pub mod engine;
pub mod error;
pub mod event;
pub mod executor;
pub mod graphql;
pub mod http;
pub mod lease;
pub mod licenses;
pub mod lifecycle;
pub mod log;
pub mod memory;
pub mod private;
pub mod readiness;
pub mod resolver;
pub mod room;
pub mod rows;
pub mod secrecy;
pub mod server;
pub mod store;
pub mod supervise;
pub mod task;
pub mod telemetry;
pub mod text;
pub mod vault;
pub mod vsphere;
pub mod worker;
