//! Runs one piece of work (real processes on this machine, statements, a request, a vCenter's task) and reports what it
//! says and how it ends.
//!
//! Knows neither definitions nor tables nor the server. Its layers, each of which sees only those before it: what is asked and answered
//! (`program`, `work`, `error`, `policy`); what is said (`mask`, `output`, `result_sets`) and what holds processes
//! (`process`); the one loop (`drive`); the kinds of work (`kind`); [`Host`], made once when the server starts.
//! [`Host::run`] runs one [`Work`] and answers only when no process of it is left. The invariant: whatever happens
//! (cancel, time limit, a dropped future, `kill -9` of the server), no process outlives the work that started it.
//! `docs/process-trees.md` says what each host offers.

mod context;
mod drive;
mod environment;
mod error;
mod folder;
mod host;
mod kind;
mod line_clock;
mod mask;
mod means;
mod orders;
mod output;
mod policy;
mod process;
pub mod program;
mod quota;
mod result_sets;
mod stopwatch;
mod work;

pub use error::ExecutorError;
pub use folder::{forget_secrets, tidy};
pub use host::{Host, HostOptions, OrphanReaper, Swept};
pub use kind::sql;
pub use line_clock::LineClock;
pub use mask::Mask;
pub use policy::OutboundPolicy;
pub use process::{Apart, Capabilities, Enforcement, Isolation, IsolationError, TreeChoice, TreeKind, Wanted};
pub use program::Program;
pub use quota::Folders;
pub use work::{Finished, Limits, LineBlock, Order, Outcome, Report, StopReason, Stream, Usage, Work};
