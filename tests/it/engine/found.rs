//! Result sets, from the worker's words to the reader's page: fenced like every write, removed with their task or
//! their age.

use std::time::Duration;

use serde_json::{Value, json};
use taskloom::background::retention::Retention;
use taskloom::config::Settings;
use taskloom::log::{Gather, Source};
use taskloom::resolver::{result, source};
use taskloom::rows::{Column, PackedPart, Row, RowChunk};
use taskloom::task::command::execute::Outcome;
use taskloom::vault::Hidden;
use taskloom::worker::port::{Acceptance, Assignment, AttemptRef, Port};
use taskloom_entity::{ColumnType, DataSourceKind, ResultKind};

use super::lab::Lab as Bench;
use super::recovery::succeeded;
use super::step::shell;

stories!(rows_are_kept_and_read_in_pages, what_is_old_goes, a_dialect_finds_output_and_engines);

const ASK: &str = "{ tasks(first: 1) { nodes { id subtasks { resultSets {
    number totalRows bytes truncated columns { name type } rows(first: 4, offset: 3) } } } } }";

fn begin(number: i32) -> PackedPart {
    PackedPart::Begin { number, kind: ResultKind::Table, columns: vec![Column::new("n", ColumnType::Int)] }
}

fn rows(number: i32, range: std::ops::Range<i64>) -> PackedPart {
    let rows: Vec<Row> = range.clone().map(|n| vec![Some(n.to_string())]).collect();
    PackedPart::Rows { number, first_row: range.start, chunk: RowChunk::seal(&rows) }
}

async fn sets(lab: &Bench) -> Value {
    lab.ask(ASK).await.0.pointer("/tasks/nodes/0/subtasks/0/resultSets").unwrap().clone()
}

