//! The host of a worker sleeps: its timers stand still, and the world goes on. When it wakes it gives up what it ran.

use std::sync::Arc;
use std::time::Duration;

use taskloom::clock::Clock;
use taskloom::engine::port::{Hello, Port};
use taskloom::engine::worker::{Options, Stops, Worker};
use taskloom::executor::{Host, HostOptions, TreeChoice};

use super::bench::{until, within};
use super::lab::{Lab as Bench, OVER};
use super::step::shell;

stories!(who_has_slept_longer_than_its_lease_gives_up);

async fn who_has_slept_longer_than_its_lease_gives_up(lab: Bench) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let code = format!("touch {at}/run.$TASKLOOM_RUN; until test -e {at}/go; do sleep 0.05; done");
    lab.submit("sleeper", &[shell("a", &code)]).await;
    let options = Options {
        hello: Hello { name: "w".into(), labels: vec![], slots: 1, isolation: "none".into() },
        renew: Duration::from_millis(50),
        grace: Duration::from_secs(1),
        patience: Duration::from_millis(1),
        folder: folder.path().join("attempts"),
        log_limit: 1 << 20,
        log_chunk: 1 << 16,
        log_flush: Duration::from_millis(100),
    };
    let host = HostOptions { way: TreeChoice::Best, ..HostOptions::new(folder.path()) };
    let worker = Worker {
        port: Arc::new(lab.worker().await.desk) as Arc<dyn Port>,
        host: Host::detect(&host).unwrap(),
        clock: lab.clock.clone() as Arc<dyn Clock>,
        options,
        metrics: lab.store().metrics().clone(),
    };
    let stops = Stops::default();
    let works = tokio::spawn(worker.run(stops.clone()));
    until("it runs", async || folder.path().join("run.1").exists().then_some(())).await;
    // The one that only lent its desk, and the one that works.
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
