//! The executor with real processes, in each way that this machine offers.

#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod environment;
mod guard;
mod limits;
mod noop;
mod orders;
mod output;
mod stage;
mod tree;
