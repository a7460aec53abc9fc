//! One task that is told with two precisions is one row, and keeps the better one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Timelike, Utc};
use serde_json::{Value, json};

use super::lab::{Ground, agree, follows, kept, on_both, register_plain};
use super::proxy::{Meddle, Meddler, retime};
use super::simulator::Simulator;
use crate::harness::server::{Server, until};

on_both!(a_task_told_with_two_precisions_is_one);

/// Cuts the fractions of instants in some calls only.
#[derive(Default)]
struct Cut {
    /// Live updates, too: then nobody is exact.
    live: AtomicBool,
}

impl Meddle for Cut {
    fn answer(&self, method: &str, body: String) -> Option<Vec<u8>> {
        let changed = match method {
            "ReadNextTasks" => retime(&body, milliseconds),
            "RetrievePropertiesEx" => retime(&body, |_, at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "WaitForUpdatesEx" if self.live.load(Ordering::SeqCst) => retime(&body, milliseconds),
            _ => body,
        };
        Some(changed.into_bytes())
    }
}

/// Rounded to milliseconds; every other time with an error of the rounding: `.713999` for `.714`.
fn milliseconds(_: &str, at: DateTime<Utc>) -> String {
    let millis = (at.timestamp_micros() + 500).div_euclid(1000) * 1000;
    let micros = if at.second().is_multiple_of(2) { millis } else { millis - 1 };
    DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339_opts(SecondsFormat::Micros, true)
}

async fn a_task_told_with_two_precisions_is_one(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false", "-history", "120"]).await;
    let cut = Arc::new(Cut::default());
    let proxy = Meddler::before(&simulator.url, cut.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    follows(&server, "lab").await;
    // Live, then read again in the gap after the session was lost.
    simulator.post("/tasks", json!({"count": 15, "seconds": 1, "steps": 3})).await;
    let long = simulator.task(json!({"seconds": 4, "steps": 4, "entity": "DC0_H0_VM0"})).await;
    until("it is seen", async || kept(&server, &id).await.contains_key(&long).then_some(())).await;
    simulator.post("/sessions/terminate", json!({})).await;
    agree(&server, &id, &simulator).await;
    // Read first, then told live: told vaguely at first, exactly later.
    cut.live.store(true, Ordering::SeqCst);
    let vague = simulator.task(json!({"seconds": 6, "steps": 12, "entity": "DC0_H0_VM1"})).await;
    until("it is seen", async || kept(&server, &id).await.contains_key(&vague).then_some(())).await;
    cut.live.store(false, Ordering::SeqCst);
    simulator.post("/sessions/terminate", json!({})).await;
    agree(&server, &id, &simulator).await;
    let exact = exact(&simulator).await;
    let told = instants(&server, &id).await;
    for key in [&long, &vague] {
        assert_eq!(told[key], exact[key], "{key} keeps its most exact instants");
    }
    // A task has one row (`kept` counts), and each of its states is told once.
    assert_eq!(kept(&server, &id).await.len() as u64, simulator.count().await);
}

/// When each task was made and began, as the simulator knows it.
async fn exact(simulator: &Simulator) -> std::collections::BTreeMap<String, [DateTime<Utc>; 2]> {
    let at = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let tasks = simulator.get("/tasks").await;
    let tasks = tasks.as_array().unwrap().iter();
    tasks
        .map(|task| (task["key"].as_str().unwrap().to_owned(), [at(&task["queueTime"]), at(&task["startTime"])]))
        .collect()
}

/// The same as the server keeps it.
async fn instants(server: &Server, id: &str) -> std::collections::BTreeMap<String, [DateTime<Utc>; 2]> {
    let document =
        "query($id: ID!) { vsphereTasks(first: 1000, filter: {vcenterId: $id}) { nodes { key createdAt startedAt } } }";
    let at = |value: &Value| value.as_str().unwrap().parse().unwrap();
    let nodes = server.get(document, json!({"id": id}), "/vsphereTasks/nodes").await;
    let nodes = nodes.as_array().unwrap().iter();
    nodes
        .map(|task| (task["key"].as_str().unwrap().to_owned(), [at(&task["createdAt"]), at(&task["startedAt"])]))
        .collect()
}
