//! The core: what Taskloom decides, and the words it decides in. It reads no clock, does no input or output, and knows
//! no database: whatever it needs is given to it.
//!
//! `cargo check -p taskloom-core` builds it without tokio and SeaORM, so neither can get in. With the feature
//! `database`, which `entity` turns on, its small types are columns too.

pub mod document;
pub mod error;
pub mod id;
mod json;
pub mod log;
pub mod principal;
pub mod rows;
pub mod schedule;
pub mod state;
pub mod task;
pub mod text;
mod timestamp;

pub use id::*;
pub use json::JsonText;
pub use state::*;
pub use timestamp::Timestamp;
