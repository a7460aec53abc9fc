//! PostgreSQL goes away for shorter and longer than a lease, and comes back: how long it takes until work goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::figure;
use crate::harness::postgres;
use crate::harness::server::{Server, until};

/// From the moment on at which the database takes connections again.
const RESUMES: Duration = Duration::from_secs(10);
/// Shorter than a lease, which is 15 s; and so long that what runs is given up.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(20);

/// A step that leaves a file for each of its runs, and waits for another.
async fn begin(server: &Server, folder: &Path) -> String {
    let at = folder.display();
    let code = format!("touch {at}/run.$TASKLOOM_RUN; until test -e {at}/go; do sleep 0.05; done");
    let task = server.submit(json!([{"name": "a", "run": {"shell": code}}])).await;
    let first = folder.join("run.1");
    until("it runs", async || first.exists().then_some(())).await;
    task
}

async fn stays_away(outage: Duration) {
    let begun = Instant::now();
    until("the outage is over", async || (begun.elapsed() >= outage).then_some(())).await;
}

fn soon(back: Instant, what: &str, server: &Server) -> Duration {
    let took = back.elapsed();
    eprintln!("{what}: {took:?} after the database was back");
    assert!(took <= RESUMES, "{what}: {took:?} after the database was back\n{}", server.log());
    took
}

/// The usual settings: with shorter leases it would be easy.
#[tokio::test(flavor = "multi_thread")]
async fn what_ended_meanwhile_is_recorded_and_new_work_begins() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[("DATABASE_URL", &cluster.url)]).await;
    let task = begin(&server, folder.path()).await;
    cluster.stop();
    std::fs::write(folder.path().join("go"), "").unwrap();
    stays_away(SHORT).await;
    cluster.start();
    let back = Instant::now();
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let next = server.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    server.wait(&next, "SUCCESSFUL: a SUCCESSFUL").await;
    note("what_ended_meanwhile_is_recorded_and_new_work_begins", SHORT, soon(back, "work goes on", &server));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_runs_again() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", cluster.url.as_str())];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    let task = begin(&server, folder.path()).await;
    let other = Server::start(&folder.path().join("other"), &settings).await;
    cluster.stop();
    stays_away(LONG).await;
    assert!(server.log().contains("the lease is about to end"), "it is longer than a lease\n{}", server.log());
    cluster.start();
    let back = Instant::now();
    let second = folder.path().join("run.2");
    until("it runs again", async || second.exists().then_some(())).await;
    let took = soon(back, "what was given up runs again", &server);
    std::fs::write(folder.path().join("go"), "").unwrap();
    other.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let new = other.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    other.wait(&new, "SUCCESSFUL: a SUCCESSFUL").await;
    let document = "query($id: ID!) { task(id: $id) { subtasks { attempts { state } } } }";
    let attempts = server.get(document, json!({"id": task}), "/task/subtasks/0/attempts").await;
    assert_eq!(attempts, json!([{"state": "LOST"}, {"state": "SUCCESSFUL"}]), "twice is enough");
    note("what_was_given_up_runs_again", LONG, took);
}

fn note(test: &str, outage: Duration, took: Duration) {
    let attack = format!("PostgreSQL is stopped for {} s", outage.as_secs());
    figure::note(
        &format!("back::{test}"),
        &attack,
        "work goes on ≤ 10 s after it is back",
        &format!("{:.1} s", took.as_secs_f64()),
    );
}
