//! Live events: a bell that only wakes, and a hub whose one reader tails the log for every subscriber.

pub mod bell;
pub mod hub;
pub mod listen;
pub mod log;

pub use bell::Bell;
pub use hub::{EventTail, Hub};
pub use log::{TaskEntry, VsphereEntry, VsphereEventLog};
