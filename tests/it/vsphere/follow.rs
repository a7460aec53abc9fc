//! The history is read, what happens is followed, and nothing that happens to the network or the vCenter loses a task.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use taskloom::vsphere::CloneTo;

use super::lab::{Standing, agree, follows, register, truth};
use super::proxy::Proxy;
use super::simulator::Simulator;
use crate::harness::postgres;
use crate::harness::server::{Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn history_and_live_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    everything_once(&folder.path().join("data"), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_and_live_on_postgresql() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::database().await);
    everything_once(&folder.path().join("data"), &[("DATABASE_URL", database.url.as_str())]).await;
}

async fn everything_once(folder: &Path, settings: &[(&str, &str)]) {
    let simulator = Simulator::start(&["-history", "2500"]).await;
    let server = Server::start(folder, settings).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    // While the history is read, and after.
    let early = simulator.task(json!({"seconds": 1, "steps": 4, "descriptionId": "vm.Snapshot.revert"})).await;
    follows(&server, "lab").await;
    simulator.post("/tasks", json!({"count": 60, "seconds": 1, "steps": 3})).await;
    simulator.post("/tasks", json!({"count": 20, "seconds": 0, "fault": "InvalidPowerState", "message": "坏了"})).await;
    let long = simulator.task(json!({"seconds": 600, "steps": 600, "cancelable": true, "entity": "DC0_H0_VM0"})).await;
    cancel(&server, &id, &long).await;
    agree(&server, &id, &simulator).await;
    let all = truth(&simulator).await;
    assert!(all.len() >= 2582 && all.contains_key(&early), "{}", all.len());
    assert!(all[&long].1, "it was cancelled");
    statistics(&server, &all).await;
    assert_eq!(server.metric("taskloom_vsphere_collectors").await, 1.0);
    assert!(server.metric("taskloom_vsphere_changes_total").await >= 2500.0);
    // The words of the vCenter, in both languages, and what lies above an object.
    let document =
        "query($id: ID!) { vsphereTasks(first: 1, filter: {vcenterId: $id, entity: \"VirtualMachine:vm-57\"}) { nodes {
        name nameIn(language: ZH) host { name } datacenter { name } object { kind parent { kind } } } } }";
    let node = server.get(document, json!({"id": id}), "/vsphereTasks/nodes/0").await;
    assert_eq!(node["datacenter"]["name"], "DC0", "{node}");
    assert_eq!(node["host"]["name"], "DC0_H0", "{node}");
    assert_ne!(node["name"], node["nameIn"], "{node}");
}

/// Operations and days add up to what there is.
async fn statistics(server: &Server, all: &BTreeMap<String, Standing>) {
    let document =
        "{ vcenter(uuid: \"lab\") { statistics(from: \"2000-01-01T00:00:00Z\", to: \"2100-01-01T00:00:00Z\") {
        operation count failed cancelled failureRate p50 p95 p99 } } }";
    let days = server.get(document, json!({}), "/vcenter/statistics").await;
    let sum = |name: &str| days.as_array().unwrap().iter().map(|day| day[name].as_u64().unwrap()).sum::<u64>();
    let count = |is: &dyn Fn(&Standing) -> bool| all.values().filter(|standing| is(standing)).count() as u64;
    assert_eq!(sum("count"), all.len() as u64);
    assert_eq!(sum("cancelled"), count(&|(_, cancelled, ..)| *cancelled));
    assert_eq!(sum("failed"), count(&|(state, cancelled, ..)| state == "error" && !cancelled));
    for day in days.as_array().unwrap() {
        let took = ["p50", "p95", "p99"].map(|name| day[name].as_f64().unwrap());
        assert!(took.is_sorted(), "{day}");
    }
}

