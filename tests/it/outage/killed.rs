//! A server is killed while it works. With the settings it comes with, its work goes on within twenty seconds: at
//! another server of the same database, or at its own restart.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::harness::server::Server;
use crate::harness::{postgres, runs};

/// From the kill to the next run.
const ADOPTED: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn another_server_goes_on() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", database.url.as_str())];
    let first = Server::start(&folder.path().join("first"), &settings).await;
    let task = runs::begin(&first, folder.path()).await;
    let second = Server::start(&folder.path().join("second"), &settings).await;
    let killed = Instant::now();
    first.signal(Signal::SIGKILL);
    goes_on(&second, folder.path(), &task, killed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_restart_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = Server::start(&data, &[]).await;
    let task = runs::begin(&first, folder.path()).await;
    let killed = Instant::now();
    first.signal(Signal::SIGKILL);
    drop(first);
    let second = Server::start(&data, &[]).await;
    goes_on(&second, folder.path(), &task, killed).await;
}

async fn goes_on(server: &Server, folder: &Path, task: &str, killed: Instant) {
    runs::began(folder, 2).await;
    assert!(killed.elapsed() <= ADOPTED, "it was adopted after {:?}", killed.elapsed());
    runs::release(folder);
    server.wait(task, "SUCCESSFUL: a SUCCESSFUL").await;
    assert_eq!(runs::attempts(server, task).await, json!(["LOST", "SUCCESSFUL"]));
}
