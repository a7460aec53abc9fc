//! The worker: asks for work, runs it, and says what came of it. All that it knows of the server is the [`port`].
//!
//! [`session`] keeps a lease and hands out slots, `attempt_runner` runs one attempt, `output_recorder` passes on what
//! it says (`log_writer`, `result_writer`, `outputs`), [`shutdown`] ends a session, `unknown_attempts` gives back what
//! never came. [`observer`] is what it tells whoever counts. Nothing here can see a table, a query or the server's parts:
//! a worker on another host links without them (`.ci/walls`).

mod access;
mod assignment;
mod attempt_runner;
mod fill;
mod last_line;
mod log_writer;
pub mod observer;
pub mod options;
mod output_recorder;
mod outputs;
pub mod port;
mod program;
mod result_writer;
pub mod session;
mod session_state;
pub mod shutdown;
mod unknown_attempts;
