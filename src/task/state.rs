//! The one transition table. Every change of a subtask's or task's state passes through it; a new state does not
//! compile until every event has its answer. `docs/task-states.md` is written from it.

use taskloom_entity::{SubtaskState, TaskState};

/// What can happen to a subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubtaskEvent {
    /// All upstreams are done.
    Release,
    /// All downstreams are undone, or there were none.
    ReleaseUndo,
    /// A worker takes it.
    Claim,
    /// Its attempt ended well.
    Succeed,
    /// The attempt of its undo ended well.
    Undone,
    /// Its attempt ended badly and will not be repeated by itself.
    Fail,
    /// Its attempt ended badly or was lost, and is repeated by itself.
    Again,
    /// Somebody asked to cancel it.
    Cancel,
    /// What was cancelled has stopped.
    Stopped,
    /// Somebody asked to run it again.
    Retry,
    /// Somebody asked to count it as done.
    Skip,
    /// Somebody asked to count its undo as done.
    SkipUndo,
}

impl SubtaskEvent {
    /// Every event, in the order of the table.
    pub const ALL: [Self; 12] = [
        Self::Release,
        Self::ReleaseUndo,
        Self::Claim,
        Self::Succeed,
        Self::Undone,
        Self::Fail,
        Self::Again,
        Self::Cancel,
        Self::Stopped,
        Self::Retry,
        Self::Skip,
        Self::SkipUndo,
    ];
}

/// The state that follows, or nothing when the event cannot happen in `state`.
#[must_use]
pub const fn subtask(state: SubtaskState, event: SubtaskEvent) -> Option<SubtaskState> {
    use SubtaskState::{Canceling, Failed, Pending, Ready, Running, Successful};
    match event {
        SubtaskEvent::Release => match state {
            Pending => Some(Ready),
            Ready | Running | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::ReleaseUndo => match state {
            Failed | Successful => Some(Ready),
            Pending | Ready | Running | Canceling => None,
        },
        SubtaskEvent::Claim => match state {
            Ready => Some(Running),
            Pending | Running | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Succeed => match state {
            Running => Some(Successful),
            Pending | Ready | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Undone => match state {
            Running => Some(Pending),
            Pending | Ready | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Fail => match state {
            Running => Some(Failed),
            Pending | Ready | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Again => match state {
            Running => Some(Ready),
            Pending | Ready | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Cancel => match state {
            Running => Some(Canceling),
            Ready => Some(Failed),
            Pending | Canceling | Failed | Successful => None,
        },
        SubtaskEvent::Stopped => match state {
            Canceling => Some(Failed),
            Pending | Ready | Running | Failed | Successful => None,
        },
        SubtaskEvent::Retry => match state {
            Failed => Some(Ready),
            Pending | Ready | Running | Canceling | Successful => None,
        },
        SubtaskEvent::Skip => match state {
            Failed => Some(Successful),
            Pending | Ready | Running | Canceling | Successful => None,
        },
        SubtaskEvent::SkipUndo => match state {
            Failed => Some(Pending),
            Pending | Ready | Running | Canceling | Successful => None,
        },
    }
}

/// What can happen to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskEvent {
    /// The first subtask is taken.
    Start,
    /// Somebody asked to pause it.
    Pause,
    /// Somebody asked to go on.
    Resume,
    /// Somebody asked to cancel it.
    Cancel,
    /// A subtask of it is to run again, or to be undone.
    Reopen,
    /// Every subtask is done.
    Succeed,
    /// A subtask failed and nothing runs any more.
    Fail,
    /// It was cancelled and nothing runs any more.
    Canceled,
    /// Everything is undone.
    RolledBack,
}

impl TaskEvent {
    /// Every event, in the order of the table.
    pub const ALL: [Self; 9] = [
        Self::Start,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Reopen,
        Self::Succeed,
        Self::Fail,
        Self::Canceled,
        Self::RolledBack,
    ];
}

/// The state that follows, or nothing when the event cannot happen in `state`.
///
/// A cancelled task may be reopened like a failed one: the oldest dialect shows both as FAILED, and an operator who
/// stopped a change half-way wants to finish it or take it back.
#[must_use]
pub const fn task(state: TaskState, event: TaskEvent) -> Option<TaskState> {
    use TaskState::{Canceled, Canceling, Failed, Paused, Pending, RolledBack, Running, Successful};
    match event {
        TaskEvent::Start => match state {
            Pending => Some(Running),
            Running | Paused | Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Pause => match state {
            Pending | Running => Some(Paused),
            Paused | Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Resume => match state {
            Paused => Some(Running),
            Pending | Running | Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Cancel => match state {
            Pending | Running | Paused => Some(Canceling),
            Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Reopen => match state {
            Pending | Running | Failed | Canceled => Some(Running),
            Paused => Some(Paused),
            Canceling | Successful | RolledBack => None,
        },
        TaskEvent::Succeed => match state {
            Running | Paused => Some(Successful),
            Pending | Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Fail => match state {
            Pending | Running | Paused => Some(Failed),
            Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::Canceled => match state {
            Canceling => Some(Canceled),
            Pending | Running | Paused | Successful | Failed | Canceled | RolledBack => None,
        },
        TaskEvent::RolledBack => match state {
            Running | Paused => Some(RolledBack),
            Pending | Canceling | Successful | Failed | Canceled | RolledBack => None,
        },
    }
}

/// The table as a page for people.
#[must_use]
pub fn document() -> String {
    let mut page = String::from(
        "# States of tasks and subtasks\n\nWritten from the transition table in `src/task/state.rs`; a test fails when this page is stale. \
         A dash: the event cannot happen in that state.\n\n## Subtask\n\n",
    );
    let states: Vec<SubtaskState> = SubtaskState::all().collect();
    table(&mut page, &states, &SubtaskEvent::ALL, |state, event| subtask(state, event).map(SubtaskState::name));
    page.push_str("\n## Task\n\n");
    let states: Vec<TaskState> = TaskState::all().collect();
    table(&mut page, &states, &TaskEvent::ALL, |state, event| task(state, event).map(TaskState::name));
    page
}

fn table<S, E>(page: &mut String, states: &[S], events: &[E], next: impl Fn(S, E) -> Option<&'static str>)
where
    S: Copy + std::fmt::Display,
    E: Copy + std::fmt::Debug,
{
    page.push_str("| event |");
    for state in states {
        page.push_str(&format!(" {state} |"));
    }
    page.push_str("\n|---|");
    page.push_str(&"---|".repeat(states.len()));
    page.push('\n');
    for &event in events {
        page.push_str(&format!("| {event:?} |"));
        for &state in states {
            page.push_str(&format!(" {} |", next(state, event).unwrap_or("–")));
        }
        page.push('\n');
    }
}