async fn rows_are_kept_and_read_in_pages(lab: Bench) {
    lab.submit("one", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let keep =
        async |attempt: AttemptRef, found: Vec<PackedPart>| worker.dispatcher.keep(attempt, found).await.unwrap();
    assert_eq!(keep(attempt, vec![begin(0), rows(0, 0..5)]).await, Acceptance::Accepted);
    assert_eq!(
        keep(attempt, vec![rows(0, 5..9), PackedPart::End { number: 0, truncated: true }]).await,
        Acceptance::Accepted
    );
    assert_eq!(
        keep(attempt, vec![begin(1), PackedPart::End { number: 1, truncated: false }]).await,
        Acceptance::Accepted
    );
    // Who was not told that it was written sends it again.
    assert_eq!(keep(attempt, vec![begin(0), rows(0, 5..9)]).await, Acceptance::Accepted);
    let both = sets(&lab).await;
    assert_eq!(both[0]["rows"], json!([["3"], ["4"], ["5"], ["6"]]), "over the border of two chunks");
    assert_eq!((&both[0]["totalRows"], &both[0]["truncated"]), (&json!(9), &json!(true)));
    assert_eq!((&both[1]["totalRows"], &both[1]["rows"]), (&json!(0), &json!([])));
    assert_eq!(both[1]["columns"], json!([{"name": "n", "type": "INT"}]));
    // Under an epoch that is over, nothing.
    let stale = AttemptRef { epoch: attempt.epoch - 1, ..attempt };
    assert_eq!(keep(stale, vec![begin(2)]).await, Acceptance::Refused);
    assert_eq!(worker.dispatcher.finish(succeeded(attempt)).await.unwrap(), [Acceptance::Accepted]);
    assert_eq!(keep(attempt, vec![begin(2)]).await, Acceptance::Refused, "nor after the end");
    assert_eq!(sets(&lab).await.as_array().unwrap().len(), 2);
    // However many tasks ask, the sets are one statement.
    let (_, statements) = lab.ask("{ tasks { nodes { subtasks { resultSets { number } } } } }").await;
    assert_eq!(statements, 3, "tasks, subtasks, sets");
}

async fn a_dialect_finds_output_and_engines(lab: Bench) {
    let (request, tenant) = lab.door();
    lab.submit("one", &[shell("a", "true").with("retry", json!({"attempts": 2, "backoff": "0s"}))]).await;
    let worker = lab.worker().await;
    let speak = async |assignment: &Assignment, text: &str| {
        let mut gather = Gather::into_chunks(1 << 16);
        for (line, source) in [(text, Source::Stdout), ("not this", Source::Stderr), ("and this", Source::Stdout)] {
            assert!(gather.push(format!("{line}\n").as_bytes(), 1, source, request.clock.now()).is_none());
        }
        let chunks = gather.seal().into_iter().collect();
        let taken = worker.dispatcher.append(assignment.attempt, assignment.first_line, chunks).await.unwrap();
        assert_eq!(taken, Acceptance::Accepted);
    };
    let first = worker.take().await;
    speak(&first, "of the first try").await;
    let mut failed = succeeded(first.attempt);
    failed[0].outcome = Outcome::Failed;
    assert_eq!(worker.dispatcher.finish(failed).await.unwrap(), [Acceptance::Accepted]);
    let second = worker.take().await;
    speak(&second, "of the second").await;
    let second = second.attempt;
    let output = async |part| result::output(request, second.subtask_id, part).await.unwrap();
    assert_eq!(output((0, 10)).await, ["of the second", "and this"], "of the last attempt alone");
    assert_eq!(output((1, 1)).await, ["and this"]);
    assert!(output((2, 10)).await.is_empty());
    let missing = result::rows(request, second.subtask_id, 0, (0, 10)).await.unwrap_err();
    assert_eq!(missing.code().name, "RESULT_SET_NOT_FOUND");

    let refused = source::of_engine(request, Some(tenant), "spark").await.unwrap_err();
    assert_eq!(refused.to_string(), "no data source is set up for the engine spark");
    let new = source::NewDataSource {
        tenant: Some(tenant),
        name: "lake".into(),
        kind: DataSourceKind::Postgresql,
        host: Some("db".into()),
        port: None,
        database: "lake".into(),
        user: Some("reader".into()),
        password: Some(Some(Hidden::new("swordfish".into()))),
        options: Default::default(),
        engine: Some("spark".into()),
    };
    let made = source::put(request, new).await.unwrap();
    assert_eq!(source::of_engine(request, Some(tenant), "spark").await.unwrap(), made);
}

async fn what_is_old_goes(lab: Bench) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::defaults("/nowhere").retention;
    let mut retention = Retention { settings, attempts: folder.path().to_owned() };
    retention.settings.result_sets = Some(DAY);
    lab.submit("one", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let kept = worker.dispatcher.keep(attempt, vec![begin(0), rows(0, 0..5)]).await.unwrap();
    assert_eq!(kept, Acceptance::Accepted);
    lab.retain(&retention).await;
    assert_eq!(sets(&lab).await.as_array().unwrap().len(), 1);
    lab.clock.advance(2 * DAY);
    lab.retain(&retention).await;
    assert_eq!(sets(&lab).await, json!([]));
    assert_eq!(lab.count("result_chunk").await, 0);

    let kept = worker.dispatcher.keep(attempt, vec![begin(1), rows(1, 0..5)]).await.unwrap();
    assert_eq!((kept, lab.count("result_chunk").await), (Acceptance::Accepted, 1));
    assert_eq!(worker.dispatcher.finish(succeeded(attempt)).await.unwrap(), [Acceptance::Accepted]);
    let task = lab.ask(ASK).await.0["tasks"]["nodes"][0]["id"].as_str().unwrap().to_owned();
    lab.ask(&format!("mutation {{ deleteTask(input: {{id: \"{task}\"}}) {{ deletedId }} }}")).await;
    assert_eq!((lab.count("result_set").await, lab.count("result_chunk").await), (0, 0), "they go with their task");
}
