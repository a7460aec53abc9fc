//! What a vCenter forgets: tasks without an end, sessions, its own identity.

use serde_json::json;

use super::lab::{agree, follows, kept, register, truth};
use super::simulator::Simulator;
use crate::harness::server::{Server, until};

/// A task that had not ended when the vCenter lost it ends as lost, with words of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_task_ends_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (state, certificate) = (file("state"), file("certificate"));
    let start = async |listen: &str| {
        let flags = ["-state", &state, "-cert", &certificate, "-listen", listen, "-lost-unfinished", "vanish"];
        Simulator::start(&flags).await
    };
    let simulator = start("127.0.0.1:0").await;
    let listen = simulator.url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let doomed = simulator.task(json!({"seconds": 300, "entity": "DC0_H0_VM0"})).await;
    until("it is seen", async || kept(&server, &id).await.contains_key(&doomed).then_some(())).await;
    simulator.kill().await;
    let simulator = start(&listen).await;
    let document = "query($id: ID!) { vsphereTasks(filter: {vcenterId: $id, isLost: true}) { nodes { key vsphereState message } } }";
    let lost = until("it is given up", async || {
        let lost = server.get(document, json!({"id": id}), "/vsphereTasks/nodes").await;
        lost.as_array()?.first().cloned()
    })
    .await;
    assert_eq!(lost["key"], doomed.as_str());
    assert_eq!(lost["vsphereState"], "ERROR");
    assert!(lost["message"].as_str().unwrap().contains("how it ended is unknown"), "{lost}");
    assert!(!truth(&simulator).await.contains_key(&doomed));
}

/// A vCenter that was set up anew gives old keys out again: they are other tasks.
#[tokio::test(flavor = "multi_thread")]
async fn another_vcenter_at_the_same_address() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("certificate").display().to_string();
    let start = async |listen: &str, history: &str| {
        Simulator::start(&["-cert", &certificate, "-listen", listen, "-history", history]).await
    };
    let simulator = start("127.0.0.1:0", "120").await;
    let listen = simulator.url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let open = simulator.task(json!({"seconds": 300, "entity": "DC0_H0_VM0"})).await;
    until("it is seen", async || kept(&server, &id).await.contains_key(&open).then_some(())).await;
    let first = simulator.instance.clone();
    simulator.kill().await;
    let simulator = start(&listen, "70").await;
    assert_ne!(simulator.instance, first);
    let document = "query($id: ID!) { all: vsphereTasks(filter: {vcenterId: $id}) { totalCount }
        lost: vsphereTasks(filter: {vcenterId: $id, isLost: true}) { nodes { key } } }";
    until("both histories are kept", async || {
        let counts = server.get(document, json!({"id": id}), "").await;
        (counts["all"]["totalCount"] == 191 && counts["lost"]["nodes"][0]["key"] == open.as_str()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "50"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    for _ in 0..5 {
        follows(&server, "lab").await;
        simulator.post("/tasks", json!({"count": 10, "seconds": 1, "steps": 2})).await;
        simulator.post("/sessions/terminate", json!({})).await;
        simulator.post("/tasks", json!({"count": 10, "seconds": 0})).await;
    }
    agree(&server, &id, &simulator).await;
    let sessions = until("no session is left behind", async || {
        let count = simulator.get("/sessions").await["count"].as_u64().unwrap();
        (count <= 1).then_some(count)
    })
    .await;
    assert!(sessions <= 1);
}

/// More happens at once than the latest page holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_read_from_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "20"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    simulator.post("/tasks", json!({"count": 500, "seconds": 0})).await;
    agree(&server, &id, &simulator).await;
}
