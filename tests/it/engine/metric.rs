//! `/metrics` after work: every metric has moved, and says what happened.

use std::collections::BTreeMap;

use serde_json::json;

use super::bench::{Bench, until};
use super::step::{noop, shell};

stories!(every_metric_moves);

/// Samples by their names with labels.
pub(crate) type Samples = BTreeMap<String, f64>;

/// Reads the text format.
pub(crate) fn parse(text: &str) -> Samples {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// These are moved by mishaps alone, which have stories of their own.
const MISHAPS: [&str; 6] = [
    "taskloom_engine_unfit_records_total",
    "taskloom_leases_lost_total",
    "taskloom_log_lines_dropped_total",
    "taskloom_log_messages_total{level=\"error\"}",
    "taskloom_log_messages_total{level=\"warn\"}",
    "taskloom_refused_strangers_total",
];

/// These are moved by vCenters: `tests/it/vsphere/follow.rs`.
const VCENTERS: [&str; 3] =
    ["taskloom_vsphere_changes_total", "taskloom_vsphere_collectors", "taskloom_vsphere_unreadable_total"];

async fn every_metric_moves(bench: Bench) {
    let go = bench.file("go");
    let follow = bench.admin.listen("subscription { taskChanged { __typename } }").await;
    let waits = shell("a", &format!("echo hello; until test -e {go}; do sleep 0.02; done"));
    let task = bench.admin.submit("good", &[waits, noop("b").needs("a")]).await;
    let busy = until("the subtask runs", async || {
        let samples = bench.admin.metrics().await;
        (samples["taskloom_subtasks_running"] == 1.0).then_some(samples)
    });
    let busy = busy.await;
    assert_eq!(busy["taskloom_worker_slots"], f64::from(bench.settings.worker.slots.0));
    assert_eq!(busy["taskloom_event_subscribers"], 1.0);
    let still: Vec<&String> = busy.keys().filter(|name| name.starts_with("taskloom_tasks_finished")).collect();
    assert!(still.is_empty(), "{still:?}");

    std::fs::write(&go, "").unwrap();
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let bad = bench.admin.submit("bad", &[shell("a", "exit 1"), noop("b").needs("a")]).await;
    bench.admin.wait(&bad, "FAILED").await;
    bench.admin.act("skipSubtask", &bench.admin.subtask_id(&bad, "a").await).await;
    bench.admin.wait(&bad, "SUCCESSFUL").await;
    let never = noop("a").with("workers", json!(["nobody-has-it"]));
    let never = bench.admin.submit("never", &[never]).await;
    bench.admin.act("cancelTask", &never).await;
    bench.admin.wait(&never, "CANCELED").await;
    // While nobody listens nothing is read.
    let told = async || (bench.admin.metrics().await["taskloom_events_delivered_total"] >= 20.0).then_some(());
    until("the hub has told of them", told).await;
    drop(follow);

    let idle = until("nobody listens", async || {
        let samples = bench.admin.metrics().await;
        (samples["taskloom_event_subscribers"] == 0.0).then_some(samples)
    });
    let idle = idle.await;
    let expected = [
        ("taskloom_tasks_submitted_total", 3.0),
        ("taskloom_tasks_finished_total{state=\"successful\"}", 2.0),
        ("taskloom_tasks_finished_total{state=\"failed\"}", 1.0),
        ("taskloom_tasks_finished_total{state=\"canceled\"}", 1.0),
        ("taskloom_attempts_finished_total{outcome=\"successful\"}", 3.0),
        ("taskloom_attempts_finished_total{outcome=\"failed\"}", 1.0),
        ("taskloom_attempt_duration_seconds_count", 4.0),
        ("taskloom_engine_wait_seconds_count", 4.0),
        ("taskloom_subtasks_running", 0.0),
        ("taskloom_log_bytes_total", 6.0),
    ];
    for (name, value) in expected {
        assert_eq!(idle.get(name), Some(&value), "{name} of {idle:#?}");
    }
    assert_eq!(idle["taskloom_engine_commits_total"], idle["taskloom_engine_commit_duration_seconds_count"]);
    let was = |name: &str| busy.get(name).copied().unwrap_or_default();
    let elsewhere = |name: &str| MISHAPS.contains(&name) || VCENTERS.contains(&name);
    let moved = |name: &str| idle[name] + was(name) > 0.0 || name.contains("_bucket{") || elsewhere(name);
    let still: Vec<&String> = idle.keys().filter(|name| name.starts_with("taskloom_") && !moved(name)).collect();
    assert!(still.is_empty(), "these do not move: {still:?}");
}
