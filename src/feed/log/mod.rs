//! Logs of subtasks: chunks of compressed lines, numbered from 1 through all attempts of a subtask. What a chunk is, is
//! the core's; here is who reads and follows them.

pub mod live;
pub mod read;

pub use live::Live;
