//! Nobody can hear what the server says: a full disk, a closed pipe, a collector that hangs. It goes on as if they could.

use std::fs::OpenOptions;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use super::figure;
use crate::harness::server::Server;

/// Every lease is renewed some times while the step runs, and much is said about it.
const CHATTY: [(&str, &str); 3] =
    [("WORKER__LEASE", "2s"), ("WORKER__RENEW", "200ms"), ("TELEMETRY__LEVEL", "trace,sqlx=info,hyper=info")];
/// The end of a server that has nothing left to do.
const END: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn standard_error_on_a_full_disk() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert!(story("standard error on a full disk", Stdio::from(full)).await > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_error_in_a_closed_pipe() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert!(story("standard error in a closed pipe", Stdio::from(writer)).await > 0.0);
}

/// The pipe fills, and then every write to it waits for ever.
#[tokio::test(flavor = "multi_thread")]
async fn standard_error_that_nobody_reads() {
    let (mut reader, writer) = std::io::pipe().unwrap();
    story("standard error in a pipe that nobody reads", Stdio::from(writer)).await;
    let mut heard = [0; 1024];
    assert!(reader.read(&mut heard).unwrap() > 0, "it did say something");
}

/// How many lines were lost before the end.
async fn story(attack: &str, stderr: Stdio) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start_mute(&folder.path().join("data"), &CHATTY, stderr).await;
    let task = server.submit(json!([{"name": "a", "run": {"shell": "sleep 3"}}])).await;
    // Much to say: each of these is a line or more.
    for number in 0..200 {
        server.ask("{ nothing }", json!({"number": number})).await;
    }
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let (status, why) = server.probe("/readyz").await;
    assert_eq!(status, 200, "{why}");
    assert_eq!(server.get("{ workers { name } }", json!({}), "/workers").await.as_array().unwrap().len(), 1);
    let dropped = server.metric("taskloom_log_lines_dropped_total").await;
    server.signal(Signal::SIGTERM);
    let took = server.ended().await;
    assert!(took < END, "{took:?}");
    let found = format!("done; the end took {took:.1?}, {dropped} lines lost by then");
    figure::note("mute", attack, "steps run, leases are renewed, SIGTERM ends it with status 0", &found);
    dropped
}
