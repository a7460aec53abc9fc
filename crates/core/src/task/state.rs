//! The one transition table. Every change of a subtask's or task's state passes through it; a new state does not
//! compile until every event has its answer. `docs/task-states.md` is written from it.

use crate::{SubtaskState, TaskState};

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident { $($event:ident = $means:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $means] $event),+
        }

        impl $name {
            /// Every event, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$event),+];

            /// When it happens.
            #[must_use]
            pub const fn means(self) -> &'static str {
                match self { $(Self::$event => $means),+ }
            }
        }
    )+};
}

events! {
    /// What can happen to a subtask.
    SubtaskEvent {
        Release = "All upstreams are done.",
        ReleaseUndo = "All downstreams are undone, or there were none.",
        Claim = "A worker takes it.",
        Succeed = "Its attempt ended well.",
        Undone = "The attempt of its undo ended well.",
        Fail = "Its attempt ended badly and will not be repeated by itself.",
        Again = "Its attempt ended badly or was lost, and is repeated by itself.",
        Cancel = "Somebody asked to cancel it.",
        Stopped = "What was cancelled has stopped.",
        Retry = "Somebody asked to run it again.",
        Skip = "Somebody asked to count it as done.",
        SkipUndo = "Somebody asked to count its undo as done.",
    }
    /// What can happen to a task.
    TaskEvent {
        Start = "The first subtask is taken.",
        Pause = "Somebody asked to pause it.",
        Resume = "Somebody asked to go on.",
        Cancel = "Somebody asked to cancel it.",
        Reopen = "A subtask of it is to run again, or to be undone.",
        Succeed = "Every subtask is done.",
        Fail = "A subtask failed and nothing runs any more.",
        Canceled = "It was cancelled and nothing runs any more.",
        RolledBack = "Everything is undone.",
    }
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
        "# States of tasks and subtasks\n\nWritten from the transition table in `crates/core/src/task/state.rs`; a test fails when this page is stale. \
         A column is the state before, its cell the state that follows; a dash: the event cannot happen there. What \
         people may ask for is decided in `crates/core/src/task/command/`.\n\n## Subtask\n\n",
    );
    let states: Vec<SubtaskState> = SubtaskState::all().collect();
    let means = SubtaskEvent::means;
    table(&mut page, &states, (SubtaskEvent::ALL, means), |state, event| subtask(state, event).map(SubtaskState::name));
    page.push_str("\n## Task\n\n");
    let states: Vec<TaskState> = TaskState::all().collect();
    table(&mut page, &states, (TaskEvent::ALL, TaskEvent::means), |state, event| {
        task(state, event).map(TaskState::name)
    });
    page
}

/// A line for each event, which is named by what happens.
fn table<S, E>(
    page: &mut String,
    states: &[S],
    (events, means): (&[E], fn(E) -> &'static str),
    next: impl Fn(S, E) -> Option<&'static str>,
) where
    S: Copy + std::fmt::Display,
    E: Copy + std::fmt::Debug,
{
    page.push_str("| event | when |");
    for state in states {
        page.push_str(&format!(" {state} |"));
    }
    page.push_str("\n|---|---|");
    page.push_str(&"---|".repeat(states.len()));
    page.push('\n');
    for &event in events {
        page.push_str(&format!("| {event:?} | {} |", means(event)));
        for &state in states {
            page.push_str(&format!(" {} |", next(state, event).unwrap_or("–")));
        }
        page.push('\n');
    }
}
