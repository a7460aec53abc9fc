//! PostgreSQL goes away for shorter and longer than a lease, and comes back: how long it takes until work goes on.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use super::figure;
use crate::harness::server::{Server, until};
use crate::harness::{postgres, runs};

/// From the moment on at which the database takes connections again.
const RESUMES: Duration = Duration::from_secs(10);
/// Shorter than a lease, which is 15 s; and so long that what runs is given up.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_secs(20);

async fn stays(so: Duration) {
    let begun = Instant::now();
    until("it stays so", async || (begun.elapsed() >= so).then_some(())).await;
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
    let task = runs::begin(&server, folder.path()).await;
    cluster.stop();
    runs::release(folder.path());
    stays(SHORT).await;
    cluster.start();
    let back = Instant::now();
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let next = server.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    server.wait(&next, "SUCCESSFUL: a SUCCESSFUL").await;
    note(
        "what_ended_meanwhile_is_recorded_and_new_work_begins",
        "PostgreSQL is stopped for 3 s",
        soon(back, "work goes on", &server),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_runs_again() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", cluster.url.as_str())];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    let task = runs::begin(&server, folder.path()).await;
    let other = Server::start(&folder.path().join("other"), &settings).await;
    cluster.stop();
    stays(LONG).await;
    assert!(server.log().contains("the lease is about to end"), "it is longer than a lease\n{}", server.log());
    cluster.start();
    let back = Instant::now();
    runs::began(folder.path(), 2).await;
    let took = soon(back, "what was given up runs again", &server);
    runs::release(folder.path());
    other.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let new = other.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    other.wait(&new, "SUCCESSFUL: a SUCCESSFUL").await;
    assert_eq!(runs::attempts(&server, &task).await, json!(["LOST", "SUCCESSFUL"]), "twice is enough");
    note("what_was_given_up_runs_again", "PostgreSQL is stopped for 20 s", took);
}

/// Nobody is left who could give it back: another server takes it, though it could not look for a while.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_server_had_is_taken() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", cluster.url.as_str())];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    let task = runs::begin(&server, folder.path()).await;
    let other = Server::start(&folder.path().join("other"), &settings).await;
    // It is seen by the other one.
    stays(Duration::from_secs(2)).await;
    cluster.stop();
    server.signal(Signal::SIGKILL);
    stays(LONG).await;
    cluster.start();
    let back = Instant::now();
    runs::began(folder.path(), 2).await;
    let took = soon(back, "what a dead server had is taken", &other);
    runs::release(folder.path());
    other.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    note("what_a_dead_server_had_is_taken", "while PostgreSQL is stopped for 20 s, a server is killed", took);
}

fn note(test: &str, attack: &str, took: Duration) {
    let found = format!("{:.1} s", took.as_secs_f64());
    figure::note(&format!("back::{test}"), attack, "work goes on ≤ 10 s after it is back", &found);
}
