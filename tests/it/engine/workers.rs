//! Two workers of one dispatcher: what one asks, gets or leaves is never the other's.

use std::time::Duration;

use serde_json::json;
use taskloom::worker::port::{Acceptance, Intent, Port, PortError};

use super::bench::within;
use super::lab::{Lab as Bench, OVER, Worker};
use super::recovery::succeeded;
use super::step::{Step, noop};

stories!(
    each_gets_what_its_labels_allow,
    a_claim_of_one_does_not_end_the_other_s,
    a_later_claim_of_the_same_session_takes_the_place_of_the_earlier,
    what_ends_at_one_is_handed_to_the_other_that_waits,
    what_waits_is_spread,
    a_pause_reaches_the_one_that_runs_it,
    one_that_leaves_takes_nothing_of_the_other_s,
    one_that_is_lost_loses_nothing_of_the_other_s
);

/// No answer comes by itself before this.
const LONG: Duration = Duration::from_secs(600);

fn needs(name: &str, labels: &[&str]) -> Step {
    noop(name).with("workers", json!(labels))
}

/// The names of the steps that a worker gets, as soon as there are some.
async fn names(worker: &Worker, free: usize) -> Vec<String> {
    let taken = within("work", worker.dispatcher.claim(&worker.session, free)).await.unwrap();
    let name = |spec: &str| serde_json::from_str::<serde_json::Value>(spec).unwrap()["name"].as_str().unwrap().into();
    taken.iter().map(|assignment| name(&assignment.spec)).collect()
}

async fn each_gets_what_its_labels_allow(lab: Bench) {
    let [gpu, tape] = lab.workers([&["gpu"], &["tape"]]).await;
    for step in [needs("none", &["gpu", "tape"]), needs("g1", &["gpu"]), needs("t1", &["tape"]), needs("g2", &["gpu"])]
    {
        lab.submit("t", &[step]).await;
    }
    assert_eq!(names(&tape, 4).await, ["t1"]);
    assert_eq!(names(&gpu, 4).await, ["g1", "g2"]);
}

async fn a_claim_of_one_does_not_end_the_other_s(lab: Bench) {
    let [gpu, tape] = lab.workers([&["gpu"], &["tape"]]).await;
    let (first, second) = ([needs("g", &["gpu"])], [needs("t", &["tape"])]);
    let submits = async {
        lab.submit("t", &first).await;
        lab.submit("t", &second).await;
    };
    let (gets, other, ()) = tokio::join!(names(&gpu, 1), names(&tape, 1), submits);
    assert_eq!((gets, other), (vec!["g".to_owned()], vec!["t".to_owned()]));
}

async fn a_later_claim_of_the_same_session_takes_the_place_of_the_earlier(lab: Bench) {
    let [worker] = lab.workers([&[]]).await;
    let step = [noop("a")];
    let later = async { tokio::join!(names(&worker, 1), lab.submit("t", &step)) };
    let (earlier, (gets, ())) = tokio::join!(names(&worker, 1), later);
    assert_eq!((earlier, gets), (vec![], vec!["a".to_owned()]));
}

async fn what_ends_at_one_is_handed_to_the_other_that_waits(lab: Bench) {
    let [gpu, plain] = lab.workers([&["gpu"], &[]]).await;
    lab.submit("t", &[noop("a"), needs("b", &["gpu"]).needs("a")]).await;
    let a = plain.take().await;
    let (gets, ended) = tokio::join!(names(&gpu, 1), plain.dispatcher.finish(succeeded(a.attempt)));
    assert_eq!((gets, ended.unwrap()), (vec!["b".to_owned()], vec![Acceptance::Accepted]));
}

