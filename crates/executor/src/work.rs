//! What is asked of the executor and what it answers: plain data, no behaviour.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use taskloom_core::Timestamp;
use taskloom_core::rows::Part;
use taskloom_vault::Hidden;

use super::program::Program;

/// What the work may use at most. A limit that the host cannot enforce leads to a line in the log that says so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    /// Processors: `0.5` is half of one.
    pub cpu: Option<f64>,
    /// Processes and threads at a time.
    pub processes: Option<u32>,
    /// Bytes of the longest file that one of its processes may write.
    pub file_size: Option<u64>,
}

/// One piece of work.
#[derive(Clone, Debug)]
pub struct Work {
    /// Unique among the works of this host; letters, digits, `-`, `_` and `.`: it names the control group.
    pub name: String,
    /// The working folder: made here, removed by whoever keeps the records.
    pub folder: PathBuf,
    /// What runs.
    pub program: Program,
    /// A JSON object; reaches the program as environment and as a file, never as code.
    pub parameters: serde_json::Value,
    /// Further variables; they may replace `PATH`, `HOME` and `LANG` but none of `TASKLOOM_…`'s own.
    pub environment: Vec<(String, String)>,
    /// How long it may run; does not count while paused.
    pub timeout: Option<Duration>,
    /// How long after TERM the KILL follows.
    pub grace: Duration,
    /// What it may use.
    pub limits: Limits,
    /// The user as whom its processes run; none: the host's choice.
    pub user: Option<String>,
    /// What it is given by name; unreadable in all that it says.
    pub secrets: Vec<(String, Hidden)>,
}

/// What the caller wants of a running work; the newest order counts, and a stop is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Begin, or go on after a pause.
    Run,
    /// Freeze every process.
    Pause,
    /// TERM to every process, after the grace KILL.
    Stop(StopReason),
    /// KILL every process now.
    Kill(StopReason),
}

/// Why a work is stopped; decides its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// Somebody wants it: the outcome is [`Outcome::Canceled`].
    Canceled,
    /// This host gives it up: the outcome is [`Outcome::Lost`].
    Shutdown,
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    Stdout,
    Stderr,
    /// What the executor itself has to say of the work.
    System,
}

/// Whole lines of one stream, as they were written: any bytes, each line ended by `\n`; at most 64 KiB and one byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineBlock {
    pub text: Bytes,
    pub lines: u32,
    pub stream: Stream,
    /// When the first of them was read.
    pub at: Timestamp,
}

/// What a running work says.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// Lines for the log.
    Lines(LineBlock),
    /// `::progress 0.4 text`.
    Progress {
        /// From 0 to 1.
        fraction: f64,
        text: Option<String>,
    },
    /// `::output key=value`.
    Output { key: String, value: String },
    /// `::warning text`.
    Warning(String),
    /// A part of what it found.
    Result {
        /// Which result set, from 0.
        number: u32,
        part: Part,
    },
    /// What it uses: about once a second, left out when the channel is full.
    Usage(Usage),
}

/// What a work has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Processor time of all its processes, in seconds.
    pub cpu_seconds: f64,
    /// Memory in bytes when last looked at.
    pub memory_bytes: u64,
    /// The most memory seen, in bytes.
    pub peak_memory_bytes: u64,
    /// The most processes seen at a time.
    pub processes: u32,
}

/// How a work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Exit status 0, or what stands for it where nothing exits.
    Succeeded,
    /// Any other exit status, a signal, or it could not be started.
    Failed,
    /// The time limit was reached.
    TimedOut,
    /// Stopped because somebody wanted it.
    Canceled,
    /// Given up by this host: it may run again.
    Lost,
}

/// The end of a work: no process of it is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    pub outcome: Outcome,
    /// The exit status; `None` when it was ended by a signal or never ran.
    pub exit_code: Option<i32>,
    /// What a person should know, when it did not succeed.
    pub message: Option<String>,
    pub usage: Usage,
}

impl Finished {
    /// An end without any process.
    pub(super) fn bare(outcome: Outcome, message: Option<String>) -> Self {
        Self { outcome, exit_code: None, message, usage: Usage::default() }
    }
}

impl StopReason {
    /// The outcome of a work that was stopped for this reason.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Canceled => Outcome::Canceled,
            Self::Shutdown => Outcome::Lost,
        }
    }
}
