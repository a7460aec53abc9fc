//! Removal in bites: what is old or was deleted goes a little at a time, others write in between, and what cannot be
//! removed keeps nobody busy.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use taskloom::background::retention::Retention;
use taskloom::clock::Clock;
use taskloom::config::Settings;
use taskloom::resolver::retention::{self, Removable};
use taskloom::store::removal;
use taskloom_entity::Timestamp;

use super::bench::within;
use super::lab::Lab as Bench;
use super::recovery::succeeded;
use super::step::{noop, shell};
use taskloom::worker::port::{Acceptance, Port};

stories!(
    what_is_old_goes_and_the_rest_stays,
    others_write_between_two_bites,
    what_cannot_be_removed_keeps_nobody_busy,
    a_task_with_a_long_log_is_gone_at_once,
    one_process_removes_at_a_time,
    every_bite_goes_by_an_index,
);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The numbers from 1 to `rows`, as a table `n (n)`.
fn numbers(lab: &Bench, rows: i64) -> String {
    match lab.store().backend() {
        DbBackend::Postgres => {
            format!("(SELECT CAST(g.n AS bigint) AS n FROM generate_series(1, {rows}) AS g(n)) AS n")
        }
        _ => format!(
            "(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {rows}) SELECT n FROM g) AS n"
        ),
    }
}

fn never() -> Retention {
    let mut settings = Settings::defaults("/nowhere").retention;
    (settings.attempt_folders, settings.finished_tasks, settings.events) = (None, None, None);
    (settings.result_sets, settings.audit, settings.workers) = (None, None, None);
    Retention { settings, attempts: "/nowhere".into() }
}

/// Rows of every kind at this instant.
async fn fill(lab: &Bench, rows: i64, at: Timestamp) {
    let n = numbers(lab, rows);
    lab.execute(&format!(
        "INSERT INTO task_event (at, tenant_id, task_id, kind) SELECT {at}, 1, 1, 'WARNING' FROM {n}",
        at = at.0
    ))
    .await;
    lab.execute(&format!(
        "INSERT INTO vsphere_event (at, tenant_id, vcenter_id, task_id, state) SELECT {at}, 1, 1, 1, 'QUEUED' FROM {n}",
        at = at.0
    ))
    .await;
    lab.execute(&format!(
        "INSERT INTO audit (at, actor, action, object, outcome, request_id) SELECT {at}, 'old', 'x', 'y', 'DONE', 'z' \
         FROM {n}",
        at = at.0
    ))
    .await;
    lab.execute(&format!(
        "INSERT INTO worker (id, name, labels, slots, state, lease_until, started_at, seen_at, ended_at) SELECT \
         'w{at}-' || n.n, 'w', '', 1, 'LOST', {at}, {at}, {at}, {at} FROM {n}",
        at = at.0
    ))
    .await;
    lab.execute(&format!(
        "INSERT INTO session (digest, user_id, created_at, seen_at, expires_at) SELECT 's{at}-' || n.n, u.id, {at}, {at}, \
         {at} FROM app_user u, {n}",
        at = at.0
    ))
    .await;
}

const KINDS: [&str; 5] = ["task_event", "vsphere_event", "audit", "worker", "session"];

async fn counts(lab: &Bench) -> [i64; 5] {
    let mut counts = [0; 5];
    for (count, kind) in counts.iter_mut().zip(KINDS) {
        *count = lab.count(kind).await;
    }
    counts
}

async fn what_is_old_goes_and_the_rest_stays(lab: Bench) {
    lab.execute("INSERT INTO app_user (name, role, disabled, created_at) VALUES ('ann', 'VIEWER', FALSE, 0)").await;
    let now = lab.clock.now();
    // The clock of the server that wrote the young ones in the middle was ahead.
    for (rows, age) in [(2_500, 500), (3, 1), (2_500, 450), (7, 29)] {
        fill(&lab, rows, now.before(DAY * age)).await;
    }
    let audit = lab.count("audit").await;
    let all = counts(&lab).await;
    let mut retention = never();
    lab.retain(&retention).await;
    let [events, vsphere, _, workers, _] = all;
    assert_eq!(counts(&lab).await, [events, vsphere, audit, workers, 0], "sessions end by themselves");
    retention.settings = Settings::defaults("/nowhere").retention;
    assert_eq!((retention.settings.audit, retention.settings.workers), (Some(DAY * 400), Some(DAY * 30)));
    lab.retain(&retention).await;
    assert_eq!(counts(&lab).await, [events - 5_000, vsphere - 5_000, audit - 5_000, workers - 5_000, 0]);
    let counted = lab.metrics();
    for what in ["events", "vsphere_events", "audit", "workers"] {
        assert_eq!(counted[&format!("taskloom_removed_rows_total{{what=\"{what}\"}}")], 5_000.0, "{what}");
    }
    assert_eq!(counted["taskloom_removed_rows_total{what=\"sessions\"}"], 5_010.0);
}

