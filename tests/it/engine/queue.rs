//! Who gets what, in which order; and that nobody asks in vain.

use std::time::Duration;

use serde_json::json;
use taskloom::worker::port::{AttemptReport, Intent, Port};

use super::bench::{until, within};
use super::lab::Lab as Bench;
use super::step::noop;

stories!(
    a_worker_gets_what_its_labels_allow_in_the_fair_order,
    a_worker_is_told_of_a_ring_once,
    what_is_reported_while_a_task_is_locked_is_written_afterwards
);

async fn a_worker_gets_what_its_labels_allow_in_the_fair_order(lab: Bench) {
    let needs = |name: &str, labels: &[&str]| noop(name).with("workers", json!(labels));
    for n in 0..20 {
        lab.submit(&format!("elsewhere {n}"), &[needs("a", &["mainframe"])]).await;
    }
    lab.submit_before("late", &[needs("late", &["gpu"])], Some(10)).await;
    lab.submit_before("first", &[needs("first", &["gpu", "ssd"])], Some(90)).await;
    lab.submit_before("anywhere", &[noop("anywhere")], Some(50)).await;
    lab.submit_before("lacks one", &[needs("lacks", &["ssd", "tape"])], Some(99)).await;
    lab.submit_before("second", &[needs("second", &["ssd"])], Some(50)).await;

    let able = lab.worker_with(&["gpu", "ssd"]).await;
    let names = |taken: &[taskloom::worker::port::Assignment]| -> Vec<String> {
        let name =
            |spec: &str| serde_json::from_str::<serde_json::Value>(spec).unwrap()["name"].as_str().unwrap().into();
        taken.iter().map(|assignment| name(&assignment.spec)).collect()
    };
    let taken = within("work", able.dispatcher.claim(&able.session, 3)).await.unwrap();
    assert_eq!(names(&taken), ["first", "anywhere", "second"]);
    let taken = within("work", able.dispatcher.claim(&able.session, 3)).await.unwrap();
    assert_eq!(names(&taken), ["late"]);
    let plain = lab.worker().await;
    let last = [noop("last")];
    let asks =
        async { tokio::join!(plain.dispatcher.claim(&plain.session, 3), lab.submit_before("last", &last, Some(1))) };
    let (taken, ()) = within("work", asks).await;
    assert_eq!(names(&taken.unwrap()), ["last"], "nothing else is left for a worker without labels");
}

async fn a_worker_is_told_of_a_ring_once(lab: Bench) {
    let worker = lab.worker().await;
    // Answered only when it rings.
    let long = Duration::from_secs(600);
    for _ in 0..3 {
        lab.submit("rings", &[noop("a")]).await;
    }
    assert!(within("what was rung for", worker.dispatcher.intents(&worker.session, long)).await.unwrap().is_empty());
    let taken = worker.take().await.attempt;
    let again = async { tokio::join!(worker.dispatcher.intents(&worker.session, long), lab.cancel(taken.task_id)) };
    let (intents, ()) = within("the next ring", again).await;
    assert_eq!(intents.unwrap(), [(taken, Intent::Cancel)], "nobody has rung before");
}

async fn what_is_reported_while_a_task_is_locked_is_written_afterwards(lab: Bench) {
    lab.submit("locked", &[noop("a")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let lock = lab.lock(attempt.task_id).await;
    worker.dispatcher.report(attempt, AttemptReport::Warning("careful".into())).await.unwrap();
    // On SQLite the lock keeps everybody from writing. On PostgreSQL the dispatcher finds the task locked again and again.
    let before = lab.statements();
    if lab.is_on_postgres() {
        until("the dispatcher has looked", async || (lab.statements() > before + 3).then_some(())).await;
    }
    lock.commit().await.unwrap();
    let events = "{ tasks { nodes { events { nodes { message } } } } }";
    until("the warning", async || lab.ask(events).await.0.to_string().contains("careful").then_some(())).await;
}
