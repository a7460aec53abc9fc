//! Execute: the ordinary way of a subtask, from its release to the end of its attempt. These are the engine's own
//! commands; nobody asks for them, so they are not refused: an outcome that comes too late is `false`.

use std::time::Duration;

use crate::task::draft::Draft;
use crate::task::progress;
use crate::task::rollup::settle;
use crate::task::state::{SubtaskEvent, TaskEvent};
use crate::{AttemptId, OnLost, Operation, SubtaskState, TaskState};

/// However often the pause before a retry doubles, it grows no longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// Well.
    Succeeded,
    /// Badly.
    Failed,
    /// At its time limit.
    TimedOut,
    /// On request.
    Canceled,
    /// Its worker went away, or gave it back.
    Lost,
}

/// Releases the subtasks that need nothing: what happens at submission.
pub fn start(draft: &mut Draft) {
    settle(draft);
}

/// A worker takes a READY subtask. False when it is not READY any more, is held, or its back-off lasts.
pub fn claim(draft: &mut Draft, index: usize) -> bool {
    let subtask = &draft.snapshot().subtasks[index];
    let waits = subtask.held || subtask.not_before.is_some_and(|at| at > draft.now());
    if waits || subtask.state != SubtaskState::Ready {
        return false;
    }
    draft.step(index, SubtaskEvent::Claim, |subtask, now| {
        subtask.epoch += 1;
        subtask.runs += 1;
        subtask.tries += 1;
        subtask.progress = 0.0;
        subtask.not_before = None;
        subtask.message = None;
        subtask.attempt_id = None;
        subtask.started_at = Some(now);
        subtask.finished_at = None;
    });
    begin(draft);
    true
}

/// The task begins with the first subtask that is taken, even when it was paused or retried before that.
fn begin(draft: &mut Draft) {
    if draft.snapshot().task.state == TaskState::Pending {
        draft.step_task(TaskEvent::Start, |_, _| {});
    }
    if draft.snapshot().task.started_at.is_none() {
        let now = draft.now();
        draft.amend_task(|task| task.started_at = Some(now));
    }
}

/// The row of the claimed attempt has got its id.
pub fn identify(draft: &mut Draft, index: usize, attempt_id: AttemptId) {
    draft.identify(index, attempt_id);
}

/// What it put out is kept for its downstreams.
pub fn put_out(draft: &mut Draft, index: usize) {
    draft.amend(index, |subtask| subtask.has_outputs = true);
}

/// A running subtask's progress, 0 to 1; it only rises. False when it moved nothing.
pub fn advance(draft: &mut Draft, index: usize, fraction: f64) -> bool {
    let subtask = &draft.snapshot().subtasks[index];
    // What is no number moves nothing.
    let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    if subtask.state != SubtaskState::Running || fraction <= subtask.progress {
        return false;
    }
    draft.amend(index, |subtask| subtask.progress = fraction);
    progress::raise(draft);
    true
}

/// An attempt ended. False, and nothing changes, when the subtask is not under an attempt.
pub fn finish(draft: &mut Draft, index: usize, outcome: &Outcome, message: Option<String>) -> bool {
    match draft.snapshot().subtasks[index].state {
        SubtaskState::Running => {
            fence(draft, index, outcome);
            end(draft, index, outcome, message);
        }
        SubtaskState::Canceling => {
            fence(draft, index, outcome);
            // What is to be said of a stop, such as that something goes on elsewhere; an end of its own is none.
            stopped(draft, index, message.filter(|_| *outcome == Outcome::Canceled));
        }
        SubtaskState::Pending | SubtaskState::Ready | SubtaskState::Failed | SubtaskState::Successful => return false,
    }
    settle(draft);
    true
}

/// Whoever was lost writes nothing any more, even before the next claim.
fn fence(draft: &mut Draft, index: usize, outcome: &Outcome) {
    if *outcome == Outcome::Lost {
        draft.amend(index, |subtask| subtask.epoch += 1);
    }
}

/// However it ended: it was to be stopped, and it is.
fn stopped(draft: &mut Draft, index: usize, said: Option<String>) {
    draft.step(index, SubtaskEvent::Stopped, |subtask, now| {
        subtask.operation = Operation::Cancel;
        subtask.message = Some(said.map_or_else(|| "canceled".to_owned(), |said| format!("canceled; {said}")));
        subtask.finished_at = Some(now);
    });
}

fn end(draft: &mut Draft, index: usize, outcome: &Outcome, message: Option<String>) {
    let subtask = &draft.snapshot().subtasks[index];
    match outcome {
        Outcome::Succeeded => succeed(draft, index, message),
        Outcome::Failed | Outcome::TimedOut if subtask.tries < subtask.max_tries => again(draft, index, message),
        Outcome::Failed | Outcome::TimedOut => fail(draft, index, message),
        // Stopped though nobody asked for it here: the worker gave it back.
        Outcome::Canceled | Outcome::Lost => match subtask.on_lost {
            OnLost::Retry => give_back(draft, index, message),
            OnLost::Fail => fail(draft, index, message.or_else(|| Some("its worker was lost".to_owned()))),
        },
    }
}

fn succeed(draft: &mut Draft, index: usize, message: Option<String>) {
    let undoing = draft.snapshot().subtasks[index].operation == Operation::Rollback;
    let event = if undoing { SubtaskEvent::Undone } else { SubtaskEvent::Succeed };
    draft.step(index, event, |subtask, now| {
        subtask.progress = if undoing { 0.0 } else { 1.0 };
        subtask.message = message;
        subtask.finished_at = Some(now);
    });
}

fn fail(draft: &mut Draft, index: usize, message: Option<String>) {
    draft.step(index, SubtaskEvent::Fail, |subtask, now| {
        subtask.message = message;
        subtask.finished_at = Some(now);
    });
}

/// Automatic retry: READY again after a pause that doubles with each try.
fn again(draft: &mut Draft, index: usize, message: Option<String>) {
    draft.step(index, SubtaskEvent::Again, |subtask, now| {
        let doublings = u32::try_from(subtask.tries - 1).unwrap_or(0).min(20);
        let pause = subtask.backoff.saturating_mul(1 << doublings).min(LONGEST_PAUSE.max(subtask.backoff));
        if subtask.operation != Operation::Rollback {
            subtask.operation = Operation::Retry;
        }
        subtask.not_before = Some(now.after(pause));
        subtask.progress = 0.0;
        subtask.message = message;
    });
}

/// The attempt does not count as a try: the loss of a worker is not the subtask's failure.
fn give_back(draft: &mut Draft, index: usize, message: Option<String>) {
    draft.step(index, SubtaskEvent::Again, |subtask, _| {
        subtask.tries -= 1;
        subtask.progress = 0.0;
        subtask.message = message.or_else(|| Some("its worker was lost".to_owned()));
    });
}
