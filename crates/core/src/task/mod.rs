//! The pure core: what a definition may say, what a task may do next, and what follows from it.
//!
//! Nothing here knows a database, a clock, a thread or a door: instants come in as values, decisions go out as a
//! [`Plan`]. The engine applies them.

pub mod command;
pub mod draft;
pub mod preview;
pub mod progress;
pub mod refused;
pub mod rollup;
pub mod snapshot;
pub mod spec;
pub mod state;
pub mod waiting;

#[cfg(test)]
mod tests;

pub use draft::{Draft, Move, Plan};
pub use refused::Refused;
pub use snapshot::{Snapshot, SubtaskFacts, TaskFacts};
