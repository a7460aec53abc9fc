//! What a decision needs to know of a task and its subtasks, at one moment.

use std::time::Duration;

use crate::{AttemptId, OnLost, Operation, SubtaskId, SubtaskState, TaskId, TaskState, TenantId, Timestamp};

/// A task with all its subtasks, which are in the order of their `seq`.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The task.
    pub task: TaskFacts,
    /// Its subtasks; index = `seq`.
    pub subtasks: Vec<SubtaskFacts>,
}

/// The task's own facts.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFacts {
    /// Its id.
    pub id: TaskId,
    /// Its owner.
    pub tenant_id: TenantId,
    /// Where it stands.
    pub state: TaskState,
    /// What it is, or was last, doing.
    pub operation: Operation,
    /// Its subtasks are being undone, or that was tried last.
    pub backward: bool,
    /// The definition forbids rollback.
    pub prohibit_rollback: bool,
    /// 0 to 1.
    pub progress: f64,
    /// Why it failed.
    pub message: Option<String>,
    /// When its first subtask was taken.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A subtask's facts: first what never changes, then what does.
#[derive(Clone, Debug, PartialEq)]
pub struct SubtaskFacts {
    /// Its id.
    pub id: SubtaskId,
    /// Its name.
    pub name: String,
    /// Indexes of its upstreams, each smaller than its own.
    pub needs: Vec<usize>,
    /// Labels a worker must have, sorted, joined by commas.
    pub requires: String,
    /// Its share of the task's progress.
    pub weight: f64,
    /// Attempts in one operation.
    pub max_tries: i32,
    /// The pause before the second try; doubles with each further.
    pub backoff: Duration,
    /// What follows the loss of its worker.
    pub on_lost: OnLost,
    /// Once it has run, the task cannot be rolled back.
    pub prohibit_rollback: bool,

    /// Where it stands.
    pub state: SubtaskState,
    /// What it is, or was last, doing.
    pub operation: Operation,
    /// Nobody may claim it, what runs is frozen.
    pub held: bool,
    /// 0 to 1.
    pub progress: f64,
    /// Attempts begun, ever.
    pub runs: i32,
    /// Attempts begun in this operation.
    pub tries: i32,
    /// The fence of its attempts.
    pub epoch: i64,
    /// The running attempt, else the last one.
    pub attempt_id: Option<AttemptId>,
    /// It is not claimed before.
    pub not_before: Option<Timestamp>,
    /// It put something out: its downstreams are given it.
    pub has_outputs: bool,
    /// Why it failed.
    pub message: Option<String>,
    /// When its latest attempt began.
    pub started_at: Option<Timestamp>,
    /// When its latest attempt ended.
    pub finished_at: Option<Timestamp>,
}

impl Snapshot {
    /// The index of a subtask of this task.
    #[must_use]
    pub fn index(&self, id: SubtaskId) -> Option<usize> {
        self.subtasks.iter().position(|subtask| subtask.id == id)
    }

    /// Indexes of the subtasks that need this one.
    pub fn downstreams(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.subtasks.iter().enumerate().skip(index + 1).filter(move |(_, s)| s.needs.contains(&index)).map(|(i, _)| i)
    }

    /// Indexes of everything upstream of it, near and far, ascending.
    #[must_use]
    pub fn ancestors(&self, index: usize) -> Vec<usize> {
        let mut reached = vec![false; index];
        let mut open = self.subtasks[index].needs.clone();
        while let Some(up) = open.pop() {
            if !std::mem::replace(&mut reached[up], true) {
                open.extend(&self.subtasks[up].needs);
            }
        }
        (0..index).filter(|&up| reached[up]).collect()
    }

    /// Whether every upstream is done.
    #[must_use]
    pub fn is_releasable(&self, index: usize) -> bool {
        self.subtasks[index].needs.iter().all(|&up| self.subtasks[up].state == SubtaskState::Successful)
    }

    /// Whether the undo of this subtask still has to begin.
    #[must_use]
    pub fn awaits_undo(&self, index: usize) -> bool {
        let subtask = &self.subtasks[index];
        self.task.backward
            && subtask.operation == Operation::Rollback
            && subtask.tries == 0
            && matches!(subtask.state, SubtaskState::Successful | SubtaskState::Failed)
    }

    /// Whether every downstream is undone or never ran.
    #[must_use]
    pub fn is_undo_releasable(&self, index: usize) -> bool {
        self.downstreams(index).all(|down| self.subtasks[down].state == SubtaskState::Pending)
    }

    /// Why the task may not be rolled back, if so.
    #[must_use]
    pub fn forbids_rollback(&self) -> Option<String> {
        if self.task.prohibit_rollback {
            return Some("its definition forbids it".to_owned());
        }
        if self.task.backward {
            // It was allowed once. An undo counts as a run, and must not forbid that it is repeated.
            return None;
        }
        let forbidding = self.subtasks.iter().find(|s| s.prohibit_rollback && s.runs > 0)?;
        Some(format!("subtask {} has run and forbids it", forbidding.name))
    }
}

impl TaskFacts {
    /// A task of which nothing has happened yet.
    #[must_use]
    pub fn new(id: TaskId, tenant_id: TenantId) -> Self {
        Self {
            id,
            tenant_id,
            state: TaskState::Pending,
            operation: Operation::Execute,
            backward: false,
            prohibit_rollback: false,
            progress: 0.0,
            message: None,
            started_at: None,
            finished_at: None,
        }
    }
}

impl SubtaskFacts {
    /// A subtask of which nothing has happened yet, with the usual settings.
    #[must_use]
    pub fn new(name: String, needs: Vec<usize>) -> Self {
        Self {
            id: SubtaskId(0),
            name,
            needs,
            requires: String::new(),
            weight: 1.0,
            max_tries: 1,
            backoff: Duration::from_secs(1),
            on_lost: OnLost::Retry,
            prohibit_rollback: false,
            state: SubtaskState::Pending,
            operation: Operation::Execute,
            held: false,
            progress: 0.0,
            runs: 0,
            tries: 0,
            epoch: 0,
            attempt_id: None,
            not_before: None,
            has_outputs: false,
            message: None,
            started_at: None,
            finished_at: None,
        }
    }
}
