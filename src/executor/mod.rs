//! Runs one piece of work (real processes on this machine, statements, a request, a vCenter's task) and reports what it says and how it
//! ends.
//!
//! Knows neither tables nor doors. [`Host`] is made once, when the server starts; [`Host::run`] runs one [`Work`]:
//! it spawns (`process::spawn`), passes output on (`output`), obeys orders (`control`), and answers only when no
//! process of the work is left. The invariant: whatever happens (cancel, time limit, a dropped future, `kill -9` of
//! the server), no process outlives the work that started it. `docs/process-trees.md` says what each host offers.

mod context;
mod environment;
mod error;
mod folder;
mod host;
mod kind;
mod mask;
mod orders;
mod output;
mod policy;
mod process;
mod quota;
mod result_sets;
mod stopwatch;
mod work;

pub use error::ExecutorError;
pub use folder::{forget_secrets, tidy};
pub use host::{Host, HostOptions, Swept};
pub use kind::{http, sql, vsphere};
pub use mask::Mask;
pub use process::{Apart, Capabilities, Enforcement, Isolation, IsolationError, Wanted, Way, WayChoice};
pub use quota::Folders;
pub use policy::Reach;
pub use work::{Finished, Limits, LineBlock, Order, Outcome, Program, Report, StopReason, Stream, Usage, Work};
