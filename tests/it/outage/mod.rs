//! What a server does when something below it fails: the machine freezes it, the database goes away, a file is locked,
//! a disk is full; and when many come at once. Real servers, real failures.

mod away;
mod crowd;
mod cut;
mod freeze;
mod full;
mod killed;
mod locked;
mod stop;
mod together;

use serde_json::{Value, json};

use crate::harness::runs::attempts;
use crate::harness::server::{Server, until};

/// Answers come soon, and a lease outlives what fails.
const PATIENT: [(&str, &str); 2] = [("DATABASE__ACQUIRE_TIMEOUT", "1s"), ("WORKER__LEASE", "60s")];

/// A task that talks until the file is there, and runs by now.
async fn talker(server: &Server, file: &std::path::Path) -> String {
    let code = format!("until test -e {}; do echo still here; sleep 0.05; done; echo done", file.display());
    let task = server.submit(json!([{"name": "talk", "run": {"shell": code}}])).await;
    server.wait(&task, "RUNNING: talk RUNNING").await;
    task
}

/// An answer that says what is wrong and when to come again.
fn assert_passing(server: &Server, refused: &Value) {
    assert_eq!(refused["code"], "DATABASE_UNAVAILABLE", "{refused}\n{}", server.log());
    assert!((1..=60).contains(&refused["retryAfterSeconds"].as_u64().unwrap_or(0)), "{refused}");
}

/// Sends it with the same key until it is accepted.
async fn submit_anyway(server: &Server, key: &str) -> String {
    until("it is accepted", async || server.try_submit(key).await.ok()).await
}
