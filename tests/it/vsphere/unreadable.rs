//! What a vCenter tells of one task, and the API does not define, says nothing of the others: that task is kept in part or
//! left out, named where the state of the collection is, and counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::lab::{Ground, agree, collection, follows, kept, on_both, register_plain};
use super::proxy::{Meddle, Meddler, retell};
use super::simulator::Simulator;
use crate::harness::server::until;

on_both!(one_unreadable_task_is_named_and_stops_nobody, a_history_of_nothing_readable_is_read_to_its_end);

/// Bytes that are no text, where the text of an answer has this.
const BYTES: &str = "RAW-BYTES";

type Change = fn(&str) -> String;

/// Spoils what is told of some tasks, by their keys.
#[derive(Default)]
struct Spoil(Mutex<BTreeMap<String, Change>>);

impl Meddle for Spoil {
    fn answer(&self, _: &str, body: String) -> Option<Vec<u8>> {
        let spoiled = self.0.lock().unwrap().iter().fold(body, |text, (key, change)| retell(&text, key, change));
        let mut bytes = vec![];
        for (number, piece) in spoiled.split(BYTES).enumerate() {
            bytes.extend_from_slice(if number > 0 { b"\xff\xfe\xc3" } else { b"" });
            bytes.extend_from_slice(piece.as_bytes());
        }
        Some(bytes)
    }
}

/// The text without an element, or with another in its place.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let (before, rest) = text.split_once(&format!("<{name}>")).unwrap();
    format!("{before}{by}{}", rest.split_once(&format!("</{name}>")).unwrap().1)
}

/// What is done to a task, whether it is still kept, and a word of why.
const CHANGES: [(Change, bool, &str); 12] = [
    (|text| replaced(text, "descriptionId", ""), true, "descriptionId is missing"),
    (|text| replaced(text, "state", "<state>paused</state>"), false, "state has a value"),
    (
        |text| replaced(text, "eventChainId", "<eventChainId>99999999999</eventChainId>"),
        true,
        "eventChainId has a value",
    ),
    (|text| replaced(text, "entityName", "<entityName>a\0b</entityName>"), true, ""),
    (|text| replaced(text, "entityName", "<entityName>a&#0;b&#xffff;</entityName>"), true, ""),
    (|text| replaced(text, "entityName", &format!("<entityName>{BYTES}</entityName>")), true, ""),
    (|text| replaced(text, "entityName", &format!("<entityName>{}</entityName>", "升".repeat(50_000))), true, ""),
    (|text| replaced(text, "queueTime", "<queueTime>soon</queueTime>"), false, "queueTime has a value"),
    (
        |text| replaced(text, "cancelable", "<cancelable>maybe</cancelable><progress>NaN</progress>"),
        true,
        "cancelable has a value",
    ),
    (|text| replaced(text, "cancelled", "<cancelled>&invented;</cancelled>"), true, "cancelled has an entity"),
    (|text| replaced(text, "key", &format!("<key>{}</key>", "k".repeat(3000))), false, "key is too long"),
    (
        |text| {
            text.replace(
                "<entityName>",
                &format!("<error>{}{}</error><entityName>", "<x>".repeat(500), "</x>".repeat(500)),
            )
        },
        true,
        "error",
    ),
];

async fn one_unreadable_task_is_named_and_stops_nobody(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false", "-history", "40"]).await;
    let neighbour = Simulator::start(&["-history", "40"]).await;
    let spoil = Arc::new(Spoil::default());
    let changes = || CHANGES.iter().enumerate().map(|(number, change)| (format!("task-{}", number * 2 + 3), change));
    spoil.0.lock().unwrap().extend(changes().map(|(key, (change, ..))| (key, *change)));
    let proxy = Meddler::before(&simulator.url, spoil.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    let good = super::lab::register(&server, "good", &neighbour.url, &neighbour).await;
    follows(&server, "lab").await;
    let all = kept(&server, &id).await;
    for (key, (_, is_kept, _)) in changes() {
        assert_eq!(all.contains_key(&key), *is_kept, "{key}: {all:?}");
    }
    let left_out = CHANGES.iter().filter(|(_, is_kept, _)| !is_kept).count();
    assert_eq!(all.len(), 40 - left_out, "all others are");
    // They are named, with what is wrong; those that are only cleaned are not.
    let said = collection(&server, "lab").await;
    let named = |key: &str| {
        said["unreadable"]
            .as_array()
            .unwrap()
            .iter()
            .find(|task| key.starts_with(task["key"].as_str().unwrap()))
            .cloned()
    };
    for (key, (_, is_kept, why)) in changes() {
        let key = if *why == "key is too long" { "k".repeat(3000) } else { key };
        match named(&key) {
            None => assert_eq!(*why, "", "{key}: {said}"),
            Some(task) => {
                assert!(!why.is_empty() && task["why"].as_str().unwrap().contains(why), "{key}, {why}: {task}");
                assert_eq!(task["isKept"], *is_kept, "{task}");
            }
        }
    }
    let count = CHANGES.iter().filter(|(.., why)| !why.is_empty()).count();
    assert_eq!(said["unreadableCount"].to_string().trim_matches('"'), count.to_string(), "{said}");
    assert_eq!(server.metric("taskloom_vsphere_unreadable_total").await, count as f64);
    assert_eq!((&said["state"], &said["reason"]), (&json!("FOLLOWING"), &json!("UNREADABLE_TASKS")), "{said}");
    // What follows is read, live; and the spoiled one itself as soon as it changes for the better.
    let live = simulator.task(json!({"seconds": 3, "steps": 30, "entity": "DC0_H0_VM0"})).await;
    spoil.0.lock().unwrap().insert(live.clone(), CHANGES[1].0);
    until("it is named", async || {
        let said = collection(&server, "lab").await;
        said["unreadable"].as_array()?.iter().any(|task| task["key"] == live.as_str()).then_some(())
    })
    .await;
    spoil.0.lock().unwrap().clear();
    simulator.post("/tasks", json!({"count": 10, "seconds": 1})).await;
    until("it can be read", async || {
        let now = kept(&server, &id).await.get(&live).map(|(state, ..)| state.clone());
        let said = collection(&server, "lab").await;
        let is_named = said["unreadable"].as_array()?.iter().any(|task| task["key"] == live.as_str());
        (now.as_deref() == Some("success") && !is_named).then_some(())
    })
    .await;
    neighbour.post("/tasks", json!({"count": 5, "seconds": 0})).await;
    agree(&server, &good, &neighbour).await;
    assert_eq!(collection(&server, "good").await["reason"], Value::Null);
    let log = server.log();
    assert!(!log.contains(" ERROR ") && log.contains("cannot be read as it was told"), "{log}");
}

/// A page that has nothing to be kept is not the end of a history.
async fn a_history_of_nothing_readable_is_read_to_its_end(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false", "-history", "2300"]).await;
    let spoil = Arc::new(Spoil::default());
    spoil.0.lock().unwrap().extend((1..=1500).map(|number| (format!("task-{number}"), CHANGES[1].0)));
    let proxy = Meddler::before(&simulator.url, spoil.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    follows(&server, "lab").await;
    assert_eq!(kept(&server, &id).await.len(), 800);
    let said = collection(&server, "lab").await;
    assert_eq!(said["unreadableCount"].to_string().trim_matches('"'), "1500", "{said}");
    assert_eq!(said["unreadable"].as_array().unwrap().len(), 100);
}
