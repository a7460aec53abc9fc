//! The port between a dispatcher and its workers: all that a worker asks and all that it is answered.
//!
//! A worker in the server's process calls it in memory. Every type here is plain data that can be serialized, so that
//! a worker on another host can send the same words over a connection. Nothing here is a row of a table, a type of the
//! store or of the executor. Each question may be asked again after an error: what was done already is recognized.

mod equipment;
mod error;
mod secret;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use taskloom_core::log::LogChunk;
use taskloom_core::rows::PackedPart;
use taskloom_core::task::command::execute::Outcome;
use taskloom_core::text::Text;
use taskloom_core::{AttemptId, Operation, SubtaskId, TaskId, Timestamp};

pub use equipment::{AttemptEquipment, AttemptNeeds, CertificateTrust, DataSourceAccess, VcenterAccess};
pub use error::{PortError, PortErrorKind, PortResult};
pub use secret::PortSecret;

/// Who a worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRegistration {
    /// A name for people; not unique.
    pub name: String,
    /// Steps that ask for labels run only where all of them are.
    pub labels: Vec<String>,
    /// How many attempts it runs at once.
    pub slots: usize,
    /// How it holds attempts apart, in a word.
    pub isolation: String,
}

/// One life of a worker under one lease. A worker whose session has ended begins another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerSession {
    /// Unique among all sessions of all workers.
    pub id: String,
    /// How long the lease holds after each renewal.
    pub lease: Duration,
}

/// One attempt to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which attempt.
    pub attempt: AttemptRef,
    /// Run the subtask, or undo it.
    pub operation: Operation,
    /// Its number within the subtask, from 1.
    pub number: i32,
    /// Where its log begins in the subtask's.
    pub first_line: i64,
    /// The subtask's spec, as JSON.
    pub spec: String,
    /// The task's parameters with the outputs of its upstreams.
    pub parameters: Map<String, Value>,
}

/// An attempt, and the epoch that fences its writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AttemptRef {
    pub id: AttemptId,
    pub subtask_id: SubtaskId,
    pub task_id: TaskId,
    /// Raised by each claim of the subtask. A write under an older one is refused.
    pub epoch: i64,
}

/// What is to be done with an attempt that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// Run, or go on.
    Run,
    /// Freeze.
    Pause,
    /// Stop with all processes.
    Cancel,
    /// Stop, and give it back: this worker ends.
    GiveBack,
    /// Stop at once: the attempt is not this worker's any more.
    Drop,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptEnd {
    pub attempt: AttemptRef,
    pub outcome: Outcome,
    /// The exit status of its process, where it had one.
    pub exit_code: Option<i32>,
    /// Why, for people.
    pub message: Option<Text>,
    /// What it put out, by name: parameters of the steps downstream.
    pub outputs: Map<String, Value>,
    pub used: ResourceUse,
}

impl AttemptEnd {
    /// An end that says nothing but how.
    #[must_use]
    pub fn bare(attempt: AttemptRef, outcome: Outcome, message: Option<Text>) -> Self {
        Self { attempt, outcome, exit_code: None, message, outputs: Map::new(), used: ResourceUse::default() }
    }

    /// The end of an attempt that nobody runs.
    #[must_use]
    pub fn lost(attempt: AttemptRef, message: &str) -> Self {
        Self::bare(attempt, Outcome::Lost, Some(message.into()))
    }
}

/// What an attempt used of its host; none: it was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceUse {
    /// Seconds of CPU.
    pub cpu_seconds: Option<f64>,
    /// Bytes, last seen.
    pub memory_bytes: Option<i64>,
    /// Bytes at most.
    pub peak_memory_bytes: Option<i64>,
    /// Processes at most.
    pub processes: Option<i32>,
}

/// What a running attempt says beside its log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AttemptReport {
    /// How far it is, 0 to 1, and in words.
    Progress(f64, Option<Text>),
    /// Something for people to look at.
    Warning(Text),
    /// What it uses.
    Usage(ResourceUse),
}

/// Whether a write of an attempt was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Acceptance {
    /// It is recorded.
    Accepted,
    /// The attempt is not this worker's any more: it was lost, and nothing was written.
    Refused,
}

/// What a dispatcher does for its workers. Any number of them may ask at the same time, each within its own session.
#[async_trait]
pub trait Port: Send + Sync {
    /// Begins a session.
    async fn register(&self, worker: WorkerRegistration) -> PortResult<WorkerSession>;

    /// Waits for work, `free` attempts at the most, and takes it. A session has one such question at a time: a later
    /// one takes the place of the earlier, which is answered with nothing.
    async fn claim(&self, session: &WorkerSession, free: usize) -> PortResult<Vec<Assignment>>;

    /// Lengthens the lease; until when. None: the session has ended, everything it runs is lost.
    async fn renew(&self, session: &WorkerSession) -> PortResult<Option<Timestamp>>;

    /// What is to be done with each attempt of this session; waits until something may have changed, for so long.
    async fn intents(&self, session: &WorkerSession, within: Duration) -> PortResult<Vec<(AttemptRef, Intent)>>;

    /// Appends to an attempt's log, from this line of the subtask's log on.
    async fn append(&self, attempt: AttemptRef, first_line: i64, chunks: Vec<LogChunk>) -> PortResult<Acceptance>;

    /// Forgets the middle of a log that grew too long: the chunks that begin at these lines.
    async fn trim(&self, attempt: AttemptRef, first_lines: Vec<i64>) -> PortResult<Acceptance>;

    /// What an attempt needs that its assignment only names: values of secrets, a data source or a vCenter with its
    /// password.
    async fn equip(&self, attempt: AttemptRef, needs: &AttemptNeeds) -> PortResult<AttemptEquipment>;

    /// Keeps parts of result sets.
    async fn keep(&self, attempt: AttemptRef, parts: Vec<PackedPart>) -> PortResult<Acceptance>;

    /// Reports on a running attempt. May be written a moment later, together with others; waits while many wait.
    async fn report(&self, attempt: AttemptRef, report: AttemptReport) -> PortResult<()>;

    /// Records the end of attempts, in order.
    async fn finish(&self, ends: Vec<AttemptEnd>) -> PortResult<Vec<Acceptance>>;

    /// Ends the session. What it had runs again elsewhere, without waiting for the end of its lease.
    async fn leave(&self, session: &WorkerSession) -> PortResult<()>;
}
