//! A subtask of a definition: what it runs and under which conditions. By itself it is what a worker receives.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::canonical::{self, is_default};
use super::vsphere::Vsphere;
use crate::{ExecutorKind, OnLost};

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subtask {
    pub name: String,
    /// The name where nothing else was written.
    pub description: String,
    /// The names of its upstreams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    pub run: Run,
    /// What takes back what `run` did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Run>,
    /// The longest that one try may take.
    #[serde(default, with = "canonical::span::optional", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: Retry,
    /// Its share of the task's progress.
    #[serde(default = "canonical::one", skip_serializing_if = "canonical::is_one")]
    pub weight: f64,
    /// Labels that its worker must have; none: any worker will do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<String>,
    #[serde(
        default = "canonical::lost::retry",
        with = "canonical::lost",
        skip_serializing_if = "canonical::lost::is_retry"
    )]
    pub on_lost: OnLost,
    /// Once it has begun, the task may not be rolled back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub prohibit_rollback: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// The names of the secrets that it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The user of the worker's host as whom its processes run; none: the worker's own choice. Only an ADMIN may say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
}

/// What a subtask executes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// A script of the POSIX shell.
    Shell(String),
    /// A Python program.
    Python(String),
    /// Nothing: a gate, optionally with a pause.
    Noop {
        #[serde(default, with = "canonical::span::optional", skip_serializing_if = "Option::is_none")]
        sleep: Option<Duration>,
    },
    /// One HTTP request.
    Http(Http),
    /// Work on a vCenter's virtual machines.
    Vsphere(Vsphere),
    /// Statements for a data source: two keys of `run` beside each other.
    #[serde(untagged)]
    Sql(Sql),
}

/// Statements for a data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sql {
    /// One or more, with semicolons between them.
    pub sql: String,
    /// The data source's name.
    pub source: String,
}

/// One HTTP request. Address, values of headers and body may have `${param.…}` and `${secret.…}` in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "canonical::pairs")]
    pub headers: Vec<(String, String)>,
    /// Text as it is; anything else is sent as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The statuses that are a success; none: 200 to 299.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<u16>,
    /// How often it is tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: u32,
}

impl Run {
    /// Whether it runs as processes of the worker's host.
    #[must_use]
    pub const fn has_processes(&self) -> bool {
        matches!(self, Self::Shell(_) | Self::Python(_))
    }

    /// Which executor runs it.
    #[must_use]
    pub const fn kind(&self) -> ExecutorKind {
        match self {
            Self::Shell(_) => ExecutorKind::Shell,
            Self::Python(_) => ExecutorKind::Python,
            Self::Noop { .. } => ExecutorKind::Noop,
            Self::Sql(_) => ExecutorKind::Sql,
            Self::Http(_) => ExecutorKind::Http,
            Self::Vsphere(_) => ExecutorKind::Vsphere,
        }
    }
}

/// How often a subtask is tried before it has failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Tries in all, the first one included.
    pub attempts: u32,
    /// The pause before the second try.
    #[serde(with = "canonical::span")]
    pub backoff: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 1, backoff: Duration::from_secs(1) }
    }
}

/// The most that the processes of one try may use, together; of files, each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Processes and threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<u32>,
    /// Bytes of the longest file that one of them may write.
    #[serde(default, rename = "fileSize", skip_serializing_if = "Option::is_none")]
    pub file_size: Option<u64>,
}
