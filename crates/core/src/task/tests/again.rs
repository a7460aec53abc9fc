//! What runs again by itself: after a failure with a pause that doubles, after the loss of its worker at once.

use std::time::Duration;

use super::{Outcome, Story, Verb};
use crate::OnLost;

const SECOND: Duration = Duration::from_secs(1);

fn story(tries: i32) -> Story {
    Story::with("a -> b", |s| {
        s.subtasks[0].max_tries = tries;
        s.subtasks[0].backoff = 2 * SECOND;
    })
}

#[test]
fn the_pause_doubles_with_each_try() {
    let mut t = story(5);
    for seconds in [2, 4, 8, 16] {
        t.fail("a");
        assert_eq!(t.snapshot.subtasks[0].not_before, Some(t.now.after(seconds * SECOND)));
        t.later(seconds * SECOND - Duration::from_micros(1));
        assert!(!t.try_claim(0), "the back-off lasts");
        t.later(Duration::from_micros(1));
    }
    t.fail("a");
    assert_eq!((t.subtask("a"), t.task()), ("FAILED/RETRY 5/5".into(), "FAILED/EXECUTE".into()));
}

#[test]
fn it_grows_to_a_day() {
    let mut t = story(100);
    for _ in 0..99 {
        t.fail("a");
        let pause = t.snapshot.subtasks[0].not_before.unwrap().since(t.now);
        assert!(pause >= 2 * SECOND && pause <= 86_400 * SECOND);
        t.later(pause);
    }
    t.fail("a");
    assert_eq!(t.subtask("a"), "FAILED/RETRY 100/100");
}

#[test]
fn a_success_on_the_way_ends_it() {
    let mut t = story(3);
    t.will("a", Outcome::Failed).will("a", Outcome::TimedOut).idle();
    assert_eq!((t.subtask("a"), t.task()), ("SUCCESSFUL/RETRY 3/3".into(), "SUCCESSFUL/EXECUTE".into()));
}

#[test]
fn somebody_elses_retry_begins_with_all_tries() {
    let mut t = story(2);
    t.will("a", Outcome::Failed).will("a", Outcome::Failed).idle();
    assert_eq!(t.task(), "FAILED/EXECUTE");
    t.ask(Verb::Retry, "task");
    assert_eq!(t.subtask("a"), "READY/RETRY 2/0");
    t.fail("a");
    assert_eq!(t.subtask("a"), "READY/RETRY 3/1");
}

#[test]
fn one_that_waits_can_be_cancelled() {
    let mut t = story(2);
    t.fail("a").ask(Verb::Cancel, "a");
    assert_eq!((t.subtask("a"), t.snapshot.subtasks[0].not_before), ("FAILED/CANCEL 1/1".into(), None));
    assert_eq!(t.task(), "FAILED/EXECUTE");
}

#[test]
fn a_lost_attempt_is_repeated_and_is_no_try() {
    let mut t = story(1);
    t.claim("a");
    let fence = t.snapshot.subtasks[0].epoch;
    t.end("a", &Outcome::Lost);
    assert_eq!(t.subtask("a"), "READY/EXECUTE 1/0");
    assert_eq!(t.snapshot.subtasks[0].epoch, fence + 1);
    assert_eq!(t.snapshot.subtasks[0].message.as_deref(), Some("its worker was lost"));
    t.claim("a");
    assert_eq!((t.subtask("a"), t.snapshot.subtasks[0].epoch), ("RUNNING/EXECUTE 2/1".into(), fence + 2));
}

#[test]
fn what_may_not_run_twice_fails() {
    let mut t = Story::with("a -> b", |s| {
        s.subtasks[0].on_lost = OnLost::Fail;
        s.subtasks[0].max_tries = 5;
    });
    t.claim("a");
    let fence = t.snapshot.subtasks[0].epoch;
    t.end("a", &Outcome::Lost);
    assert_eq!((t.subtask("a"), t.task()), ("FAILED/EXECUTE 1/1".into(), "FAILED/EXECUTE".into()));
    assert_eq!(t.snapshot.subtasks[0].epoch, fence + 1);
    assert_eq!(t.snapshot.task.message.as_deref(), Some("a: its worker was lost"));
}

/// A worker that stops gives its work back, and nobody asked to cancel it.
#[test]
fn what_was_given_back_is_repeated() {
    let mut t = story(1);
    t.claim("a").end("a", &Outcome::Canceled);
    assert_eq!((t.subtask("a"), t.task()), ("READY/EXECUTE 1/0".into(), "RUNNING/EXECUTE".into()));
}

#[test]
fn a_lost_undo_is_repeated() {
    let mut t = story(1);
    t.will("b", Outcome::Failed).idle().ask(Verb::Rollback, "task").lose("b");
    assert_eq!(t.subtask("b"), "READY/ROLLBACK 2/0");
    t.idle();
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn a_lost_attempt_that_was_cancelled_is_not_repeated() {
    let mut t = story(1);
    t.claim("a").ask(Verb::Cancel, "task");
    let fence = t.snapshot.subtasks[0].epoch;
    t.end("a", &Outcome::Lost);
    assert_eq!((t.subtask("a"), t.task()), ("FAILED/CANCEL 1/1".into(), "CANCELED/CANCEL".into()));
    assert_eq!(t.snapshot.subtasks[0].epoch, fence + 1);
}

/// The fence moves only when somebody is shut out: an attempt that waits for its retry has nobody.
#[test]
fn a_loss_that_comes_too_late_changes_nothing() {
    let mut t = story(2);
    t.fail("a");
    let before = t.snapshot.clone();
    assert!(!t.finish(0, &Outcome::Lost));
    assert_eq!(t.snapshot, before);
}
