//! The wall clock of a real server is set by an hour, forwards and backwards, while steps run: nothing is lost, and
//! nothing runs twice.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figure;
use super::wall_clock::WallClock;
use crate::harness::postgres;
use crate::harness::server::{Server, until};

const HOUR: i64 = 3600;
const LEASE: Duration = Duration::from_secs(3);
const SETTINGS: [(&str, &str); 2] = [("WORKER__LEASE", "3s"), ("WORKER__RENEW", "500ms")];
/// By then a lease by the wall clock would be over, and found to be.
const SEEN: Duration = Duration::from_secs(6);

/// A file that counts runs, and waits for another.
fn code(folder: &Path, name: &str) -> String {
    let at = folder.join(name);
    format!("echo $TASKLOOM_RUN >>{}; until test -e {}/go; do sleep 0.05; done", at.display(), folder.display())
}

/// Four steps that run: two that may run again, one that may not, and one that sleeps.
async fn begin(server: &Server, folder: &Path) -> String {
    let step = |name: &str| json!({"name": name, "run": {"shell": code(folder, name)}, "timeout": "10m"});
    let mut careful = step("careful");
    careful["onLost"] = json!("fail");
    let rests = json!({"name": "rests", "run": {"noop": {"sleep": "15s"}}});
    let task = server.submit(json!([step("one"), step("two"), careful, rests])).await;
    until("they run", async || ["one", "two", "careful"].iter().all(|name| folder.join(name).exists()).then_some(()))
        .await;
    task
}

/// For so long that a lease by the wall clock would have been found over, everything runs on.
async fn runs_on(server: &Server, task: &str) {
    let begun = Instant::now();
    assert!(SEEN > LEASE + Duration::from_secs(2));
    until("time goes by", async || {
        let states = server.states(task).await;
        assert!(states.starts_with("RUNNING: one RUNNING, two RUNNING, careful RUNNING"), "{states}\n{}", server.log());
        (begun.elapsed() >= SEEN).then_some(())
    })
    .await;
}

/// What time it is for the server, less what it is: it has just accepted a task.
async fn ahead(server: &Server) -> i64 {
    let task = server.submit(json!([{"name": "a", "run": {"noop": {}}}])).await;
    let at =
        server.get("query($id: ID!) { task(id: $id) { createdAt } }", json!({"id": task}), "/task/createdAt").await;
    let at = chrono::DateTime::parse_from_rfc3339(at.as_str().unwrap()).unwrap();
    (at.to_utc() - chrono::Utc::now()).num_seconds()
}

async fn end(server: &Server, folder: &Path, task: &str) {
    fs::write(folder.join("go"), "").unwrap();
    server.wait(task, "SUCCESSFUL: one SUCCESSFUL, two SUCCESSFUL, careful SUCCESSFUL, rests SUCCESSFUL").await;
    let document = "query($id: ID!) { task(id: $id) { subtasks { attempts { state } } } }";
    let subtasks = server.get(document, json!({"id": task}), "/task/subtasks").await;
    let once = json!({"attempts": [{"state": "SUCCESSFUL"}]});
    assert_eq!(subtasks, Value::from(vec![once; 4]), "each ran once");
    for name in ["one", "two", "careful"] {
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), "1\n", "{name} ran once");
    }
    assert_eq!(server.metric("taskloom_leases_lost_total").await, 0.0);
}

async fn a_clock_that_is_set(settings: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let clock = WallClock::make(folder.path());
    let settings: Vec<_> = SETTINGS.iter().chain(settings).copied().collect();
    let server = clock.server(&folder.path().join("data"), &settings).await;
    let task = begin(&server, folder.path()).await;
    for offset in [HOUR, -HOUR, 0] {
        clock.set(offset);
        let found = ahead(&server).await;
        assert!((found - offset).abs() < 60, "the server goes by the clock: {found} s beside the real one");
        runs_on(&server, &task).await;
    }
    end(&server, folder.path(), &task).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_loses_nothing_on_sqlite() {
    a_clock_that_is_set(&[]).await;
    note("a_clock_that_is_set_loses_nothing_on_sqlite", "SQLite: the wall clock jumps by +1 h, -2 h, +1 h");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_loses_nothing_on_postgres() {
    let database = postgres::database().await;
    a_clock_that_is_set(&[("DATABASE__URL", &database.url)]).await;
    note("a_clock_that_is_set_loses_nothing_on_postgres", "PostgreSQL: the wall clock jumps by +1 h, -2 h, +1 h");
}

/// Of two servers one is set: neither takes the other's work.
#[tokio::test(flavor = "multi_thread")]
async fn servers_whose_clocks_are_set_apart_leave_each_other_alone() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = WallClock::make(folder.path());
    let settings: Vec<_> = SETTINGS.into_iter().chain([("DATABASE__URL", database.url.as_str())]).collect();
    let set = clock.server(&folder.path().join("set"), &settings).await;
    let task = begin(&set, folder.path()).await;
    let other = Server::start(&folder.path().join("other"), &settings).await;
    for offset in [HOUR, -HOUR] {
        clock.set(offset);
        runs_on(&other, &task).await;
    }
    assert_eq!(other.metric("taskloom_leases_lost_total").await, 0.0);
    end(&set, folder.path(), &task).await;
    note(
        "servers_whose_clocks_are_set_apart_leave_each_other_alone",
        "PostgreSQL: one of two servers is set by an hour",
    );
}

fn note(test: &str, attack: &str) {
    let promise = "nothing LOST, no step runs twice, `onLost: fail` does not fail";
    figure::note(&format!("clock::{test}"), attack, promise, "4 of 4 steps ran once");
}
