//! A worker that goes away without a word: what it had runs again, and what it says later is refused.

use serde_json::{Map, json};
use taskloom::clock::{Clock, HeldClock};
use taskloom::log::chunk::{LogChunk, Mark, Source};
use taskloom::task::command::execute::Outcome;
use taskloom::worker::port::{Acceptance, AttemptEnd, AttemptRef, AttemptReport, Port, ResourceUse};
use taskloom_entity::Timestamp;

use super::lab::{LEASE, Lab as Bench, OVER};
use super::step::{noop, shell};

stories!(
    what_a_dead_worker_had_runs_again_and_its_words_are_refused,
    a_lease_that_is_renewed_holds,
    servers_whose_clocks_differ_let_each_other_live,
    a_clock_that_is_set_ends_nothing,
    who_has_just_begun_to_look_buries_nobody,
    a_life_that_nobody_ended_goes_on_after_a_long_silence,
    who_says_good_bye_hands_over_at_once,
);

pub(super) fn succeeded(attempt: AttemptRef) -> Vec<AttemptEnd> {
    let (outputs, used) = (Map::new(), ResourceUse::default());
    vec![AttemptEnd { attempt, outcome: Outcome::Succeeded, exit_code: Some(0), message: None, outputs, used }]
}

pub(super) fn said(text: &str) -> Vec<LogChunk> {
    vec![LogChunk::seal(&[Mark { lines: 1, at: Timestamp(0), source: Source::Stdout }], text.as_bytes())]
}

const STANDS: &str =
    "{ tasks { nodes { state subtasks { name state runs attempts { number state } log { lines { text } } } } } }";

async fn what_a_dead_worker_had_runs_again_and_its_words_are_refused(lab: Bench) {
    lab.submit("lost", &[shell("a", "true"), noop("b").needs("a")]).await;
    let dead = lab.worker().await;
    let lost = dead.take().await;
    assert_eq!(dead.dispatcher.append(lost.attempt, 1, said("first\n")).await.unwrap(), Acceptance::Accepted);
    assert_eq!(lab.recover().await, 0, "who is seen for the first time may live");
    lab.clock.advance(OVER);
    assert_eq!(lab.recover().await, 1);
    assert_eq!(lab.recover().await, 0, "it is lost once");

    assert_eq!(dead.dispatcher.renew(&dead.session).await.unwrap(), None, "a life that ended does not begin again");
    assert_eq!(dead.dispatcher.append(lost.attempt, 2, said("late\n")).await.unwrap(), Acceptance::Refused);
    dead.dispatcher.report(lost.attempt, AttemptReport::Progress(0.5, None)).await.unwrap();
    assert_eq!(dead.dispatcher.finish(succeeded(lost.attempt)).await.unwrap(), [Acceptance::Refused]);

    let living = lab.worker().await;
    let again = living.take().await;
    assert_eq!((again.attempt.subtask_id, again.number), (lost.attempt.subtask_id, 2));
    assert!(again.attempt.epoch > lost.attempt.epoch);
    assert_eq!(dead.dispatcher.finish(succeeded(lost.attempt)).await.unwrap(), [Acceptance::Refused]);
    assert_eq!(dead.dispatcher.append(lost.attempt, 2, said("later\n")).await.unwrap(), Acceptance::Refused);
    assert_eq!(again.first_line, 2, "behind what the first one said");
    assert_eq!(living.dispatcher.append(again.attempt, 2, said("second\n")).await.unwrap(), Acceptance::Accepted);
    assert_eq!(living.dispatcher.finish(succeeded(again.attempt)).await.unwrap(), [Acceptance::Accepted]);
    let next = living.take().await;
    assert_eq!(living.dispatcher.finish(succeeded(next.attempt)).await.unwrap(), [Acceptance::Accepted]);

    let counted = lab.metrics();
    let refused = |write| counted[&format!("taskloom_engine_refused_writes_total{{write=\"{write}\"}}")];
    assert_eq!((refused("outcome"), refused("log"), refused("report")), (2.0, 2.0, 1.0));
    assert_eq!(counted["taskloom_leases_lost_total"], 1.0);
    assert_eq!(counted["taskloom_attempts_finished_total{outcome=\"lost\"}"], 1.0);
    assert_eq!(counted["taskloom_attempts_finished_total{outcome=\"successful\"}"], 2.0);

    let attempts = json!([{"number": 1, "state": "LOST"}, {"number": 2, "state": "SUCCESSFUL"}]);
    let a = json!({"name": "a", "state": "SUCCESSFUL", "runs": 2, "attempts": attempts,
        "log": {"lines": [{"text": "first"}, {"text": "second"}]}});
    let b = json!({"name": "b", "state": "SUCCESSFUL", "runs": 1,
        "attempts": [{"number": 1, "state": "SUCCESSFUL"}], "log": {"lines": []}});
    let task = json!({"state": "SUCCESSFUL", "subtasks": [a, b]});
    assert_eq!(lab.ask(STANDS).await.0, json!({"tasks": {"nodes": [task]}}));
}

