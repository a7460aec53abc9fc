//! A loop of the server itself panics. The process does not live on without it: it says so, ends what it has started, and
//! ends with a failure, so that whoever started it begins it anew.
//!
//! What makes one panic is a wall clock that once tells a time before 1970, which the library of instants does not know.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::figure;
use super::wall_clock::WallClock;
use crate::harness::server::{Server, until};

/// What runs hears no TERM: the end takes this grace, in which the probe is asked. The lease is not renewed meanwhile, so
/// that no other loop reads the clock at that moment.
const SETTINGS: [(&str, &str); 3] = [("WORKER__GRACE", "3s"), ("WORKER__LEASE", "120s"), ("WORKER__RENEW", "60s")];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loses_a_loop_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let clock = WallClock::make(folder.path());
    let mut server = clock.server(&folder.path().join("data"), &SETTINGS).await;
    let process = begin(&server, folder.path()).await;
    assert_eq!(server.probe("/readyz").await.0, 200);

    let fault = until("a loop of the server panics", async || {
        let log = server.log();
        let fault = log.lines().find_map(|line| line.split_once("the server ends: its loop "));
        // A reading of somebody else's may be the wrong one, and does no harm there.
        clock.falter(fault.is_none());
        Some(fault?.1.to_owned())
    });
    let fault = fault.await;
    assert!(fault.contains("has panicked: "), "{fault}");
    let unready = until("it is not ready", async || {
        let answer = server.request("GET", "/readyz").send().await.ok()?;
        (answer.status() == 503).then_some(answer)
    });
    let said: Value = unready.await.json().await.unwrap();
    assert!(said["reason"].as_str().unwrap().ends_with(&fault), "{said}");

    let status = server.exited().await;
    assert_eq!(status.code(), Some(1), "{status}\n{}", server.log());
    let log = server.log();
    assert!(log.lines().last().is_some_and(|line| line.contains(&fault)), "its last word is why: {log}");
    until("what it had started is ended", async || (!process.exists()).then_some(())).await;
    let promise = "`/readyz` says so with 503, its steps are ended, and it ends with status 1 and the reason";
    figure::note("loops", "a loop of the server panics", promise, &fault.replace('|', "/"));
}

/// A step that hears no TERM; its process.
async fn begin(server: &Server, folder: &Path) -> PathBuf {
    let file = folder.join("pid");
    let code = format!("trap '' TERM; echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300", file.display());
    server.submit(json!([{"name": "a", "run": {"shell": code}}])).await;
    let pid = until("it runs", async || std::fs::read_to_string(&file).ok()).await;
    let process = Path::new("/proc").join(pid.trim());
    assert!(process.exists());
    process
}
