//! Claims, runs, records. [`apply`] writes what was decided; [`cycle`] is the one transaction in which outcomes are
//! recorded and work is handed out; [`desk`] gathers what waits to be written into cycles; [`worker`] runs attempts
//! through the narrow [`port`] and ends by [`farewell`]; `divide` keeps one bad record from stopping the others;
//! [`recovery`] takes back what a lost worker had, `doubt` and `stranger` what a lost answer left open; [`tally`] counts
//! what was committed.
//!
//! Attempts happen at least once, transitions exactly once: every write of an attempt is fenced by its epoch.

pub mod apply;
pub mod attempt;
pub mod cycle;
pub mod desk;
mod divide;
mod doubt;
pub mod equip;
pub mod farewell;
mod fill;
mod findings;
mod last_line;
mod outputs;
pub mod port;
mod program;
pub mod recovery;
mod stranger;
pub mod tally;
pub mod worker;
