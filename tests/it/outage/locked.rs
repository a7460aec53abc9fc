//! Another process holds the file of SQLite for itself: a backup, a person with a shell.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database};
use serde_json::json;

use super::{PATIENT, assert_passing, attempts, submit_anyway, talker};
use crate::harness::server::{Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data, &PATIENT).await;
    let go = folder.path().join("go");
    let slow = talker(&server, &go).await;
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", data.join("taskloom.db").display()));
    options.max_connections(1).map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(10)));
    let other = Database::connect(options).await.unwrap();

    other.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
    assert_passing(&server, &server.try_submit("meanwhile").await.unwrap_err());
    assert_eq!(server.states(&slow).await, "RUNNING: talk RUNNING", "who only reads is not held up");
    let (status, why) = server.probe("/readyz").await;
    assert!(status == 503 && why.contains("nothing can be written"), "{status} {why}");
    std::fs::write(&go, "").unwrap();
    // Again, with an outcome and lines in the queue.
    assert_passing(&server, &server.try_submit("meanwhile").await.unwrap_err());

    other.execute_unprepared("COMMIT").await.unwrap();
    until("it is ready again", async || (server.probe("/readyz").await.0 == 200).then_some(())).await;
    server.wait(&slow, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &slow).await, json!(["SUCCESSFUL"]));
    let task = submit_anyway(&server, "meanwhile").await;
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let count = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(count, json!(2));
}
