//! Two servers on one database: one collects, and the other goes on where it was killed.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use super::lab::{agree, follows, kept, register};
use super::simulator::Simulator;
use crate::harness::postgres;
use crate::harness::server::{Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn exactly_one_collects_and_the_other_takes_over() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::database().await);
    let settings = [("DATABASE_URL", database.url.as_str())];
    // What lies sealed is opened by either: they share a key.
    let first = Server::start(&folder.path().join("first"), &settings).await;
    std::fs::create_dir_all(folder.path().join("second")).unwrap();
    std::fs::copy(folder.path().join("first/secret.key"), folder.path().join("second/secret.key")).unwrap();
    let second = Server::start(&folder.path().join("second"), &settings).await;
    let simulator = Simulator::start(&["-history", "200"]).await;
    let id = register(&first, "lab", &simulator.url, &simulator).await;
    follows(&first, "lab").await;
    let sessions = async || simulator.get("/sessions").await["count"].as_u64().unwrap();
    until("one session, whoever's", async || (sessions().await == 1).then_some(())).await;
    simulator.post("/tasks", json!({"count": 30, "seconds": 1, "steps": 3})).await;
    agree(&second, &id, &simulator).await;
    assert_eq!(sessions().await, 1, "the other server keeps away");
    // Whoever collects has said so in its log.
    let collects = |server: &Server| server.log().contains("the history is read");
    assert!(collects(&first) != collects(&second), "one of them collects");
    let (collector, other) = if collects(&first) { (first, second) } else { (second, first) };
    simulator.post("/tasks", json!({"count": 20, "seconds": 5, "steps": 5})).await;
    collector.signal(Signal::SIGKILL);
    let killed = Instant::now();
    let late = simulator.task(json!({"seconds": 0})).await;
    until("the other goes on", async || kept(&other, &id).await.contains_key(&late).then_some(())).await;
    assert!(killed.elapsed() <= Duration::from_secs(20), "it took {:?}", killed.elapsed());
    agree(&other, &id, &simulator).await;
}

/// Settings that change are taken up; a vCenter that is not to be collected is left alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_settings_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "20"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let put = async |collect: bool| {
        let input = json!({
            "name": "lab", "address": simulator.url, "user": super::simulator::USER, "trust": "THUMBPRINT",
            "trusted": simulator.sha256, "collect": collect,
        });
        super::lab::put(&server, input).await
    };
    assert_eq!(put(false).await, id);
    until("nobody collects", async || (super::lab::stands(&server, "lab").await.0 == "WAITING").then_some(())).await;
    until("nobody is signed in", async || (simulator.get("/sessions").await["count"] == 0).then_some(())).await;
    simulator.post("/tasks", json!({"count": 15, "seconds": 0})).await;
    assert_eq!(kept(&server, &id).await.len(), 20);
    put(true).await;
    agree(&server, &id, &simulator).await;
}
