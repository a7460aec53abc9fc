//! The narrow port between the engine and a worker. The worker in this process speaks through it in memory; workers
//! on other hosts will speak the same words over HTTP. It carries no database rows.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use taskloom_entity::{AttemptId, Operation, SubtaskId, TaskId, Timestamp};

use crate::error::Result;
use crate::executor::program::{DataSource, VcenterLogin};
use crate::log::Chunk;
use crate::store::attempt::{Running, Used};
pub use crate::store::result::Found;
use crate::task::command::execute::Outcome;
use crate::text::Text;
use crate::vault::Hidden;

/// Who a worker is.
#[derive(Clone, Debug)]
pub struct Hello {
    /// A name for people; not unique.
    pub name: String,
    /// What it has.
    pub labels: Vec<String>,
    /// How many attempts it runs at once.
    pub slots: usize,
    /// How it holds attempts apart, in a word.
    pub isolation: String,
}

/// A worker's life.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its id.
    pub id: String,
    /// How long the lease holds after each renewal.
    pub lease: Duration,
}

/// One attempt to run.
#[derive(Clone, Debug)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptRef {
    /// The attempt.
    pub id: AttemptId,
    /// Its subtask.
    pub subtask_id: SubtaskId,
    /// Its task.
    pub task_id: TaskId,
    /// The fence.
    pub epoch: i64,
}

impl From<&Running> for AttemptRef {
    fn from(attempt: &Running) -> Self {
        let Running { id, subtask_id, task_id, epoch, canceling: _, held: _ } = *attempt;
        Self { id, subtask_id, task_id, epoch }
    }
}

/// What a worker is to do with an attempt that it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Run.
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
#[derive(Clone, Debug)]
pub struct Finish {
    /// Which.
    pub attempt: AttemptRef,
    /// How.
    pub outcome: Outcome,
    /// The exit status of its process.
    pub exit_code: Option<i32>,
    /// Why.
    pub message: Option<Text>,
    /// What it put out.
    pub outputs: Map<String, Value>,
    /// What it used.
    pub used: Used,
}

impl Finish {
    /// The end of an attempt that nobody runs.
    #[must_use]
    pub fn lost(attempt: AttemptRef, message: &str) -> Self {
        Self {
            attempt,
            outcome: Outcome::Lost,
            exit_code: None,
            message: Some(message.into()),
            outputs: Map::new(),
            used: Used::default(),
        }
    }
}

/// A report of a running attempt.
#[derive(Clone, Debug)]
pub enum Report {
    /// How far it is, 0 to 1, and in words.
    Progress(f64, Option<Text>),
    /// Something to look at.
    Warning(Text),
    /// What it uses.
    Usage(Used),
}

/// What an attempt is given by name. It leaves the worker in nothing that the attempt says.
#[derive(Clone, Debug, Default)]
pub struct Equipment {
    /// Names and values.
    pub secrets: Vec<(String, Hidden)>,
    /// The data source.
    pub source: Option<DataSource>,
    /// The vCenter.
    pub vcenter: Option<VcenterLogin>,
}

/// What an attempt is to be given by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Secrets.
    pub secrets: Vec<String>,
    /// A data source.
    pub source: Option<String>,
    /// A vCenter.
    pub vcenter: Option<String>,
}

/// Whether a write of an attempt was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// It was.
    Yes,
    /// The attempt is not this worker's any more: it was lost, and nothing was written.
    Refused,
}

/// What the engine does for a worker.
#[async_trait]
pub trait Port: Send + Sync {
    /// Begins a life.
    async fn register(&self, hello: Hello) -> Result<Life>;

    /// Waits for work, `free` attempts at the most, and takes it.
    async fn claim(&self, life: &Life, free: usize) -> Result<Vec<Assignment>>;

    /// Lengthens the lease; until when. None: the life has ended, everything it runs is lost.
    async fn renew(&self, life: &Life) -> Result<Option<Timestamp>>;

    /// What is to be done with each attempt of this worker's; waits until something may have changed, for so long.
    async fn wishes(&self, life: &Life, within: Duration) -> Result<Vec<(AttemptRef, Wish)>>;

    /// Appends to an attempt's log, from this line of the subtask's log on. Sent again after an error it is there once.
    async fn append(&self, attempt: AttemptRef, first_line: i64, chunks: Vec<Chunk>) -> Result<Taken>;

    /// Forgets the middle of a log that grew too long: the chunks that begin at these lines.
    async fn trim(&self, attempt: AttemptRef, first_lines: Vec<i64>) -> Result<Taken>;

    /// What an attempt needs that its assignment only names: values of secrets, a data source or a vCenter with its
    /// password.
    async fn equip(&self, attempt: AttemptRef, needs: &Needs) -> Result<Equipment>;

    /// Keeps what an attempt found. Sent again after an error it is there once.
    async fn keep(&self, attempt: AttemptRef, found: Vec<Found>) -> Result<Taken>;

    /// Reports on a running attempt. May be written a moment later, together with others; waits while many wait.
    async fn report(&self, attempt: AttemptRef, report: Report) -> Result<()>;

    /// Records the end of attempts. An end that is there already was taken.
    async fn finish(&self, finishes: Vec<Finish>) -> Result<Vec<Taken>>;

    /// Ends the life.
    async fn leave(&self, life: &Life) -> Result<()>;
}
