//! The host of a worker sleeps: its timers stand still, and the world goes on. When it wakes it gives up what it ran.

use std::sync::Arc;

use taskloom::worker::options::WorkerStops;

use super::bench::{until, within};
use super::lab::{Lab as Bench, OVER};
use super::step::shell;
use super::wire::worker;

stories!(who_has_slept_longer_than_its_lease_gives_up);

async fn who_has_slept_longer_than_its_lease_gives_up(lab: Bench) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let code = format!("touch {at}/run.$TASKLOOM_RUN; until test -e {at}/go; do sleep 0.05; done");
    lab.submit("sleeper", &[shell("a", &code)]).await;
    let worker = worker(&lab, Arc::new(lab.worker().await.dispatcher), folder.path());
    let stops = WorkerStops::default();
    let works = tokio::spawn(worker.run(stops.clone()));
    until("it runs", async || folder.path().join("run.1").exists().then_some(())).await;
    // The one that only lent its dispatcher, and the one that works.
    assert_eq!(lab.count("worker WHERE state = 'ALIVE'").await, 2);

    // Renewals went on until here, and no timer has noticed; the host's own clock has counted the sleep.
    lab.clock.advance(OVER);
    until("it begins a new life", async || (lab.count("worker").await == 3).then_some(())).await;
    until("it runs again", async || folder.path().join("run.2").exists().then_some(())).await;
    std::fs::write(folder.path().join("go"), "").unwrap();
    until("it ends", async || (lab.count("task WHERE state = 'SUCCESSFUL'").await == 1).then_some(())).await;
    assert_eq!(lab.count("attempt WHERE state = 'LOST'").await, 1);
    stops.gently.cancel();
    within("the worker ends", works).await.unwrap();
}
