//! The disk of SQLite is full, and has room again. A small file system of the server's own where this host lets us
//! mount one; and, everywhere, a limit to the length of its files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::{PATIENT, assert_passing, attempts, submit_anyway, talker};
use crate::harness::disk;
use crate::harness::server::Server;

/// What keeps the server from writing.
trait Room {
    /// From now on it can write no more.
    fn fill(&self, server: &Server);

    /// It can again.
    fn free(&self, server: &Server);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let Some(command) = disk::command("8m", &data) else {
        eprintln!("this host lets nobody mount: a limit stands in for the full disk");
        return story(&Limit { data: data.clone() }, &data, Limit::command()).await;
    };
    std::fs::create_dir(&data).unwrap();
    story(&Disk { data: data.clone() }, &data, command).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_may_not_grow_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    story(&Limit { data: data.clone() }, &data, Limit::command()).await;
}

async fn story(room: &dyn Room, data: &Path, command: Command) {
    let server = Server::start_within(command, data, &PATIENT).await;
    let go = data.with_extension("go");
    let slow = talker(&server, &go).await;

    room.fill(&server);
    // What fits into pages that are there already is still accepted, and counts.
    let mut accepted = vec![];
    let refused = loop {
        assert!(accepted.len() < 5_000, "the disk is not full");
        match server.try_submit(&format!("meanwhile {}", accepted.len())).await {
            Ok(task) => accepted.push(task),
            Err(refused) => break refused,
        }
    };
    assert_passing(&server, &refused);
    let reads = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(reads, json!(accepted.len() + 1), "who only reads is not held up");
    std::fs::write(&go, "").unwrap();
    assert_passing(&server, &server.try_submit(&format!("meanwhile {}", accepted.len())).await.unwrap_err());

    room.free(&server);
    accepted.push(submit_anyway(&server, &format!("meanwhile {}", accepted.len())).await);
    server.wait(&slow, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &slow).await, json!(["SUCCESSFUL"]));
    for task in &accepted {
        server.wait(task, "SUCCESSFUL: a SUCCESSFUL").await;
    }
    let count = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(count, json!(accepted.len() + 1));
}

/// The disk of the harness.
struct Disk {
    data: PathBuf,
}

impl Disk {
    fn ballast(&self, server: &Server) -> PathBuf {
        disk::seen(server, &self.data).join("ballast")
    }
}

impl Room for Disk {
    fn fill(&self, server: &Server) {
        let mut ballast = File::create(self.ballast(server)).unwrap();
        let full = loop {
            if let Err(error) = ballast.write(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn free(&self, server: &Server) {
        std::fs::remove_file(self.ballast(server)).unwrap();
    }
}

/// No file may grow beyond the longest that there is.
struct Limit {
    data: PathBuf,
}

impl Limit {
    /// Runs what follows so that it gets an error for a write beyond the limit, not a deadly signal.
    fn command() -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", r#"trap '' XFSZ && exec "$@""#, "limit"]);
        command
    }

    fn set(server: &Server, limit: &str) {
        let mut command = Command::new("prlimit");
        command.args(["--pid", &server.pid().to_string(), &format!("--fsize={limit}:")]);
        assert!(command.status().unwrap().success());
    }
}

impl Room for Limit {
    fn fill(&self, server: &Server) {
        let wal = OpenOptions::new().read(true).open(self.data.join("taskloom.db-wal")).unwrap();
        Self::set(server, &wal.metadata().unwrap().len().to_string());
    }

    fn free(&self, server: &Server) {
        Self::set(server, "unlimited");
    }
}
