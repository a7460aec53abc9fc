//! What is followed while it goes on: events of tasks, and the lines of their logs.

pub mod event;
pub mod log;