async fn others_write_between_two_bites(lab: Bench) {
    const ROWS: i64 = 60_000;
    let old = lab.clock.now().before(DAY * 500);
    fill(&lab, ROWS, old).await;
    let (request, _) = lab.door();
    let round = retention::begin(request).await.unwrap().unwrap();
    let removal = round.remove(request, Removable::Audit(old.after(DAY)));
    let neighbour = async {
        let mut left = vec![];
        for name in ["one", "two", "three"] {
            lab.submit(name, &[noop("a")]).await;
            left.push(lab.count("audit WHERE actor = 'old'").await);
        }
        left
    };
    let (removed, left) = tokio::join!(removal, neighbour);
    assert_eq!(removed.unwrap(), ROWS.unsigned_abs());
    assert!(left.iter().all(|rows| *rows > 0), "each came in between: {left:?}");
    assert_eq!(lab.count("audit WHERE actor = 'old'").await, 0);
}

async fn what_cannot_be_removed_keeps_nobody_busy(lab: Bench) {
    let worker = lab.worker().await;
    for name in ["stays", "goes", "goes too"] {
        lab.submit(name, &[shell("a", "true")]).await;
        let attempt = worker.take().await.attempt;
        assert_eq!(worker.dispatcher.finish(succeeded(attempt)).await.unwrap(), [Acceptance::Accepted]);
    }
    fill(&lab, 10, lab.clock.now().before(DAY * 500)).await;
    match lab.store().backend() {
        DbBackend::Postgres => {
            lab.execute(
                "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
            )
            .await;
            lab.execute(
                "CREATE TRIGGER no BEFORE DELETE ON task FOR EACH ROW WHEN (OLD.name = 'stays') EXECUTE FUNCTION no()",
            )
            .await;
            lab.execute("CREATE TRIGGER no BEFORE DELETE ON worker FOR EACH ROW EXECUTE FUNCTION no()").await;
        }
        _ => {
            lab.execute(
                "CREATE TRIGGER no BEFORE DELETE ON task WHEN OLD.name = 'stays' BEGIN SELECT RAISE(ABORT, 'no'); END",
            )
            .await;
            lab.execute("CREATE TRIGGER no_worker BEFORE DELETE ON worker BEGIN SELECT RAISE(ABORT, 'no'); END").await;
        }
    }
    lab.clock.advance(DAY * 2);
    let mut retention = never();
    retention.settings.finished_tasks = Some(DAY);
    (retention.settings.workers, retention.settings.audit) = (Some(DAY), Some(DAY * 400));
    within("a round ends", lab.retain(&retention)).await;
    assert_eq!(lab.count("task").await, 1, "the others go");
    assert_eq!((lab.count("worker WHERE state = 'LOST'").await, lab.count("audit WHERE actor = 'old'").await), (10, 0));
    assert_eq!(lab.metrics()["taskloom_removal_failures_total{what=\"workers\"}"], 1.0);
}

