//! Cancel, pause, and the stop of the server itself: no process is left behind, and nothing accepted is lost.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::bench::{Bench, until};
use super::step::{noop, shell};

stories!(
    a_cancel_leaves_no_process,
    a_paused_task_stands_still,
    what_waits_is_cancelled_at_once,
    a_restart_in_the_middle_ends_well
);

/// The content of a file, as soon as it has a whole line.
async fn line_of(path: &str) -> String {
    let what = format!("a line in {path}");
    until(&what, async || fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))).await.trim().to_owned()
}

/// Whether a process runs: what has ended and waits for its parent's look does not.
fn runs(process: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(process).join("status")).unwrap_or_default();
    let state = status.lines().find_map(|line| line.strip_prefix("State:")).map(str::trim_start);
    state.is_some_and(|state| !state.starts_with(['Z', 'X']))
}

async fn a_cancel_leaves_no_process(bench: Bench) {
    let (child, own) = (bench.file("child"), bench.file("own"));
    let code = format!("setsid sh -c 'echo $$ > {child}; exec sleep 600' & echo $$ > {own}; sleep 600");
    let task = bench.admin.submit("sleeper", &[shell("a", &code), noop("b").needs("a")]).await;
    let processes = [line_of(&child).await, line_of(&own).await];
    bench.admin.act("cancelTask", &task).await;
    let end = bench.admin.wait(&task, "CANCELED").await;
    assert_eq!(end, "CANCELED: a FAILED, b PENDING");
    for process in processes {
        assert!(!runs(&process), "{process} is left");
        // Nor does its entry stay: a server that gathers those would run out of numbers.
        until("the entry of an ended process goes", async || {
            (!Path::new("/proc").join(&process).exists()).then_some(())
        })
        .await;
    }
    let a = bench.admin.subtask(&task, "a", "operation attempts { state }").await;
    assert_eq!((&a["operation"], &a["attempts"]), (&json!("CANCEL"), &json!([{"state": "CANCELED"}])));
}

async fn a_paused_task_stands_still(bench: Bench) {
    let (beats, go) = (bench.file("beats"), bench.file("go"));
    let code = format!("while [ ! -e {go} ]; do echo x >> {beats}; sleep 0.01; done");
    let task = bench.admin.submit("heart", &[shell("a", &code), noop("b").needs("a")]).await;
    line_of(&beats).await;
    bench.admin.act("pauseTask", &task).await;
    bench.admin.wait(&task, "PAUSED").await;
    until("it is frozen", async || {
        let log = bench.admin.subtask(&task, "a", "log { lines { text } }").await;
        log.to_string().contains("\"paused\"").then_some(())
    })
    .await;
    let length = || fs::metadata(&beats).unwrap().len();
    let before = length();
    let code = "i=0; while [ $i -lt 30 ]; do sleep 0.01; i=$((i+1)); done";
    let neighbour = bench.admin.submit("neighbour", &[shell("a", code)]).await;
    bench.admin.wait(&neighbour, "SUCCESSFUL").await;
    assert_eq!(length(), before, "another heart has beaten thirty times");
    fs::write(&go, "").unwrap();
    assert_eq!(bench.admin.states(&task).await, "PAUSED: a RUNNING, b PENDING");

    bench.admin.act("resumeTask", &task).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(bench.admin.subtask(&task, "a", "runs").await["runs"], json!(1), "it went on, it did not begin again");
}

async fn what_waits_is_cancelled_at_once(bench: Bench) {
    let nowhere = noop("a").with("workers", json!(["no-such-label"]));
    let task = bench.admin.submit("waiting", &[nowhere, noop("b").needs("a")]).await;
    let waiting = bench.admin.subtask(&task, "a", "waitingFor { __typename }").await;
    assert_ne!(waiting["waitingFor"], json!([]), "it says what it waits for");
    bench.admin.act("cancelTask", &task).await;
    assert_eq!(bench.admin.states(&task).await, "CANCELED: a FAILED, b PENDING");
    assert_eq!(bench.admin.subtask(&task, "a", "runs").await["runs"], json!(0));
}

async fn a_restart_in_the_middle_ends_well(mut bench: Bench) {
    let begun = bench.file("begun");
    let code = format!("if [ -e {begun} ]; then exit 0; fi; echo x > {begun}; sleep 600");
    let task = bench.admin.submit("long", &[noop("a"), shell("b", &code).needs("a"), noop("c").needs("b")]).await;
    line_of(&begun).await;
    bench.restart().await;
    let end = bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(end, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL, c SUCCESSFUL");
    let b = bench.admin.subtask(&task, "b", "attempts { number state }").await;
    let attempts = json!([{"number": 1, "state": "LOST"}, {"number": 2, "state": "SUCCESSFUL"}]);
    assert_eq!(b["attempts"], attempts);
    assert_eq!(bench.admin.subtask(&task, "a", "runs").await["runs"], json!(1), "what is done is not repeated");
}
