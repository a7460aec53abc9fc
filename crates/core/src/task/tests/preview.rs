//! What an operation would do, told before it is done.

use super::{Outcome, Story, Verb, scene, show};

fn told(t: &Story, verb: Verb, target: &str) -> String {
    show::preview(&t.snapshot, &t.preview(verb, target).unwrap())
}

#[test]
fn a_retry_runs_what_failed_and_what_follows() {
    let mut t = Story::of("a -> b -> c, d -> e; x");
    t.will("b", Outcome::Failed).idle();
    assert_eq!(told(&t, Verb::Retry, "task"), "0 run b · 1 run c · 1 run d · 2 run e → SUCCESSFUL");
}

#[test]
fn a_retry_of_one_leaves_the_other_failure() {
    let t = scene::failed();
    assert_eq!(told(&t, Verb::Retry, "failed"), "0 run failed · 1 run waits → FAILED");
    assert_eq!(told(&t, Verb::Retry, "task"), "0 run failed · 0 run other · 1 run waits → SUCCESSFUL");
}

#[test]
fn a_rollback_undoes_against_the_arrows() {
    let mut t = Story::of("a -> b, c -> d -> e");
    t.will("d", Outcome::Failed).idle();
    assert_eq!(told(&t, Verb::Rollback, "task"), "0 undo d · 1 undo b · 1 undo c · 2 undo a → ROLLED_BACK");
}

#[test]
fn a_rollback_that_failed_undoes_the_rest() {
    let t = scene::undoing_failed();
    assert_eq!(told(&t, Verb::Rollback, "task"), "0 undo failed · 1 undo done → ROLLED_BACK");
    assert_eq!(told(&t, Verb::Retry, "failed"), "0 undo failed · 1 undo done → ROLLED_BACK");
    assert_eq!(told(&t, Verb::Skip, "failed"), "0 skip failed · 0 undo done → ROLLED_BACK");
}

#[test]
fn a_skip_runs_what_waited() {
    let t = scene::failed();
    assert_eq!(told(&t, Verb::Skip, "failed"), "0 skip failed · 0 run waits → FAILED");
    assert_eq!(told(&t, Verb::Skip, "other"), "0 skip other → FAILED");
}

#[test]
fn a_cancel_stops_what_runs_and_drops_what_has_not_begun() {
    let t = scene::running();
    assert_eq!(told(&t, Verb::Cancel, "task"), "0 stop runs · 0 drop ready → CANCELED");
    assert_eq!(told(&t, Verb::Cancel, "runs"), "0 stop runs · 0 run ready → FAILED");
    assert_eq!(told(&t, Verb::Cancel, "ready"), "0 drop ready · 1 run waits → FAILED");
}

#[test]
fn a_pause_freezes_and_a_resume_thaws() {
    assert_eq!(told(&scene::running(), Verb::Pause, "task"), "0 freeze runs → PAUSED");
    assert_eq!(told(&scene::paused(), Verb::Resume, "task"), "0 thaw runs · 0 run ready · 1 run waits → FAILED");
}

/// Until somebody resumes it, nothing of it runs: not what is retried either.
#[test]
fn in_a_paused_task_nothing_runs() {
    assert_eq!(told(&scene::paused(), Verb::Retry, "failed"), " → PAUSED");
    assert_eq!(told(&scene::paused(), Verb::Skip, "failed"), "0 skip failed → PAUSED");
}

#[test]
fn a_delete_does_nothing_to_subtasks() {
    assert_eq!(told(&scene::failed(), Verb::Delete, "task"), " → FAILED");
}

#[test]
fn a_back_off_is_left_out() {
    let mut t = Story::with("a; b", |s| {
        s.subtasks[0].max_tries = 2;
        s.subtasks[0].backoff = std::time::Duration::from_secs(60);
    });
    t.fail("a").fail("b");
    assert_eq!(told(&t, Verb::Skip, "b"), "0 skip b · 0 run a → SUCCESSFUL");
}

#[test]
fn a_refusal_is_the_operations_own() {
    let mut t = scene::running();
    assert_eq!(t.preview(Verb::Retry, "runs").unwrap_err(), t.refused(Verb::Retry, "runs"));
}
