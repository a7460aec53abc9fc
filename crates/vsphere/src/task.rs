//! A task as a vCenter knows it.

use chrono::{DateTime, Utc};

use super::fault::Fault;
use super::instant::APART;
use super::message::LocalizableMessage;
use super::reason::Reason;
use super::reference::Reference;
use super::value::Value;

/// Everything a vCenter tells of a task. (vSphere Web Services API, TaskInfo.)
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    /// The vCenter's key, such as `task-3251`. A restored vCenter may give it out again: a task is known by the
    /// instance's uuid, this key and `queue_time`.
    pub key: String,
    /// The task as an object. References end some minutes after the task did, or with a restart.
    pub task: Reference,
    /// What it is doing.
    pub description: Option<LocalizableMessage>,
    /// The method's name, such as `PowerOffVM_Task`; internal tasks have none.
    pub name: Option<String>,
    /// The key of its label in the catalogue, such as `VirtualMachine.powerOff`.
    pub description_id: String,
    /// What it works on.
    pub entity: Option<Reference>,
    /// The entity's name when the task was made.
    pub entity_name: Option<String>,
    /// What it holds locked.
    pub locked: Vec<Reference>,
    /// Where it stands.
    pub state: TaskState,
    /// Whether someone asked for its end.
    pub cancelled: bool,
    /// Whether one may ask.
    pub cancelable: bool,
    /// Why it failed.
    pub error: Option<Fault>,
    /// What it gave.
    pub result: Option<Value>,
    /// 0 to 100, where it reports any.
    pub progress: Option<i32>,
    /// Further numbers of its progress, by name (since 8.0.1.0).
    pub progress_details: Vec<(String, Value)>,
    /// Who or what started it.
    pub reason: Reason,
    /// When it was made.
    pub queue_time: DateTime<Utc>,
    /// When it began to run.
    pub start_time: Option<DateTime<Utc>>,
    /// When it ended.
    pub complete_time: Option<DateTime<Utc>>,
    /// What it and its events are found by.
    pub event_chain_id: i32,
    /// Which changes it belongs to.
    pub change_tag: Option<String>,
    /// The task that made it.
    pub parent_task_key: Option<String>,
    /// The first of the tasks that led to it.
    pub root_task_key: Option<String>,
    /// What a client called the operation.
    pub activation_id: Option<String>,
    /// What of it could not be read, and is as if it had not been told.
    pub flaw: Option<String>,
}

impl TaskInfo {
    /// Whether it is the task of its key that was queued then: keys are given out again.
    #[must_use]
    pub fn is_of(&self, queued: DateTime<Utc>) -> bool {
        (self.queue_time - queued).abs().to_std().is_ok_and(|apart| apart < APART)
    }
}

/// Where a task stands. (vSphere Web Services API, TaskInfoState.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Waits for its turn.
    Queued,
    /// Is at work.
    Running,
    /// Ended well.
    Success,
    /// Failed, or was cancelled.
    Error,
}

impl TaskState {
    /// Whether nothing will happen any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Success | Self::Error)
    }

    /// The API's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Success => "success",
            Self::Error => "error",
        }
    }

    /// The state that the API means by a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Queued, Self::Running, Self::Success, Self::Error].into_iter().find(|state| state.word() == word.trim())
    }
}
