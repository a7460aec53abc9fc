//! The ordinary way, and back to it: what runs when, how a task ends, what retry, skip and cancel lead to.

use super::{Outcome, Story, Verb, scene, show};

#[test]
fn a_subtask_runs_when_its_upstreams_are_done() {
    let mut t = Story::of("a, b -> c -> d");
    assert_eq!(t.states(), "a ready · b ready · c pending · d pending");
    t.run("a");
    assert_eq!(t.states(), "a successful · b ready · c pending · d pending");
    t.run("b");
    assert_eq!(t.states(), "a successful · b successful · c ready · d pending");
    t.idle();
    assert_eq!((t.task(), t.snapshot.task.progress), ("SUCCESSFUL/EXECUTE".into(), 1.0));
}

#[test]
fn a_failure_ends_the_task_when_the_other_branches_have_finished() {
    let mut t = Story::of("a -> b -> c; d -> e");
    t.run("a").fail("b").claim("d");
    assert_eq!(t.task(), "RUNNING/EXECUTE");
    t.end("d", &Outcome::Succeeded);
    assert_eq!(t.task(), "RUNNING/EXECUTE");
    t.run("e");
    assert_eq!(t.task(), "FAILED/EXECUTE");
    assert_eq!(t.states(), "a successful · b failed · c pending · d successful · e successful");
}

#[test]
fn a_failed_task_names_the_first_failure() {
    let mut t = Story::of("a; b; c");
    t.run("a").claim("b").end("b", &Outcome::TimedOut).fail("c");
    assert_eq!(t.snapshot.task.message.as_deref(), Some("b: over its time limit (and 1 more)"));
}

#[test]
fn nothing_more_is_said_of_what_came_too_late() {
    let mut t = Story::of("a -> b");
    t.run("a");
    let before = t.snapshot.clone();
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::TimedOut, Outcome::Canceled, Outcome::Lost] {
        assert!(!t.finish(0, &outcome) && !t.finish(1, &outcome));
    }
    assert_eq!(t.snapshot, before);
}

#[test]
fn retry_runs_what_failed_and_goes_on() {
    let mut t = Story::of("a -> b -> c; d");
    t.will("b", Outcome::Failed).idle().began();
    t.ask(Verb::Retry, "task").idle();
    assert_eq!(t.began(), "b c");
    assert_eq!((t.task(), t.subtask("b")), ("SUCCESSFUL/RETRY".into(), "SUCCESSFUL/RETRY 2/1".into()));
    assert_eq!((t.subtask("a"), t.subtask("d")), ("SUCCESSFUL/EXECUTE 1/1".into(), "SUCCESSFUL/EXECUTE 1/1".into()));
}

#[test]
fn one_retried_subtask_leaves_the_other_failures() {
    let mut t = scene::failed();
    t.ask(Verb::Retry, "failed").idle();
    assert_eq!(t.states(), "done successful · failed successful · waits successful · other failed");
    assert_eq!(t.task(), "FAILED/RETRY");
}

#[test]
fn a_cancelled_task_can_be_retried() {
    let mut t = scene::canceled();
    t.ask(Verb::Retry, "task").idle();
    assert_eq!(t.task(), "SUCCESSFUL/RETRY");
}

#[test]
fn what_was_cancelled_before_it_began_can_be_retried() {
    let mut t = Story::of("a -> b");
    t.ask(Verb::Cancel, "task");
    assert_eq!((t.task(), t.subtask("a")), ("CANCELED/CANCEL".into(), "FAILED/CANCEL 0/0".into()));
    assert_eq!(t.snapshot.subtasks[0].message.as_deref(), Some("canceled before it began"));
    assert_eq!((t.snapshot.task.started_at, t.snapshot.task.finished_at), (None, Some(t.now)));
    t.ask(Verb::Retry, "task").run("a");
    assert_eq!((t.snapshot.task.started_at, t.snapshot.task.finished_at), (Some(t.now), None));
}

#[test]
fn skip_lets_the_downstreams_go_on() {
    let mut t = Story::of("a -> b -> c");
    t.will("b", Outcome::Failed).idle().began();
    t.ask(Verb::Skip, "b").idle();
    assert_eq!(t.began(), "c");
    assert_eq!((t.task(), t.subtask("b")), ("SUCCESSFUL/EXECUTE".into(), "SUCCESSFUL/SKIP 1/1".into()));
}

#[test]
fn skip_may_leave_nothing_to_run() {
    let mut t = scene::failed();
    assert_eq!(
        show::moves(&t.plan_of(Verb::Skip, "other")),
        "task RUNNING/EXECUTE, other SUCCESSFUL/SKIP, task FAILED/EXECUTE"
    );
    t.ask(Verb::Skip, "other");
    assert_eq!(t.snapshot.task.message.as_deref(), Some("failed: exit 1"));
}

#[test]
fn a_cancelled_subtask_lets_the_other_branches_finish() {
    let mut t = Story::of("a -> b; c -> d");
    t.claim("a").ask(Verb::Cancel, "a");
    assert_eq!(t.subtask("a"), "CANCELING/CANCEL 1/1");
    t.idle();
    assert_eq!(t.states(), "a failed · b pending · c successful · d successful");
    assert_eq!((t.task(), t.subtask("a")), ("FAILED/EXECUTE".into(), "FAILED/CANCEL 1/1".into()));
    assert_eq!(t.snapshot.task.message.as_deref(), Some("a: canceled"));
}

/// The success that was on its way when somebody cancelled is not taken: the answer was "it is being stopped".
#[test]
fn a_cancelled_attempt_does_not_succeed() {
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::TimedOut, Outcome::Canceled, Outcome::Lost] {
        let mut t = Story::with("a -> b", |s| s.subtasks[0].max_tries = 3);
        t.claim("a").ask(Verb::Cancel, "task").end("a", &outcome);
        assert_eq!((t.subtask("a"), t.task()), ("FAILED/CANCEL 1/1".into(), "CANCELED/CANCEL".into()));
    }
}

#[test]
fn a_deleted_task_is_left_to_its_rows() {
    let t = scene::failed();
    let plan = t.plan_of(Verb::Delete, "task");
    assert_eq!((plan.snapshot, plan.touched, plan.task_touched, plan.moves), (t.snapshot, vec![], None, vec![]));
}