/// Whether a server has seen a task.
async fn knows(server: &Server, vcenter: &str, key: &str) -> bool {
    let document = "query($id: ID!) { vsphereTasks(first: 10, filter: {vcenterId: $id}) { nodes { key } } }";
    let newest = server.get(document, json!({"id": vcenter}), "/vsphereTasks/nodes").await;
    newest.as_array().unwrap().iter().any(|task| task["key"] == key)
}

async fn cancel(server: &Server, vcenter: &str, key: &str) {
    let document = "query($id: ID!) { vsphereTasks(filter: {vcenterId: $id, states: [RUNNING]}) { nodes { id key } } }";
    let id = until("it runs", async || {
        let running = server.get(document, json!({"id": vcenter}), "/vsphereTasks/nodes").await;
        running.as_array()?.iter().find(|task| task["key"] == *key).map(|task| task["id"].clone())
    })
    .await;
    let document = "mutation($id: ID!) { cancelVsphereTask(input: {id: $id}) { vsphereTask { key } } }";
    server.get(document, json!({"id": id}), "/cancelVsphereTask/vsphereTask/key").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_cut_fifty_times() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "300"]).await;
    let proxy = Proxy::before(&simulator.url).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &proxy.address, &simulator).await;
    for round in 1..=50 {
        simulator.post("/tasks", json!({"count": 4, "seconds": 1, "steps": 3})).await;
        if round % 10 == 0 {
            work(&simulator, round).await;
        }
        // Now and then again while it tries to come back.
        for _ in 0..if round % 10 == 0 { 3 } else { 1 } {
            until("there is a connection to cut", async || (proxy.cut() > 0).then_some(())).await;
        }
        let late = simulator.task(json!({"seconds": 0})).await;
        until("it goes on", async || knows(&server, &id, &late).await.then_some(())).await;
    }
    agree(&server, &id, &simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vcenter_is_killed_and_restarted() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (state, certificate) = (file("state"), file("certificate"));
    let start = async |listen: &str| {
        Simulator::start(&["-history", "300", "-state", &state, "-cert", &certificate, "-listen", listen]).await
    };
    let mut simulator = start("127.0.0.1:0").await;
    let listen = simulator.url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    for round in 0..4 {
        follows(&server, "lab").await;
        work(&simulator, round).await;
        simulator.post("/tasks", json!({"count": 30, "seconds": 1, "steps": 3})).await;
        simulator.task(json!({"seconds": 300, "entity": "DC0_H0_VM0"})).await;
        simulator.kill().await;
        simulator = start(&listen).await;
        simulator.post("/tasks", json!({"count": 5, "seconds": 0})).await;
    }
    agree(&server, &id, &simulator).await;
}

/// Real work on machines: power, a snapshot, a clone, and one thing that fails.
async fn work(simulator: &Simulator, round: u32) {
    let session = simulator.session().await;
    let vm = session.find_vm("DC0_H0_VM1").await.unwrap().unwrap().reference;
    let folder = session.find_entity(&vm).await.unwrap().unwrap().parent.unwrap();
    session.power_off(&vm).await.unwrap();
    session.power_off(&vm).await.unwrap();
    session.create_snapshot(&vm, "before", "", false, false).await.unwrap();
    session.clone_vm(&vm, &folder, &format!("copy {round}"), &CloneTo::default()).await.unwrap();
    session.power_on(&vm).await.unwrap();
    session.sign_out().await.unwrap();
}

