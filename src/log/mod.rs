//! Logs of subtasks: chunks of compressed lines, numbered from 1 through all attempts of a subtask.

pub mod chunk;
pub mod gather;
pub mod live;
pub mod read;
pub mod unpack;

pub use chunk::{Chunk, Level, Line, Source};
pub use gather::Gather;
pub use live::Live;