async fn a_lease_that_is_renewed_holds(lab: Bench) {
    lab.submit("slow", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    for _ in 0..3 {
        lab.clock.advance(LEASE / 2);
        assert!(worker.dispatcher.renew(&worker.session).await.unwrap().is_some());
        assert_eq!(lab.recover().await, 0);
    }
    assert_eq!(worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Accepted]);
}

/// Two servers an hour apart, each of which looks for lost workers: nothing is taken from either.
async fn servers_whose_clocks_differ_let_each_other_live(lab: Bench) {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    for other in [lab.clock.now().after(HOUR), lab.clock.now().before(HOUR)] {
        let theirs = HeldClock::at(other);
        lab.submit("here", &[shell("a", "true").with("workers", json!(["here"]))]).await;
        lab.submit("there", &[shell("a", "true").with("workers", json!(["there"]))]).await;
        let (here, there) = (lab.worker_with(&["here"]).await, lab.worker_by(&["there"], theirs.clone()).await);
        let work = (here.take().await, there.take().await);
        let watcher = lab.other_server(theirs.clone());
        for _ in 0..8 {
            assert_eq!((lab.recover().await, watcher.sweep().await.unwrap()), (0, 0));
            lab.clock.advance(LEASE / 2);
            theirs.advance(LEASE / 2);
            assert!(here.dispatcher.renew(&here.session).await.unwrap().is_some());
            assert!(there.dispatcher.renew(&there.session).await.unwrap().is_some());
        }
        assert_eq!(here.dispatcher.finish(succeeded(work.0.attempt)).await.unwrap(), [Acceptance::Accepted]);
        assert_eq!(there.dispatcher.finish(succeeded(work.1.attempt)).await.unwrap(), [Acceptance::Accepted]);
        // And who is silent is found by both, whatever their clocks say.
        lab.submit("lost", &[shell("a", "true").with("workers", json!(["there"]))]).await;
        let lost = there.take().await;
        assert_eq!(lab.recover().await, 0);
        lab.clock.advance(OVER);
        assert!(here.dispatcher.renew(&here.session).await.unwrap().is_some());
        assert_eq!(lab.recover().await, 1);
        assert_eq!(watcher.sweep().await.unwrap(), 0, "it is lost once");
        assert_eq!(there.dispatcher.finish(succeeded(lost.attempt)).await.unwrap(), [Acceptance::Refused]);
        let again = lab.worker_with(&["there"]).await;
        let work = again.take().await;
        assert_eq!(again.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Accepted]);
        for worker in [&here, &again] {
            worker.dispatcher.leave(&worker.session).await.unwrap();
        }
    }
}

async fn a_clock_that_is_set_ends_nothing(lab: Bench) {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    lab.submit("slow", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    for set in [lab.clock.now().after(HOUR), lab.clock.now().before(HOUR)] {
        assert_eq!(lab.recover().await, 0);
        lab.clock.set(set);
        assert_eq!(lab.recover().await, 0);
        lab.clock.advance(LEASE);
        assert_eq!(lab.recover().await, 0);
        assert!(worker.dispatcher.renew(&worker.session).await.unwrap().is_some());
    }
    assert_eq!(worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Accepted]);
}

async fn who_has_just_begun_to_look_buries_nobody(lab: Bench) {
    lab.submit("slow", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    lab.clock.advance(OVER * 10);
    let new = lab.other_server(lab.clock.clone());
    assert_eq!(new.sweep().await.unwrap(), 0, "it has seen nothing yet");
    lab.clock.advance(LEASE);
    assert_eq!(new.sweep().await.unwrap(), 0, "not for long enough");
    lab.clock.advance(OVER - LEASE);
    assert_eq!(new.sweep().await.unwrap(), 1);
    assert_eq!(worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Refused]);
}

async fn a_life_that_nobody_ended_goes_on_after_a_long_silence(lab: Bench) {
    lab.submit("slow", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    assert_eq!(lab.recover().await, 0);
    lab.clock.advance(OVER * 10);
    assert!(worker.dispatcher.renew(&worker.session).await.unwrap().is_some());
    assert_eq!(lab.recover().await, 0, "it has just been heard of");
    assert_eq!(worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Accepted]);
}

async fn who_says_good_bye_hands_over_at_once(lab: Bench) {
    lab.submit("slow", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    worker.dispatcher.leave(&worker.session).await.unwrap();
    assert_eq!(lab.recover().await, 1);
    let next = lab.worker().await;
    assert_eq!(next.take().await.attempt.subtask_id, work.attempt.subtask_id);
}
