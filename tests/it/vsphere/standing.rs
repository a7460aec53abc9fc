//! Trouble that ends no session: a wait that hangs, a key that is given out again, an object that no inventory had yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use taskloom::vsphere::CloneTo;

use super::lab::{Ground, agree, collection, follows, kept, on_both, register, register_plain};
use super::proxy::{Meddle, Meddler};
use super::simulator::{Simulator, within};
use crate::harness::server::until;
use crate::harness::wait;

on_both!(
    a_wait_that_hangs_is_replaced_and_said,
    a_key_that_is_given_out_again_is_another_task,
    an_object_younger_than_the_inventory_is_found,
);

/// No wait is answered any more, though all else is.
#[derive(Default)]
struct Deaf(AtomicBool);

impl Meddle for Deaf {
    fn answer(&self, method: &str, body: String) -> Option<Vec<u8>> {
        let hangs = method == "WaitForUpdatesEx" && self.0.load(Ordering::SeqCst);
        (!hangs).then(|| body.into_bytes())
    }
}

async fn a_wait_that_hangs_is_replaced_and_said(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false", "-history", "20"]).await;
    let deaf = Arc::new(Deaf::default());
    let proxy = Meddler::before(&simulator.url, deaf.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    follows(&server, "lab").await;
    deaf.0.store(true, Ordering::SeqCst);
    let before = collection(&server, "lab").await["seenAt"].clone();
    let meanwhile = simulator.task(json!({"seconds": 0})).await;
    let said = within(until_said(&server, "WAIT_HANGS")).await;
    assert_eq!(said["state"], "FOLLOWING");
    assert!(said["message"].as_str().unwrap().contains("answers no wait for updates since"), "{said}");
    assert!(said["seenAt"].as_str() > before.as_str(), "it is seen all the same: {before} {said}");
    // What happens meanwhile is read.
    within(async { while !kept(&server, &id).await.contains_key(&meanwhile) {} }).await;
    deaf.0.store(false, Ordering::SeqCst);
    within(async { while collection(&server, "lab").await["reason"] != Value::Null {} }).await;
    simulator.post("/tasks", json!({"count": 10, "seconds": 1, "steps": 3})).await;
    agree(&server, &id, &simulator).await;
    assert_eq!(simulator.get("/sessions").await["count"], 1, "it is the same session");
    let calls = simulator.get("/calls").await;
    assert_eq!(calls["Login"], 2, "one for each language: {calls}");
}

async fn until_said(server: &crate::harness::server::Server, reason: &str) -> Value {
    loop {
        let said = collection(server, "lab").await;
        if said["reason"] == reason {
            return said;
        }
    }
}

async fn a_key_that_is_given_out_again_is_another_task(ground: Ground) {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("certificate").display().to_string();
    let flags = ["-cert", &certificate, "-instance", "5f1e", "-listen"];
    let simulator = Simulator::start(&[&flags[..], &["127.0.0.1:0"]].concat()).await;
    let listen = simulator.url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
    let server = ground.server().await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    // Two of one key within a second would be taken for one: when this one is seen to run, that second is over.
    let key = simulator.task(json!({"seconds": 300, "queued": 1.5, "entity": "DC0_H0_VM0"})).await;
    until("it runs", async || {
        (kept(&server, &id).await.get(&key).map(|(state, ..)| state.as_str()) == Some("running")).then_some(())
    })
    .await;
    drop(server);
    simulator.kill().await;
    // The same vCenter, that has lost everything: it counts from the beginning.
    let simulator = Simulator::start(&[&flags[..], &[&listen]].concat()).await;
    let again = simulator.task(json!({"seconds": 300, "queued": 0.2, "entity": "DC0_H0_VM1"})).await;
    assert_eq!(again, key);
    let server = ground.server().await;
    let document = "query($id: ID!) { vsphereTasks(filter: {vcenterId: $id}) { nodes { key vsphereState isLost } } }";
    // It is looked for twice, so that nothing is given up that only hides.
    let lost = wait::attempt_within(Duration::from_secs(120), async || {
        let nodes = server.get(document, json!({"id": id}), "/vsphereTasks/nodes").await;
        nodes.as_array().unwrap().iter().any(|task| task["isLost"] == true).then_some(nodes)
    });
    let nodes = lost.await.unwrap_or_else(|| panic!("it is not lost\n{}", server.log()));
    // The newest first.
    let stands = json!([
        {"key": key, "vsphereState": "RUNNING", "isLost": false},
        {"key": key, "vsphereState": "ERROR", "isLost": true},
    ]);
    assert_eq!(nodes, stands);
}

async fn an_object_younger_than_the_inventory_is_found(ground: Ground) {
    let simulator = Simulator::start(&[]).await;
    let server = ground.server().await;
    let id = register(&server, "lab", &simulator.url, &simulator).await;
    follows(&server, "lab").await;
    let session = simulator.session().await;
    let vm = session.find_vm("DC0_H0_VM0").await.unwrap().unwrap().reference;
    let folder = session.find_entity(&vm).await.unwrap().unwrap().parent.unwrap();
    session.clone_vm(&vm, &folder, "young", &CloneTo::default()).await.unwrap();
    let young = until("it is there", async || session.find_vm("young").await.unwrap()).await.reference;
    session.power_on(&young).await.unwrap();
    let document = "query($id: ID!, $vm: String!) { vsphereTasks(filter: {vcenterId: $id, entity: $vm}) { nodes {
        key object { name } host { name } datacenter { name } } } }";
    let node = until("it lies under its container", async || {
        let nodes = server.get(document, json!({"id": id, "vm": young.to_string()}), "/vsphereTasks/nodes").await;
        let is_whole = |task: &&Value| task["object"]["name"] == "young" && task["datacenter"]["name"] == "DC0";
        nodes.as_array()?.iter().find(is_whole).cloned()
    })
    .await;
    assert_eq!(node["host"]["name"], "DC0_H0", "{node}");
    let under =
        "query($id: ID!) { vsphereTasks(first: 100, filter: {vcenterId: $id, under: \"Datacenter:datacenter-2\"}) {
        nodes { key } } }";
    let under = server.get(under, json!({"id": id}), "/vsphereTasks/nodes").await;
    assert!(under.as_array().unwrap().iter().any(|task| task["key"] == node["key"]), "{under}");
}
