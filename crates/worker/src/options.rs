//! How a worker works, and when it stops.

use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::port::WorkerRegistration;

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    pub registration: WorkerRegistration,
    /// Between two renewals of its lease.
    pub renew: Duration,
    /// From TERM to KILL.
    pub grace: Duration,
    /// How long running work may go on after a gentle stop.
    pub patience: Duration,
    /// Working folders of attempts are made here.
    pub folder: PathBuf,
    /// Bytes of one attempt's log; its middle goes.
    pub log_limit: u64,
    /// Bytes of text in one chunk of it.
    pub log_chunk: usize,
    /// How long a line may wait to be written.
    pub log_flush: Duration,
}

/// When to stop: gently, then at once.
#[derive(Clone, Debug, Default)]
pub struct WorkerStops {
    /// Take nothing new; what runs has the patience's time.
    pub gently: CancellationToken,
    /// Stop what runs now.
    pub now: CancellationToken,
}
