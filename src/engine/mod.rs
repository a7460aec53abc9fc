//! Records what workers say and hands out work. [`dispatcher`] is the port of any number of workers, each in a session
//! of `sessions`; its loop, [`dispatch_loop`], gathers what waits into batches; [`cycle`] is the one transaction in
//! which a batch is recorded and work is handed out; `divide` keeps one bad record from stopping the others; [`apply`]
//! writes what was decided. [`recovery`] takes back what a lost worker had, `lost_commit` finds out what a commit came
//! to that was not answered; [`equip`] opens what attempts name; [`tally`] counts what was committed.
//!
//! Attempts happen at least once, transitions exactly once: every write of an attempt is fenced by its epoch.

pub mod apply;
mod attempt_row;
pub mod cycle;
pub mod dispatch_loop;
pub mod dispatcher;
mod divide;
pub mod equip;
mod lost_commit;
pub mod recovery;
mod sessions;
pub mod tally;
mod worker_metrics;
