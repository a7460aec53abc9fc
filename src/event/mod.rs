//! Live events: a bell that only wakes, and a hub whose one reader tails the log for every subscriber.

pub mod bell;
pub mod hub;
pub mod listen;

pub use bell::Bell;
pub use hub::{Entry, Hub, Tail};