async fn a_task_with_a_long_log_is_gone_at_once(lab: Bench) {
    lab.submit("long", &[shell("a", "true"), noop("b").needs("a")]).await;
    lab.submit("short", &[noop("a")]).await;
    let worker = lab.worker().await;
    for _ in 0..3 {
        let attempt = worker.take().await.attempt;
        assert_eq!(worker.dispatcher.finish(succeeded(attempt)).await.unwrap(), [Acceptance::Accepted]);
    }
    // 5,000 chunks, some of them long.
    let n = numbers(&lab, 5_000);
    lab.execute(&format!(
        "INSERT INTO log_chunk (subtask_id, first_line, attempt_id, lines, first_byte, bytes, at, data) SELECT s.id, n.n, 1, \
         1, n.n * 10, CASE WHEN n.n < 100 THEN 1000000 ELSE 10 END, 0, s.data FROM (SELECT s.id, k.data FROM subtask s, \
         (SELECT {} AS data) k WHERE s.name = 'a' AND s.task_id = (SELECT id FROM task WHERE name = 'long')) s, {n}",
        if lab.store().backend() == DbBackend::Postgres { "CAST('\\x00' AS bytea)" } else { "x'00'" }
    ))
    .await;
    lab.execute(
        "UPDATE subtask SET log_lines = 5000 WHERE name = 'a' AND task_id = (SELECT id FROM task WHERE name = 'long')",
    )
    .await;
    let attempts = lab.count("attempt").await;
    let found = lab.ask("{ tasks { nodes { id name } } }").await.0;
    let id = found["tasks"]["nodes"].as_array().unwrap().iter().find(|task| task["name"] == "long").unwrap();
    lab.ask(&format!("mutation {{ deleteTask(input: {{id: {}}}) {{ deletedId }} }}", id["id"])).await;
    assert_eq!(lab.ask("{ tasks { nodes { name } } }").await.0, json!({"tasks": {"nodes": [{"name": "short"}]}}));
    assert_eq!(
        (lab.count("log_chunk").await, lab.count("attempt").await),
        (5_000, attempts),
        "it goes a bite at a time"
    );

    // Whoever was to remove it dies behind the first bite.
    let rest = removal::rests(lab.store().read()).await.unwrap();
    assert_eq!(rest.len(), 1);
    let tx = lab.store().begin().await.unwrap();
    let rows = removal::bite(&tx, Removable::Deleted(rest[0]), &mut 0).await.unwrap();
    tx.commit().await.unwrap();
    assert!((1..100).contains(&rows), "no more than some 16 MB in one: {rows}");
    let (request, _) = lab.door();
    let round = retention::begin(request).await.unwrap().unwrap();
    assert_eq!(round.deleted(request).await.unwrap(), 5_002 - rows);
    assert_eq!((lab.count("log_chunk").await, lab.count("removal").await), (0, 0));
    assert_eq!(lab.count("attempt").await, attempts - 2, "the other one's stay");
    assert_eq!(round.deleted(request).await.unwrap(), 0);
}

async fn one_process_removes_at_a_time(lab: Bench) {
    let (request, _) = lab.door();
    let round = retention::begin(request).await.unwrap().unwrap();
    assert!(retention::begin(request).await.unwrap().is_none(), "not twice in this process");
    // Another one has a lock of its own.
    let other = taskloom::store::Store::new(lab.store().write().clone(), lab.store().read().clone())
        .with(lab.store().own().clone());
    if other.backend() == DbBackend::Postgres {
        assert!(removal::RemovalRound::begin(&other).await.unwrap().is_none(), "nor in another");
    }
    drop(round);
    assert!(removal::RemovalRound::begin(&other).await.unwrap().is_some());
}

async fn every_bite_goes_by_an_index(lab: Bench) {
    lab.execute("INSERT INTO app_user (name, role, disabled, created_at) VALUES ('ann', 'VIEWER', FALSE, 0)").await;
    fill(&lab, 5_000, lab.clock.now()).await;
    // Long enough for the databases to care.
    let n = numbers(&lab, 200_000);
    lab.execute(&format!(
        "INSERT INTO vsphere_task (tenant_id, vcenter_id, instance_id, key, state, is_lost, cancelled, cancelable, \
         description_id, reason, event_chain_id, queued_at, completed_at, seen_at, changed_at) SELECT 1, n.n % 10, n.n % 10, \
         'task-' || n.n, 'SUCCESS', n.n % 100 = 3, FALSE, FALSE, 'x', 'USER', 1, n.n, n.n, n.n, n.n FROM {n}"
    ))
    .await;
    lab.execute("ANALYZE").await;
    for sql in removal::STATEMENTS {
        let backend = lab.store().backend();
        let count = ["$1", "$2", "$3"].iter().filter(|value| sql.contains(*value)).count();
        let (explain, column) = match backend {
            DbBackend::Postgres => ("EXPLAIN", "QUERY PLAN"),
            _ => ("EXPLAIN QUERY PLAN", "detail"),
        };
        let values: Vec<sea_orm::Value> = (0..count).map(|_| 5_i64.into()).collect();
        let sql = removal::bite_for(backend, sql);
        let statement = Statement::from_sql_and_values(backend, format!("{explain} {sql}"), values);
        let rows = lab.store().write().query_all_raw(statement).await.unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
        let walks = |line: &String| {
            // Small tables that stand empty here are read whole by PostgreSQL, which knows their size.
            let is_empty = line.contains("vsphere_object") || line.contains("vsphere_label");
            (line.contains("Seq Scan on") && !is_empty) || line.trim().starts_with("SCAN ")
        };
        assert!(!lines.iter().any(walks), "{sql}\n{}", lines.join("\n"));
    }
}
