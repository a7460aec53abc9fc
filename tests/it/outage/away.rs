//! PostgreSQL is stopped under a running server, and started again.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use super::{PATIENT, assert_passing, attempts, submit_anyway, talker};
use crate::harness::postgres;
use crate::harness::server::{Server, until};

const OUTAGE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_when_the_database_is_back() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &with(&cluster.url, PATIENT)).await;
    let go = folder.path().join("go");
    let slow = talker(&server, &go).await;
    let mut accepted = vec![];
    for number in 0..20 {
        accepted.push(server.try_submit(&format!("before {number}")).await.unwrap());
    }

    cluster.stop();
    // At first over connections that break, then without any.
    let stopped = Instant::now();
    while stopped.elapsed() < OUTAGE {
        assert_passing(&server, &server.try_submit("meanwhile").await.unwrap_err());
    }
    let (status, reason) = server.probe("/readyz").await;
    assert!(status == 503 && reason.contains("the database does not answer"), "{status} {reason}");
    assert_eq!(server.probe("/healthz").await.0, 200, "the process lives");
    // What runs ends meanwhile, and keeps its outcome.
    std::fs::write(&go, "").unwrap();
    until("the outcome waits", async || server.log().contains("cannot be").then_some(())).await;

    cluster.start();
    until("it is ready again", async || (server.probe("/readyz").await.0 == 200).then_some(())).await;
    server.wait(&slow, "SUCCESSFUL: talk SUCCESSFUL").await;
    accepted.push(submit_anyway(&server, "meanwhile").await);
    for task in &accepted {
        server.wait(task, "SUCCESSFUL: a SUCCESSFUL").await;
    }
    // By now it is as if nothing had been, and no request is put off.
    assert_eq!(attempts(&server, &slow).await, json!(["SUCCESSFUL"]), "it did not run again");
    let count = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(count, json!(22), "what was refused was not half accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_its_lease_runs_again() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let short = [("WORKER__LEASE", "2s"), ("WORKER__RENEW", "500ms"), ("DATABASE__ACQUIRE_TIMEOUT", "1s")];
    let server = Server::start(&folder.path().join("data"), &with(&cluster.url, short)).await;
    let go = folder.path().join("go");
    let task = talker(&server, &go).await;

    cluster.stop();
    // It stops what it runs before anybody else may take it.
    until("it gives up in time", async || server.log().contains("the lease is about to end").then_some(())).await;
    cluster.start();
    until("it runs again", async || {
        let answer = server.ask("query($id: ID!) { task(id: $id) { subtasks { runs } } }", json!({"id": task})).await;
        (answer.pointer("/data/task/subtasks/0/runs") == Some(&json!(2))).then_some(())
    })
    .await;
    std::fs::write(&go, "").unwrap();
    server.wait(&task, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &task).await, json!(["LOST", "SUCCESSFUL"]));

    // And it can still stop while the database is away.
    cluster.stop();
    server.signal(Signal::SIGTERM);
    until("it ends", async || server.log().contains("stopped").then_some(())).await;
}

fn with<'a, const N: usize>(url: &'a str, settings: [(&'a str, &'a str); N]) -> Vec<(&'a str, &'a str)> {
    [("DATABASE_URL", url)].into_iter().chain(settings).collect()
}
