//! Runs one piece of work as real processes on this machine and reports what they say and how they end.
//!
//! Knows neither tables nor doors. [`Host`] is made once, when the server starts; [`Host::run`] runs one [`Work`]:
//! it spawns (`process::spawn`), passes output on (`output`), obeys orders (`control`), and answers only when no
//! process of the work is left. The invariant: whatever happens (cancel, time limit, a dropped future, `kill -9` of
//! the server), no process outlives the work that started it. `docs/process-trees.md` says what each host offers.

mod control;
mod error;
mod folder;
mod host;
mod noop;
mod orders;
mod output;
mod process;
mod stopwatch;
mod work;

pub use error::ExecutorError;
pub use folder::tidy;
pub use host::{Host, HostOptions, Swept};
pub use process::{Capabilities, Enforcement, Way, WayChoice};
pub use work::{Finished, Limits, LineBlock, Order, Outcome, Program, Report, StopReason, Stream, Usage, Work};
