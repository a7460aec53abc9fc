//! Chunks of log lines: how they are gathered, sealed and read. Where they are kept, and who follows them, is not known
//! here.

pub mod chunk;
pub mod gather;
pub mod unpack;

pub use chunk::{Level, Line, LogChunk, Source};
pub use gather::Gather;
