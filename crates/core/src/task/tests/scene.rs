//! Where stories begin: a task in each of its states. Its subtasks are named by their own states, so that a cell of
//! the tables reads as a sentence: `RETRY of failed in a running task`.

use super::Story;
use crate::task::command::Verb;
use crate::task::command::execute::Outcome;

/// Nothing was taken yet; one subtask was cancelled before it began.
pub(super) fn pending() -> Story {
    let mut story = Story::of("ready -> waits; failed");
    story.ask(Verb::Cancel, "failed");
    story
}

/// Forward, with a subtask in every state.
pub(super) fn running() -> Story {
    let mut story = Story::of("done -> runs -> waits; ready; failed; stops");
    story.run("done").claim("runs").fail("failed").claim("stops").ask(Verb::Cancel, "stops");
    story
}

pub(super) fn paused() -> Story {
    let mut story = running();
    story.ask(Verb::Pause, "task");
    story
}

/// What runs is being stopped.
pub(super) fn canceling() -> Story {
    let mut story = Story::of("done -> stops -> waits; failed");
    story.run("done").claim("stops").fail("failed").ask(Verb::Cancel, "task");
    story
}

pub(super) fn canceled() -> Story {
    let mut story = canceling();
    story.end("stops", &Outcome::Canceled);
    story
}

pub(super) fn successful() -> Story {
    let mut story = Story::of("done -> skipped");
    story.run("done").fail("skipped").ask(Verb::Skip, "skipped");
    story
}

pub(super) fn failed() -> Story {
    let mut story = Story::of("done -> failed -> waits; other");
    story.run("done").fail("failed").fail("other");
    story
}

/// Backward, with a subtask in every state.
pub(super) fn undoing() -> Story {
    let mut story = Story::of("done -> runs -> undone; ready; failed; stops");
    story.will("undone", Outcome::Failed).idle().ask(Verb::Rollback, "task");
    story.run("undone").claim("runs").fail("failed").claim("stops").ask(Verb::Cancel, "stops");
    story
}

pub(super) fn undoing_paused() -> Story {
    let mut story = undoing();
    story.ask(Verb::Pause, "task");
    story
}

pub(super) fn undoing_canceling() -> Story {
    let mut story = Story::of("done -> stops -> undone; failed");
    story.will("undone", Outcome::Failed).idle().ask(Verb::Rollback, "task");
    story.run("undone").claim("stops").fail("failed").ask(Verb::Cancel, "task");
    story
}

pub(super) fn undoing_canceled() -> Story {
    let mut story = undoing_canceling();
    story.end("stops", &Outcome::Canceled);
    story
}

/// An undo failed.
pub(super) fn undoing_failed() -> Story {
    let mut story = Story::of("done -> failed -> undone");
    story.will("undone", Outcome::Failed).idle().ask(Verb::Rollback, "task");
    story.run("undone").fail("failed");
    story
}

pub(super) fn rolled_back() -> Story {
    let mut story = Story::of("undone -> too -> never");
    story.will("too", Outcome::Failed).idle().ask(Verb::Rollback, "task").idle();
    story
}