/// Hours of absence: the server is away while tasks begin and end.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let simulator = Simulator::start(&["-history", "100"]).await;
    let server = Server::start(&data, &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let open = simulator.task(json!({"seconds": 2, "entity": "DC0_H0_VM0"})).await;
    until("it is seen", async || super::lab::kept(&server, &id).await.contains_key(&open).then_some(())).await;
    server.signal(nix::sys::signal::Signal::SIGKILL);
    drop(server);
    simulator.post("/tasks", json!({"count": 200, "seconds": 1})).await;
    let server = Server::start(&data, &[]).await;
    agree(&server, &id, &simulator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "50"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let document = "subscription($id: ID, $after: String) { vsphereTaskChanged(vcenterId: $id, after: $after) {
        cursor state percent task { key } } }";
    let mut stream = Stream::open(&server, document, json!({"id": id})).await;
    let key = simulator.task(json!({"seconds": 2, "steps": 5})).await;
    let mut seen = vec![];
    while seen.last().is_none_or(|(_, state, _): &(String, String, i64)| state != "SUCCESS") {
        let change = stream.next().await;
        let change = &change["data"]["vsphereTaskChanged"];
        assert_eq!(change["task"]["key"], key.as_str(), "{change}");
        let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
        seen.push((text("cursor"), text("state"), change["percent"].as_i64().unwrap_or_default()));
    }
    let order = |state: &str| ["QUEUED", "RUNNING", "SUCCESS"].iter().position(|word| *word == state).unwrap();
    assert!(seen.is_sorted_by_key(|(_, state, percent)| (order(state), *percent)), "{seen:?}");
    assert!(seen.len() > 3, "progress is told, too: {seen:?}");
    // From a cursor on: the rest once more, and nothing else.
    let mut again = Stream::open(&server, document, json!({"id": id, "after": seen[0].0})).await;
    for (cursor, ..) in &seen[1..] {
        let change = again.next().await;
        assert_eq!(change["data"]["vsphereTaskChanged"]["cursor"], cursor.as_str());
    }
}

/// A subscription as server-sent events.
struct Stream {
    answer: reqwest::Response,
    rest: String,
}

impl Stream {
    async fn open(server: &Server, document: &str, variables: Value) -> Self {
        let request = server.request("POST", "/graphql").basic_auth("admin", Some(crate::harness::server::PASSWORD));
        let request =
            request.header("accept", "text/event-stream").json(&json!({"query": document, "variables": variables}));
        Self { answer: request.send().await.unwrap(), rest: String::new() }
    }

    async fn next(&mut self) -> Value {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data:").map(str::trim)).map(str::to_owned);
                self.rest = rest.to_owned();
                if let Some(data) = data.filter(|data| !data.is_empty()) {
                    return serde_json::from_str(&data).unwrap();
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.answer.chunk()).await.unwrap();
            let chunk = chunk.unwrap().expect("the stream goes on");
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Our own tasks and those of a vCenter in one list, page by page.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_in_one_list() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "30"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    for _ in 0..5 {
        server.submit(json!([{"name": "a", "run": {"noop": {}}}])).await;
        simulator.task(json!({"seconds": 0})).await;
    }
    agree(&server, &id, &simulator).await;
    let document = "query($first: Int, $after: String, $last: Int, $before: String) {
        allTasks(first: $first, after: $after, last: $last, before: $before) { totalCount
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { __typename id createdAt origin } } }";
    let whole = server.get(document, json!({"first": 100}), "/allTasks").await;
    assert_eq!(whole["totalCount"], 40, "{whole}");
    let whole = whole["nodes"].as_array().unwrap().clone();
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for node in &whole {
        *kinds.entry(node["__typename"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(kinds, BTreeMap::from([("Task", 5), ("VsphereTask", 35)]));
    let (mut forward, mut place) = (vec![], json!({"first": 7}));
    loop {
        let page = server.get(document, place, "/allTasks").await;
        forward.extend(page["nodes"].as_array().unwrap().clone());
        place = json!({"first": 7, "after": page["pageInfo"]["endCursor"]});
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            break;
        }
    }
    assert_eq!(forward, whole);
    let (mut backward, mut place) = (vec![], json!({"last": 7}));
    loop {
        let page = server.get(document, place, "/allTasks").await;
        backward.splice(0..0, page["nodes"].as_array().unwrap().clone());
        place = json!({"last": 7, "before": page["pageInfo"]["startCursor"]});
        if page["pageInfo"]["hasPreviousPage"] != json!(true) {
            break;
        }
    }
    assert_eq!(backward, whole);
}
