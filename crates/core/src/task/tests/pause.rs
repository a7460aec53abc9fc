//! Pause and resume: who is held, and what happens meanwhile.

use super::{Outcome, Story, Verb, scene};

#[test]
fn paused_nothing_is_taken_and_what_runs_is_frozen() {
    let mut t = Story::of("a; b");
    t.claim("a").ask(Verb::Pause, "task");
    assert_eq!((t.subtask("a"), t.subtask("b")), ("RUNNING/EXECUTE 1/1 held".into(), "READY/EXECUTE 0/0 held".into()));
    assert!(!t.try_claim(1));
    t.ask(Verb::Resume, "task").end("a", &Outcome::Succeeded).idle();
    assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
}

/// The end of an attempt may cross the request to freeze it.
#[test]
fn what_ends_all_the_same_releases_what_is_held() {
    let mut t = Story::of("a -> b");
    t.claim("a").ask(Verb::Pause, "task").end("a", &Outcome::Succeeded);
    assert_eq!((t.task(), t.subtask("b")), ("PAUSED/EXECUTE".into(), "READY/EXECUTE 0/0 held".into()));
    t.ask(Verb::Resume, "task").idle();
    assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
}

#[test]
fn a_paused_task_may_end() {
    for (outcome, end) in [(Outcome::Succeeded, "SUCCESSFUL/EXECUTE"), (Outcome::Failed, "FAILED/EXECUTE")] {
        let mut t = Story::of("a");
        t.claim("a").ask(Verb::Pause, "task").end("a", &outcome);
        assert_eq!(t.task(), end);
    }
}

#[test]
fn a_paused_task_can_be_cancelled() {
    let mut t = scene::paused();
    t.ask(Verb::Cancel, "task");
    // Frozen processes could not stop: nothing is held any more.
    assert_eq!((t.subtask("runs"), t.subtask("ready")), ("CANCELING/CANCEL 1/1".into(), "FAILED/CANCEL 0/0".into()));
    t.end("runs", &Outcome::Canceled).end("stops", &Outcome::Canceled);
    assert_eq!(t.task(), "CANCELED/CANCEL");
}

#[test]
fn a_subtask_of_a_paused_task_can_be_cancelled() {
    let mut t = Story::of("a -> b");
    t.claim("a").ask(Verb::Pause, "task").ask(Verb::Cancel, "a").end("a", &Outcome::Canceled);
    assert_eq!((t.states(), t.task()), ("a failed · b pending".into(), "FAILED/EXECUTE".into()));
}

#[test]
fn what_is_retried_in_a_paused_task_waits_for_the_resume() {
    let mut t = scene::paused();
    t.ask(Verb::Retry, "failed");
    assert_eq!((t.subtask("failed"), t.task()), ("READY/RETRY 1/0 held".into(), "PAUSED/EXECUTE".into()));
    t.ask(Verb::Resume, "task");
    assert_eq!(t.subtask("failed"), "READY/RETRY 1/0");
}

#[test]
fn what_is_skipped_in_a_paused_task_releases_what_is_held() {
    let mut t = Story::of("a -> b; c");
    t.fail("a").ask(Verb::Pause, "task").ask(Verb::Skip, "a");
    assert_eq!((t.subtask("b"), t.task()), ("READY/EXECUTE 0/0 held".into(), "PAUSED/EXECUTE".into()));
}

#[test]
fn an_automatic_retry_of_a_paused_task_is_held() {
    let mut t = Story::with("a", |s| s.subtasks[0].max_tries = 2);
    t.claim("a").ask(Verb::Pause, "task").end("a", &Outcome::Failed);
    assert_eq!(t.subtask("a"), "READY/RETRY 1/1 held");
    t.ask(Verb::Resume, "task").idle();
    assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
}

#[test]
fn a_rollback_can_be_paused() {
    let mut t = scene::undoing_paused();
    t.end("stops", &Outcome::Canceled);
    assert_eq!(t.task(), "PAUSED/ROLLBACK");
    t.ask(Verb::Resume, "task").ask(Verb::Retry, "failed").ask(Verb::Retry, "stops").idle();
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

/// It starts with its first subtask, not with somebody's resume.
#[test]
fn a_task_paused_before_it_began_starts_later() {
    let mut t = Story::of("a");
    t.ask(Verb::Pause, "task").ask(Verb::Resume, "task");
    assert_eq!((t.task(), t.snapshot.task.started_at), ("RUNNING/EXECUTE".into(), None));
    t.later(std::time::Duration::from_secs(5)).claim("a");
    assert_eq!(t.snapshot.task.started_at, Some(t.now));
}
