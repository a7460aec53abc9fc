//! Undoing: against the arrows, only what ran, again only what failed.

use super::{Outcome, Story, Verb, scene, show};

#[test]
fn the_undos_run_against_the_arrows() {
    let mut t = Story::of("a -> b, c -> d -> e");
    t.will("d", Outcome::Failed).idle();
    assert_eq!(t.began(), "a b c d");
    t.ask(Verb::Rollback, "task").idle();
    assert_eq!(t.began(), "-d -b -c -a");
    assert_eq!(t.states(), "a pending · b pending · c pending · d pending · e pending");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn an_undo_waits_for_every_downstream() {
    let mut t = Story::of("a -> b, c -> d");
    t.will("d", Outcome::Failed).idle().ask(Verb::Rollback, "task").run("d").run("b");
    assert_eq!(t.states(), "a successful · b pending · c ready · d pending");
    t.run("c");
    assert_eq!(t.states(), "a ready · b pending · c pending · d pending");
}

#[test]
fn again_it_repeats_only_the_failed_undos() {
    let mut t = Story::of("a -> b -> c; d");
    t.will("c", Outcome::Failed).idle().ask(Verb::Rollback, "task");
    t.will("b", Outcome::Failed).idle().began();
    assert_eq!(t.states(), "a successful · b failed · c pending · d pending");
    assert_eq!(t.task(), "FAILED/ROLLBACK");
    assert_eq!(t.snapshot.task.message.as_deref(), Some("undo of b: exit 1"));
    t.ask(Verb::Rollback, "task").idle();
    assert_eq!(t.began(), "-b -a");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
    assert_eq!(t.snapshot.task.message, None);
}

#[test]
fn branches_without_the_failed_undo_are_undone_first() {
    let mut t = Story::of("a -> b; c -> d; x");
    t.will("x", Outcome::Failed).idle().ask(Verb::Rollback, "task").fail("b");
    assert_eq!(t.task(), "RUNNING/ROLLBACK");
    t.idle();
    assert_eq!(t.states(), "a successful · b failed · c pending · d pending · x pending");
    assert_eq!(t.task(), "FAILED/ROLLBACK");
}

#[test]
fn the_failed_undo_can_be_retried() {
    let mut t = scene::undoing_failed();
    t.began();
    t.ask(Verb::Retry, "failed");
    assert_eq!((t.subtask("failed"), t.task()), ("READY/ROLLBACK 2/0".into(), "RUNNING/ROLLBACK".into()));
    t.idle();
    assert_eq!(t.began(), "-failed -done");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn the_failed_undo_can_be_skipped() {
    let mut t = scene::undoing_failed();
    t.began();
    t.ask(Verb::Skip, "failed");
    assert_eq!(t.subtask("failed"), "PENDING/SKIP 2/1");
    t.idle();
    assert_eq!(t.began(), "-done");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn skipping_the_last_undo_ends_it() {
    let mut t = Story::of("a");
    t.fail("a").ask(Verb::Rollback, "task").fail("a").ask(Verb::Skip, "a");
    assert_eq!((t.states(), t.task()), ("a pending".into(), "ROLLED_BACK/ROLLBACK".into()));
    assert_eq!(t.snapshot.task.progress, 1.0);
}

#[test]
fn cancelled_in_the_middle_it_can_be_taken_up_again() {
    let mut t = Story::of("a -> b -> c");
    t.will("c", Outcome::Failed).idle().ask(Verb::Rollback, "task").run("c").claim("b").ask(Verb::Cancel, "task");
    assert_eq!((t.states(), t.task()), ("a successful · b canceling · c pending".into(), "CANCELING/CANCEL".into()));
    t.end("b", &Outcome::Canceled).began();
    assert_eq!(t.task(), "CANCELED/CANCEL");
    assert_eq!(show::verbs(&t.may("task")), "ROLLBACK DELETE");
    t.ask(Verb::Rollback, "task").idle();
    assert_eq!(t.began(), "-b -a");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn an_undo_is_cancelled_alone() {
    let mut t = Story::of("a -> b");
    t.will("b", Outcome::Failed).idle().ask(Verb::Rollback, "task").claim("b").ask(Verb::Cancel, "b");
    t.end("b", &Outcome::Succeeded);
    assert_eq!((t.states(), t.task()), ("a successful · b failed".into(), "FAILED/ROLLBACK".into()));
    t.ask(Verb::Retry, "b").idle();
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn a_cancelled_task_can_be_rolled_back() {
    let mut t = Story::of("a -> b -> c");
    t.run("a").claim("b").ask(Verb::Cancel, "task").end("b", &Outcome::Canceled).began();
    t.ask(Verb::Rollback, "task").idle();
    assert_eq!(t.began(), "-b -a");
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

#[test]
fn a_definition_may_forbid_it() {
    let mut t = Story::with("a", |s| s.task.prohibit_rollback = true);
    t.fail("a");
    let refused = t.refused(Verb::Rollback, "task");
    assert_eq!(show::refusal(&refused), "prohibited, its definition forbids it: RETRY DELETE");
    assert_eq!(refused.to_string(), "task 1 cannot be rolled back: its definition forbids it");
}

#[test]
fn a_subtask_that_ran_may_forbid_it() {
    let mut t = Story::with("a -> b -> c", |s| s.subtasks[1].prohibit_rollback = true);
    t.fail("a");
    assert_eq!(show::verbs(&t.may("task")), "RETRY ROLLBACK DELETE");
    t.ask(Verb::Retry, "task").run("a").fail("b");
    let refused = t.refused(Verb::Rollback, "task");
    assert_eq!(show::refusal(&refused), "prohibited, subtask b has run and forbids it: RETRY DELETE");
}

/// What was cancelled before it began never ran; the run of its undo forbids nothing.
#[test]
fn a_rollback_that_was_allowed_may_be_repeated() {
    let mut t = Story::with("a", |s| s.subtasks[0].prohibit_rollback = true);
    t.ask(Verb::Cancel, "task").ask(Verb::Rollback, "task").fail("a");
    assert_eq!(t.task(), "FAILED/ROLLBACK");
    t.ask(Verb::Rollback, "task").idle();
    assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
}

/// The state is looked at first: a running task is not said to be forbidden for good.
#[test]
fn forbidden_or_not_it_must_have_ended_badly() {
    let mut t = Story::with("a", |s| s.task.prohibit_rollback = true);
    assert_eq!(show::refusal(&t.refused(Verb::Rollback, "task")), "no: CANCEL PAUSE");
}

#[test]
fn a_skipped_subtask_is_undone_like_one_that_ran() {
    let mut t = Story::of("a -> b");
    t.fail("a").ask(Verb::Skip, "a").fail("b").ask(Verb::Rollback, "task").began();
    t.idle();
    assert_eq!(t.began(), "-b -a");
}

/// What waits for its turn is told of too: its operation changed.
#[test]
fn every_subtask_of_it_is_told_once() {
    let mut t = Story::of("a -> b -> c");
    t.will("b", Outcome::Failed).idle();
    let told = "task RUNNING/ROLLBACK, b READY/ROLLBACK, a SUCCESSFUL/ROLLBACK";
    assert_eq!(show::moves(&t.plan_of(Verb::Rollback, "task")), told);
    t.ask(Verb::Rollback, "task").fail("b");
    assert_eq!(show::moves(&t.plan_of(Verb::Rollback, "task")), "task RUNNING/ROLLBACK, b READY/ROLLBACK");
}

#[test]
fn an_undo_has_its_own_tries() {
    let mut t = Story::with("a", |s| s.subtasks[0].max_tries = 2);
    t.fail("a").fail("a").ask(Verb::Rollback, "task");
    assert_eq!(t.subtask("a"), "READY/ROLLBACK 2/0");
    t.fail("a");
    assert_eq!(t.subtask("a"), "READY/ROLLBACK 3/1");
    t.fail("a");
    assert_eq!((t.subtask("a"), t.task()), ("FAILED/ROLLBACK 4/2".into(), "FAILED/ROLLBACK".into()));
}