async fn what_waits_is_spread(lab: Bench) {
    let [one, other] = lab.workers([&[], &[]]).await;
    // Both wait before there is anything: neither is served before the other asks.
    let steps = [noop("root"), noop("a").needs("root"), noop("b").needs("root")];
    lab.submit("t", &steps).await;
    let root = one.take().await;
    let ends = one.dispatcher.finish(succeeded(root.attempt));
    let (gets, others, ended) = tokio::join!(names(&one, 2), names(&other, 2), ends);
    assert_eq!(ended.unwrap(), [Acceptance::Accepted]);
    let mut all = [gets.clone(), others.clone()].concat();
    all.sort();
    assert_eq!((gets.len(), others.len(), all), (1, 1, vec!["a".to_owned(), "b".to_owned()]));
}

async fn a_pause_reaches_the_one_that_runs_it(lab: Bench) {
    let [gpu, tape] = lab.workers([&["gpu"], &["tape"]]).await;
    lab.submit("g", &[needs("g", &["gpu"])]).await;
    lab.submit("t", &[needs("t", &["tape"])]).await;
    let (g, t) = (gpu.take().await.attempt, tape.take().await.attempt);
    let intents = async |worker: &Worker| worker.dispatcher.intents(&worker.session, LONG).await.unwrap();
    // What was rung for by now.
    for worker in [&gpu, &tape] {
        within("what was rung for", intents(worker)).await;
    }
    let pause = lab.pause(g.task_id);
    let (of_gpu, of_tape, ()) = within("the pause", async { tokio::join!(intents(&gpu), intents(&tape), pause) }).await;
    assert_eq!(
        (of_gpu, of_tape),
        (vec![(g, Intent::Pause)], vec![(t, Intent::Run)]),
        "each is woken, and told its own"
    );
}

async fn one_that_leaves_takes_nothing_of_the_other_s(lab: Bench) {
    let [leaves, stays] = lab.workers([&[], &[]]).await;
    lab.submit("t", &[noop("a")]).await;
    let a = stays.take().await.attempt;
    let step = [noop("b")];
    let submits = async {
        leaves.dispatcher.leave(&leaves.session).await.unwrap();
        assert_eq!(lab.recover().await, 0, "what the other runs is not lost");
        lab.submit("t", &step).await;
    };
    let waits = leaves.dispatcher.claim(&leaves.session, 1);
    let (refused, gets, ()) = tokio::join!(waits, names(&stays, 1), submits);
    assert_eq!((refused, gets), (Err(PortError::session_over()), vec!["b".to_owned()]));
    assert_eq!(
        leaves.dispatcher.claim(&leaves.session, 1).await,
        Err(PortError::session_over()),
        "it is over for good"
    );
    assert_eq!(stays.dispatcher.finish(succeeded(a)).await.unwrap(), [Acceptance::Accepted]);
}

async fn one_that_is_lost_loses_nothing_of_the_other_s(lab: Bench) {
    let [dies, lives] = lab.workers([&["gpu"], &["tape"]]).await;
    lab.submit("g", &[needs("g", &["gpu"])]).await;
    lab.submit("t", &[needs("t", &["tape"])]).await;
    let (g, t) = (dies.take().await.attempt, lives.take().await.attempt);
    assert_eq!(lab.recover().await, 0, "both are seen for the first time");
    lab.clock.advance(OVER);
    assert!(lives.dispatcher.renew(&lives.session).await.unwrap().is_some());
    assert_eq!(lab.recover().await, 1);
    assert_eq!(dies.dispatcher.finish(succeeded(g)).await.unwrap(), [Acceptance::Refused]);
    assert_eq!(lives.dispatcher.finish(succeeded(t)).await.unwrap(), [Acceptance::Accepted]);
    assert_eq!(dies.dispatcher.renew(&dies.session).await.unwrap(), None);
    let tasks = lab.ask("{ tasks { nodes { name state } } }").await.0["tasks"]["nodes"].clone();
    let state = |name: &str| tasks.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["state"].clone();
    assert_eq!((state("t"), state("g")), (json!("SUCCESSFUL"), json!("RUNNING")), "{tasks}");
}
