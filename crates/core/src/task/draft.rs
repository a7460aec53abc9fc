//! A decision in the making: a snapshot that changes only through the transition table and remembers every move.

use super::snapshot::Snapshot;
use super::state::{self, SubtaskEvent, TaskEvent};
use crate::{AttemptId, Operation, SubtaskState, TaskState, Timestamp};

/// One step that was decided, in order. Each becomes an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    /// A subtask moved.
    Subtask {
        /// Which.
        index: usize,
        /// Its new state.
        state: SubtaskState,
        /// Its operation by then.
        operation: Operation,
        /// Why.
        message: Option<String>,
        /// The attempt it concerns.
        attempt_id: Option<AttemptId>,
    },
    /// The task moved.
    Task {
        /// Its new state.
        state: TaskState,
        /// Its operation by then.
        operation: Operation,
        /// Why.
        message: Option<String>,
    },
}

/// A subtask as it was before the decision: what the write's condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub index: usize,
    /// Its state before.
    pub state: SubtaskState,
    /// Its epoch before.
    pub epoch: i64,
}

/// What was decided: the task as it will be, which rows of it changed, and the moves that led there.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Afterwards.
    pub snapshot: Snapshot,
    /// The subtasks that changed, once each.
    pub touched: Vec<Touched>,
    /// The task's state before, when the task's own row changed.
    pub task_touched: Option<TaskState>,
    /// In order.
    pub moves: Vec<Move>,
}

/// A snapshot under change.
#[derive(Debug)]
pub struct Draft {
    now: Timestamp,
    plan: Plan,
}

impl Draft {
    /// Begins a decision at the instant `now`.
    #[must_use]
    pub fn new(snapshot: Snapshot, now: Timestamp) -> Self {
        Self { now, plan: Plan { snapshot, touched: vec![], task_touched: None, moves: vec![] } }
    }

    /// The present instant of this decision.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The task as it stands by now.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.plan.snapshot
    }

    /// Ends the decision.
    #[must_use]
    pub fn into_plan(self) -> Plan {
        self.plan
    }

    /// Moves a subtask, and lets `change` set what goes with it. Whoever calls it has made sure that the table has
    /// the transition; without it nothing changes.
    pub(super) fn step(
        &mut self,
        index: usize,
        event: SubtaskEvent,
        change: impl FnOnce(&mut super::SubtaskFacts, Timestamp),
    ) {
        let before = self.plan.snapshot.subtasks[index].state;
        let Some(next) = state::subtask(before, event) else {
            debug_assert!(false, "invariant: {event:?} is decided only where it is possible, not in {before}");
            return;
        };
        self.touch(index);
        let paused = self.plan.snapshot.task.state == TaskState::Paused;
        let now = self.now;
        let subtask = &mut self.plan.snapshot.subtasks[index];
        subtask.state = next;
        subtask.held = paused && next.is_active();
        change(subtask, now);
        if next == SubtaskState::Ready {
            // What is to run has not ended, however often it did.
            subtask.finished_at = None;
        }
        self.tell(index);
    }

    /// Remembers how a subtask stands now: its state or its operation has changed.
    pub(super) fn tell(&mut self, index: usize) {
        let subtask = &self.plan.snapshot.subtasks[index];
        let step = Move::Subtask {
            index,
            state: subtask.state,
            operation: subtask.operation,
            message: subtask.message.clone(),
            attempt_id: subtask.attempt_id,
        };
        self.plan.moves.push(step);
    }

    /// Changes facts of a subtask beside its state.
    pub(super) fn amend(&mut self, index: usize, change: impl FnOnce(&mut super::SubtaskFacts)) {
        self.touch(index);
        change(&mut self.plan.snapshot.subtasks[index]);
    }

    /// Gives a claimed subtask, and the move that claimed it, the id of the attempt.
    pub(super) fn identify(&mut self, index: usize, id: AttemptId) {
        self.plan.snapshot.subtasks[index].attempt_id = Some(id);
        for step in self.plan.moves.iter_mut().rev() {
            if let Move::Subtask { index: moved, state: SubtaskState::Running, attempt_id, .. } = step
                && *moved == index
            {
                *attempt_id = Some(id);
                return;
            }
        }
    }

    /// Moves the task likewise.
    pub(super) fn step_task(&mut self, event: TaskEvent, change: impl FnOnce(&mut super::TaskFacts, Timestamp)) {
        let before = self.plan.snapshot.task.state;
        let Some(next) = state::task(before, event) else {
            debug_assert!(false, "invariant: {event:?} is decided only where it is possible, not in {before}");
            return;
        };
        self.touch_task();
        let now = self.now;
        let task = &mut self.plan.snapshot.task;
        let before = (task.state, task.operation);
        task.state = next;
        change(task, now);
        if before != (task.state, task.operation) {
            let step = Move::Task { state: next, operation: task.operation, message: task.message.clone() };
            self.plan.moves.push(step);
        }
    }

    /// Changes facts of the task beside its state.
    pub(super) fn amend_task(&mut self, change: impl FnOnce(&mut super::TaskFacts)) {
        self.touch_task();
        change(&mut self.plan.snapshot.task);
    }

    fn touch(&mut self, index: usize) {
        if !self.plan.touched.iter().any(|t| t.index == index) {
            let subtask = &self.plan.snapshot.subtasks[index];
            self.plan.touched.push(Touched { index, state: subtask.state, epoch: subtask.epoch });
        }
    }

    fn touch_task(&mut self) {
        if self.plan.task_touched.is_none() {
            self.plan.task_touched = Some(self.plan.snapshot.task.state);
        }
    }
}
