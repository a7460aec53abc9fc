//! Why a subtask is not running, from the same facts that decide whether it may.

use super::snapshot::Snapshot;
use crate::{SubtaskState, TaskState, Timestamp};

/// One reason. A subtask may have several; the first is the nearest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// These upstreams are not done.
    Upstreams(Vec<usize>),
    /// These downstreams are to be undone first.
    Downstreams(Vec<usize>),
    /// One of its upstreams failed: nothing goes on before somebody retries or skips it.
    FailedUpstreams(Vec<usize>),
    /// The task is paused.
    Paused,
    /// Automatic retry waits.
    Backoff(Timestamp),
    /// No living worker has these labels.
    NoWorker(String),
    /// Every worker that could take it is full.
    NoSlot,
    /// The worker that ran it is silent; it is taken again when the lease ends.
    LostWorker(Timestamp),
    /// A worker will take it in a moment.
    Queued,
    /// The task is being cancelled or has ended.
    Ended,
}

/// A worker, as far as claiming goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerFacts {
    /// Its id.
    pub id: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// How many attempts it can run.
    pub slots: usize,
    /// How many it runs.
    pub busy: usize,
    /// When its lease ends unless it is renewed.
    pub lease_until: Timestamp,
    /// When it was heard of last.
    pub seen_at: Timestamp,
}

/// The reasons why the subtask at `index` is not running; none when it runs or is done. `runner` is the worker of its
/// running attempt; `silent_after` is how long a worker may be silent before it counts as missing.
#[must_use]
pub fn reasons(snapshot: &Snapshot, index: usize, workers: &Workers<'_>, now: Timestamp) -> Vec<Reason> {
    let subtask = &snapshot.subtasks[index];
    match subtask.state {
        SubtaskState::Running | SubtaskState::Canceling => running(snapshot, index, workers, now),
        SubtaskState::Ready => ready(snapshot, index, workers, now),
        SubtaskState::Pending if !snapshot.task.backward => pending(snapshot, index),
        SubtaskState::Failed | SubtaskState::Successful if snapshot.awaits_undo(index) => {
            awaiting_undo(snapshot, index)
        }
        SubtaskState::Pending | SubtaskState::Failed | SubtaskState::Successful => vec![],
    }
}

/// The living workers, and the one that runs the subtask.
#[derive(Clone, Copy, Debug)]
pub struct Workers<'a> {
    /// Those that hold a lease.
    pub alive: &'a [WorkerFacts],
    /// The one that runs the subtask asked about.
    pub runner: Option<&'a WorkerFacts>,
    /// A worker that was not heard of for this long has missed its renewals.
    pub silent_after: std::time::Duration,
}

fn running(snapshot: &Snapshot, index: usize, workers: &Workers<'_>, now: Timestamp) -> Vec<Reason> {
    let mut reasons = vec![];
    // Not the task's state: what is being stopped is not frozen while its task is paused.
    if snapshot.subtasks[index].held {
        reasons.push(Reason::Paused);
    }
    if let Some(runner) = workers.runner
        && now.since(runner.seen_at) > workers.silent_after
    {
        reasons.push(Reason::LostWorker(runner.lease_until));
    }
    reasons
}

fn ready(snapshot: &Snapshot, index: usize, workers: &Workers<'_>, now: Timestamp) -> Vec<Reason> {
    let subtask = &snapshot.subtasks[index];
    let mut reasons = vec![];
    if subtask.held {
        reasons.push(Reason::Paused);
    }
    if let Some(at) = subtask.not_before.filter(|&at| at > now) {
        reasons.push(Reason::Backoff(at));
    }
    let mut able = workers.alive.iter().filter(|w| has_labels(&w.labels, &subtask.requires)).peekable();
    if able.peek().is_none() {
        reasons.push(Reason::NoWorker(subtask.requires.clone()));
    } else if able.all(|worker| worker.busy >= worker.slots) {
        reasons.push(Reason::NoSlot);
    }
    if reasons.is_empty() {
        reasons.push(Reason::Queued);
    }
    reasons
}

fn pending(snapshot: &Snapshot, index: usize) -> Vec<Reason> {
    let needs = &snapshot.subtasks[index].needs;
    let open: Vec<usize> =
        needs.iter().copied().filter(|&up| snapshot.subtasks[up].state != SubtaskState::Successful).collect();
    let failed: Vec<usize> =
        open.iter().copied().filter(|&up| snapshot.subtasks[up].state == SubtaskState::Failed).collect();
    let mut reasons = vec![];
    if !failed.is_empty() {
        reasons.push(Reason::FailedUpstreams(failed));
    }
    if !open.is_empty() {
        reasons.push(Reason::Upstreams(open));
    }
    reasons.extend(standstill(snapshot.task.state));
    reasons
}

fn awaiting_undo(snapshot: &Snapshot, index: usize) -> Vec<Reason> {
    let left = snapshot.downstreams(index).filter(|&down| snapshot.subtasks[down].state != SubtaskState::Pending);
    let mut reasons = vec![Reason::Downstreams(left.collect())];
    reasons.extend(standstill(snapshot.task.state));
    reasons
}

/// Why nothing of the task begins at all, if so.
fn standstill(state: TaskState) -> Option<Reason> {
    match state {
        TaskState::Pending | TaskState::Running => None,
        TaskState::Paused => Some(Reason::Paused),
        TaskState::Canceling
        | TaskState::Successful
        | TaskState::Failed
        | TaskState::Canceled
        | TaskState::RolledBack => Some(Reason::Ended),
    }
}

/// Whether `labels` has every one of the comma-joined `requires`.
#[must_use]
pub fn has_labels(labels: &[String], requires: &str) -> bool {
    requires.split(',').filter(|label| !label.is_empty()).all(|label| labels.iter().any(|have| have == label))
}
