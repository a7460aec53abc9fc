//! Why a subtask is not running.

use std::time::Duration;

use super::{Outcome, Story, Verb, scene};
use crate::Timestamp;
use crate::task::waiting::{Reason, WorkerFacts, Workers, has_labels, reasons};

fn worker(labels: &[&str], slots: usize, busy: usize) -> WorkerFacts {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    WorkerFacts { id: "w".to_owned(), labels, slots, busy, lease_until: Timestamp(15_000_000), seen_at: Timestamp(0) }
}

/// The reasons with these workers, of which the first runs what runs.
fn why(t: &Story, name: &str, alive: &[WorkerFacts]) -> Vec<Reason> {
    let workers = Workers { alive, runner: alive.first(), silent_after: Duration::from_secs(7) };
    reasons(&t.snapshot, t.index(name), &workers, t.now)
}

fn at_leisure(t: &Story, name: &str) -> Vec<Reason> {
    why(t, name, &[worker(&[], 4, 0)])
}

#[test]
fn its_upstreams_are_not_done() {
    let mut t = Story::of("a, b, c -> d");
    t.run("a").claim("b");
    assert_eq!(at_leisure(&t, "d"), [Reason::Upstreams(vec![1, 2])]);
}

#[test]
fn one_of_its_upstreams_failed() {
    let mut t = Story::of("a, b -> c -> d");
    t.fail("a");
    assert_eq!(at_leisure(&t, "c"), [Reason::FailedUpstreams(vec![0]), Reason::Upstreams(vec![0, 1])]);
    assert_eq!(at_leisure(&t, "d"), [Reason::Upstreams(vec![2])]);
}

#[test]
fn its_task_has_ended() {
    let t = scene::failed();
    assert_eq!(at_leisure(&t, "waits"), [Reason::FailedUpstreams(vec![1]), Reason::Upstreams(vec![1]), Reason::Ended]);
    assert_eq!(at_leisure(&scene::canceling(), "waits").last(), Some(&Reason::Ended));
    assert_eq!(at_leisure(&scene::canceled(), "waits").last(), Some(&Reason::Ended));
}

#[test]
fn its_task_is_paused() {
    let t = scene::paused();
    assert_eq!(at_leisure(&t, "ready"), [Reason::Paused]);
    assert_eq!(at_leisure(&t, "runs"), [Reason::Paused]);
    assert_eq!(at_leisure(&t, "waits"), [Reason::Upstreams(vec![1]), Reason::Paused]);
    assert_eq!(at_leisure(&t, "stops"), [], "what is being stopped is not frozen");
}

#[test]
fn automatic_retry_waits() {
    let mut t = Story::with("a", |s| {
        s.subtasks[0].max_tries = 2;
        s.subtasks[0].backoff = Duration::from_secs(3);
    });
    t.fail("a");
    assert_eq!(at_leisure(&t, "a"), [Reason::Backoff(Timestamp(3_000_000))]);
    t.later(Duration::from_secs(3));
    assert_eq!(at_leisure(&t, "a"), [Reason::Queued]);
    assert!(t.try_claim(0));
}

#[test]
fn no_worker_has_its_labels() {
    let t = Story::with("a", |s| s.subtasks[0].requires = "gpu,linux".to_owned());
    let without = [Reason::NoWorker("gpu,linux".to_owned())];
    assert_eq!(why(&t, "a", &[]), without);
    assert_eq!(why(&t, "a", &[worker(&["linux"], 4, 0), worker(&["gpu"], 4, 0)]), without);
    assert_eq!(why(&t, "a", &[worker(&["linux", "x", "gpu"], 4, 0)]), [Reason::Queued]);
}

#[test]
fn every_able_worker_is_full() {
    let t = Story::with("a", |s| s.subtasks[0].requires = "linux".to_owned());
    let (full, free, other) = (worker(&["linux"], 2, 2), worker(&["linux"], 2, 1), worker(&[], 9, 0));
    assert_eq!(why(&t, "a", &[full.clone(), other]), [Reason::NoSlot]);
    assert_eq!(why(&t, "a", &[full, free]), [Reason::Queued]);
}

#[test]
fn a_worker_takes_it_in_a_moment() {
    assert_eq!(at_leisure(&Story::of("a"), "a"), [Reason::Queued]);
}

#[test]
fn its_worker_is_silent() {
    let mut t = Story::of("a");
    t.claim("a").later(Duration::from_secs(7));
    assert_eq!(at_leisure(&t, "a"), []);
    t.later(Duration::from_micros(1));
    assert_eq!(at_leisure(&t, "a"), [Reason::LostWorker(Timestamp(15_000_000))]);
    t.ask(Verb::Pause, "task");
    assert_eq!(at_leisure(&t, "a"), [Reason::Paused, Reason::LostWorker(Timestamp(15_000_000))]);
    assert_eq!(why(&t, "a", &[]), [Reason::Paused]);
}

#[test]
fn its_downstreams_are_to_be_undone_first() {
    let mut t = Story::of("a -> b, c -> d");
    t.will("d", Outcome::Failed).idle().ask(Verb::Rollback, "task").run("d").run("b");
    assert_eq!(at_leisure(&t, "a"), [Reason::Downstreams(vec![2])]);
    assert_eq!(at_leisure(&t, "c"), [Reason::Queued]);
    assert_eq!(at_leisure(&t, "b"), [], "it is undone");
    t.ask(Verb::Pause, "task");
    assert_eq!(at_leisure(&t, "a"), [Reason::Downstreams(vec![2]), Reason::Paused]);
}

#[test]
fn its_undo_waits_in_a_rollback_that_failed() {
    assert_eq!(at_leisure(&scene::undoing_failed(), "done"), [Reason::Downstreams(vec![1]), Reason::Ended]);
}

#[test]
fn what_runs_or_is_over_waits_for_nothing() {
    let t = scene::running();
    for name in ["done", "runs", "failed", "stops"] {
        assert_eq!(at_leisure(&t, name), [], "{name}");
    }
}

#[test]
fn labels_are_all_wanted() {
    let have = ["a".to_owned(), "bb".to_owned()];
    assert!(has_labels(&have, "") && has_labels(&have, "a") && has_labels(&have, "a,bb"));
    assert!(!has_labels(&have, "b") && !has_labels(&have, "a,c") && !has_labels(&[], "a"));
}
