//! Pages are bounded by bytes beside lines and rows, lists read the columns they show, and lists of ids have any length.

use std::fmt::Write as _;

use async_graphql::Executor as _;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use taskloom::log::chunk::{LogChunk, Mark, Source};
use taskloom::resolver::{self, log};
use taskloom::rows::{self, Column, PackedPart, Row};
use taskloom::worker::port::{Acceptance, AttemptRef, Port};
use taskloom_entity::{ColumnType, ResultKind, Timestamp};

use super::lab::Lab as Bench;
use super::step::{noop, shell};

stories!(
    every_long_line_is_read_once,
    one_request_has_one_budget,
    what_is_followed_comes_in_bounded_items,
    a_log_is_cut_between_characters,
    a_page_of_rows_is_whole_or_refused,
    the_output_of_a_script_is_whole_or_refused,
    documents_are_read_where_they_are_asked_for,
    many_subtasks_are_found_a_task_at_a_time,
    lists_of_ids_have_any_length,
);

const PAGE: usize = 4 << 20;
const LONG: usize = 64 << 10;
const LINES: usize = 4_000;

/// A chunk of these lines.
fn chunk(lines: &[impl AsRef<[u8]>]) -> LogChunk {
    let mark = Mark { lines: u32::try_from(lines.len()).unwrap(), at: Timestamp(0), source: Source::Stdout };
    let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_ref(), b"\n"].concat()).collect();
    LogChunk::seal(&[mark], &text)
}

/// An attempt that has said 4,000 lines of 64 KiB, each beginning with its number; some in chunks of a few, some in one
/// chunk of thousands.
async fn talker(lab: &Bench) -> AttemptRef {
    lab.submit("talker", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let line = |number: usize| format!("{number:08}{}", "x".repeat(LONG - 9));
    let lines: Vec<String> = (1..=LINES).map(line).collect();
    let few = lines[..2_000].chunks(16).map(chunk).collect();
    assert_eq!(worker.dispatcher.append(attempt, 1, few).await.unwrap(), Acceptance::Accepted);
    let rest = vec![chunk(&lines[2_000..])];
    assert_eq!(worker.dispatcher.append(attempt, 2_001, rest).await.unwrap(), Acceptance::Accepted);
    attempt
}

/// The whole answer, errors and all.
async fn answer(lab: &Bench, document: &str) -> async_graphql::Response {
    lab.schema().execute(async_graphql::Request::new(document).data(lab.door().0.clone())).await
}

/// The code of the error that a question is answered with.
async fn refused(lab: &Bench, document: &str) -> (String, String) {
    let answer = answer(lab, document).await;
    let error = answer.errors.first().unwrap_or_else(|| panic!("{document:.200} was answered: {:.200?}", answer.data));
    let own = error.source::<taskloom::error::Error>().unwrap();
    (own.code().name.to_owned(), own.to_string())
}

async fn every_long_line_is_read_once(lab: Bench) {
    let attempt = talker(&lab).await;
    let id = attempt.subtask_id;
    let (mut next, mut seen, mut pages) = (1, 0, 0);
    loop {
        let document = format!(
            "{{ subtask(databaseId: {id}) {{ log(from: {next}, limit: 10000) {{ nextLine lines {{ number text }} }} }} }}"
        );
        let (found, _) = lab.ask(&document).await;
        let page = &found["subtask"]["log"];
        let lines = page["lines"].as_array().unwrap();
        if lines.is_empty() {
            break;
        }
        let mut bytes = 0;
        for line in lines {
            seen += 1;
            let text = line["text"].as_str().unwrap();
            assert_eq!((&line["number"], &text[..8]), (&json!(seen), format!("{seen:08}").as_str()));
            bytes += text.len() + 1;
        }
        assert!(bytes <= PAGE && (bytes > PAGE - LONG || seen == LINES), "{bytes}");
        next = page["nextLine"].as_i64().unwrap();
        assert_eq!(next, i64::try_from(seen).unwrap() + 1);
        pages += 1;
    }
    assert_eq!((seen, pages), (LINES, LINES.div_ceil(PAGE / LONG)));
    // The end is the same, whichever way it is read.
    let (found, _) =
        lab.ask(&format!("{{ subtask(databaseId: {id}) {{ logTail {{ leftOut lines {{ number }} }} }} }}")).await;
    let tail = &found["subtask"]["logTail"];
    assert_eq!(tail["lines"].as_array().unwrap().len(), PAGE / LONG);
    assert_eq!(tail["lines"][63]["number"], json!(LINES));
    assert_eq!(tail["leftOut"], json!(LINES * LONG - PAGE));
}

async fn one_request_has_one_budget(lab: Bench) {
    let id = talker(&lab).await.subtask_id;
    let aliases = |many: usize| {
        (0..many).fold(String::from("{ "), |mut document, n| {
            write!(document, "a{n}: subtask(databaseId: {id}) {{ log(limit: 10000) {{ lines {{ text }} }} }} ")
                .unwrap();
            document
        }) + "}"
    };
    let (found, _) = lab.ask(&aliases(4)).await;
    let text = |page: &Value| {
        page["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().len()).sum::<usize>()
    };
    let bytes: usize = (0..4).map(|n| text(&found[format!("a{n}")]["log"])).sum();
    assert!(bytes <= 4 * PAGE && bytes > 3 * PAGE, "{bytes}");
    // The fifth has its one line yet.
    let (code, message) = refused(&lab, &aliases(6)).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
    assert!(message.contains("16777216 bytes"), "{message}");
    // The same below a list, and by bytes.
    let nested = "{ tasks(first: 2) { nodes { subtasks { a: log { nextLine } b: log { nextLine } c: logTail { leftOut } d: logText(length: 4194304)
        e: log { nextLine } } } } }";
    assert_eq!(refused(&lab, nested).await.0, "QUERY_TOO_COMPLEX");
    // However little a line has, ten thousand of them are large.
    let empty: Vec<&str> = vec![""; 10_000];
    lab.submit("quiet", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let quiet = worker.take().await.attempt;
    assert_eq!(worker.dispatcher.append(quiet, 1, vec![chunk(&empty)]).await.unwrap(), Acceptance::Accepted);
    let id = quiet.subtask_id;
    let one = format!("subtask(databaseId: {id}) {{ log(limit: 10000) {{ nextLine }} }}");
    assert_eq!(lab.ask(&format!("{{ {one} }}")).await.0["subtask"]["log"]["nextLine"], 10_001);
    let (code, _) = refused(&lab, &format!("{{ a: {one} b: {one} c: {one} d: {one} e: {one} }}")).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    // What a list could ask for is counted before anything is read.
    let wide = answer(&lab, "{ tasks(first: 1000) { nodes { subtasks { log { nextLine } } } } }").await;
    assert!(wide.errors[0].path.is_empty() && wide.errors[0].message.contains("complexity"), "{:?}", wide.errors);
}

async fn what_is_followed_comes_in_bounded_items(lab: Bench) {
    let attempt = talker(&lab).await;
    let mut follow = log::follow(lab.door().0, attempt.subtask_id, 1).await.unwrap();
    let mut seen = 0;
    while seen < LINES {
        let page = follow.next().await.unwrap().unwrap();
        let bytes: usize = page.lines.iter().map(|line| line.text.len() + 1).sum();
        assert!(bytes <= PAGE);
        for line in &page.lines {
            seen += 1;
            assert_eq!(line.number, i64::try_from(seen).unwrap());
        }
    }
    assert_eq!(seen, LINES);
}

async fn a_log_is_cut_between_characters(lab: Bench) {
    lab.submit("talker", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let lines = ["升级 äé", "𝄞𝄞 完成", "", "plain"].map(|line| line.as_bytes().to_vec());
    let broken = [b"\xff\xfe ok".to_vec(), b"\xe5\x8d".to_vec()];
    let said = vec![chunk(&lines), chunk(&broken)];
    assert_eq!(worker.dispatcher.append(attempt, 1, said).await.unwrap(), Acceptance::Accepted);
    let text: Vec<u8> = lines.iter().chain(&broken).flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
    let request = lab.door().0;
    for length in 1..=text.len() + 1 {
        let (mut bytes, mut shown) = (vec![], String::new());
        for from in (0..text.len()).step_by(length) {
            let (from, length) = (i64::try_from(from).unwrap(), i64::try_from(length).unwrap());
            bytes.extend(log::bytes(request, attempt.subtask_id, from, length).await.unwrap());
            shown += &log::text(request, attempt.subtask_id, from, length).await.unwrap();
        }
        assert_eq!(bytes, text, "ranges of {length} bytes");
        let valid = "升级 äé\n𝄞𝄞 完成\n\nplain\n";
        assert!(shown.starts_with(valid), "ranges of {length} bytes: {shown}");
        let rest = &shown[valid.len()..];
        assert!(rest.replace('\u{fffd}', "") == " ok\n\n", "{rest:?}");
    }
    // A caller who goes on behind what came moves as well.
    let (mut from, mut shown) = (0, String::new());
    loop {
        let part = log::text(request, attempt.subtask_id, from, 4).await.unwrap();
        let valid = part.split('\u{fffd}').next().unwrap();
        from += i64::try_from(valid.len()).unwrap();
        shown += valid;
        if valid.len() < 4 && valid.len() < part.len() {
            break;
        }
    }
    assert_eq!(shown, "升级 äé\n𝄞𝄞 完成\n\nplain\n");
    let tail = log::tail(request, attempt.subtask_id.into(), 9).await.unwrap();
    assert_eq!(tail.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["\u{fffd}"]);
}

async fn a_page_of_rows_is_whole_or_refused(lab: Bench) {
    lab.submit("one", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let attempt = worker.take().await.attempt;
    let row = |n: usize| -> Row { vec![Some(n.to_string()), Some("x".repeat(16 << 10))] };
    let mut found = vec![PackedPart::Begin {
        number: 0,
        kind: ResultKind::Table,
        columns: vec![Column::new("n", ColumnType::Int)],
    }];
    for first in (0..1_000).step_by(8) {
        let rows: Vec<Row> = (first..first + 8).map(row).collect();
        found.push(PackedPart::Rows { number: 0, first_row: first as i64, chunk: rows::RowChunk::seal(&rows) });
    }
    let huge: Row = vec![Some("huge".into()), Some("x".repeat(PAGE))];
    found.push(PackedPart::Rows {
        number: 0,
        first_row: 1_000,
        chunk: rows::RowChunk::seal(&[row(1_000), huge, row(1_002)]),
    });
    assert_eq!(worker.dispatcher.keep(attempt, found).await.unwrap(), Acceptance::Accepted);
    let id = attempt.subtask_id;
    let document = |first: usize, offset: usize| {
        format!("{{ subtask(databaseId: {id}) {{ resultSets {{ rows(first: {first}, offset: {offset}) }} }} }}")
    };
    let (code, message) = refused(&lab, &document(1_000, 0)).await;
    assert_eq!(code, "INVALID_PAGE");
    let fits: usize = message.rsplit_once("ask for ").unwrap().1.split_once(" at").unwrap().0.parse().unwrap();
    assert!((200..=255).contains(&fits), "{message}");
    // What it names is possible, and nothing is left out.
    let mut numbers = vec![];
    for offset in (0..1_000).step_by(fits) {
        let (found, _) = lab.ask(&document(fits.min(1_000 - offset), offset)).await;
        let rows = found["subtask"]["resultSets"][0]["rows"].as_array().unwrap().clone();
        numbers.extend(rows.iter().map(|row| row[0].as_str().unwrap().parse::<usize>().unwrap()));
    }
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
    // One row that no page holds is said to be one; those beside it are read.
    let (_, message) = refused(&lab, &document(1, 1_001)).await;
    assert!(message.contains("one row alone"), "{message}");
    for offset in [1_000, 1_002] {
        let (found, _) = lab.ask(&document(1, offset)).await;
        assert_eq!(found["subtask"]["resultSets"][0]["rows"][0][0], offset.to_string());
    }
}

async fn the_output_of_a_script_is_whole_or_refused(lab: Bench) {
    let id = talker(&lab).await.subtask_id;
    let request = lab.door().0;
    let fits = resolver::result::output(request, id, (0, 5_000)).await.unwrap_err();
    assert_eq!((fits.code().name, fits.value("fits")), ("INVALID_PAGE", Some("63")));
    for offset in [0, 1_990, 3_950, 3_999] {
        let lines = resolver::result::output(request, id, (offset, 63)).await.unwrap();
        assert_eq!(lines.len(), usize::try_from(4_000 - offset).unwrap().min(63));
        assert!(lines[0].starts_with(&format!("{:08}", offset + 1)));
    }
    assert!(resolver::result::output(request, id, (4_000, 10)).await.unwrap().is_empty());
}

async fn documents_are_read_where_they_are_asked_for(lab: Bench) {
    let code = format!("true #{}", "x".repeat(1_000_000));
    for _ in 0..20 {
        lab.submit("wide", &[shell("a", &code)]).await;
    }
    let ask = async |first: usize, fields: &str| {
        lab.ask(&format!("{{ tasks(first: {first}) {{ nodes {{ {fields} }} }} }}")).await
    };
    assert_eq!(ask(20, "subtasks { name state }").await.1, 2, "tasks, subtasks");
    let (found, _) = ask(2, "spec subtasks { spec output }").await;
    assert_eq!(found["nodes"], Value::Null);
    let task = &found["tasks"]["nodes"][1];
    assert_eq!(task["subtasks"][0]["spec"]["run"]["shell"].as_str().unwrap().len(), code.len());
    assert_eq!(task["spec"]["subtasks"][0]["name"], "a");
    assert_eq!(task["subtasks"][0]["output"], json!({}));
    let (code, message) = refused(&lab, "{ tasks(first: 20) { nodes { subtasks { spec } } } }").await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
    assert_eq!(refused(&lab, "{ tasks(first: 20) { nodes { spec } } }").await.0, "QUERY_TOO_COMPLEX");
}

async fn many_subtasks_are_found_a_task_at_a_time(lab: Bench) {
    let steps: Vec<_> = (0..600).map(|n| noop(&format!("s{n}"))).collect();
    for _ in 0..40 {
        lab.submit("wide", &steps).await;
    }
    // More than are read at a time, and fewer than one answer may have.
    let (found, _) = lab.ask("{ tasks(first: 40) { nodes { subtasks { name } totals { pending ready } } } }").await;
    let nodes = found["tasks"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 40);
    for task in nodes {
        assert_eq!((task["subtasks"].as_array().unwrap().len(), &task["totals"]["ready"]), (600, &json!(600)));
    }
    let once = "tasks(first: 40) { nodes { subtasks { name } } }";
    let thrice = format!("{{ a: {once} b: {once} c: {once} }}");
    assert_eq!(refused(&lab, &thrice).await.0, "QUERY_TOO_COMPLEX");
}

async fn lists_of_ids_have_any_length(lab: Bench) {
    for name in ["one", "two", "three"] {
        lab.submit(name, &[noop("a")]).await;
    }
    let request = lab.door().0;
    let ids: Vec<_> = (2..100_000).map(taskloom_entity::TaskId).collect();
    let filter = resolver::task::TaskFilter { ids: Some(ids.clone()), ..Default::default() };
    assert_eq!(resolver::task::count(request, &filter).await.unwrap(), 2);
    let (page, total) = resolver::task::page(request, &filter, &[], (0, 10)).await.unwrap();
    assert_eq!((page.len(), total), (2, 2));
    let wanted = resolver::task::bulk::BulkSelection::new(filter, false, false).unwrap();
    let done = resolver::task::bulk::run(request, &wanted, taskloom::task::command::Verb::Cancel).await.unwrap();
    assert_eq!((done.tasks.len(), done.refused.len(), done.more), (2, 0, false));
    assert_eq!(resolver::read::tasks(request, &ids).await.unwrap().len(), 2);
    let foreign = resolver::vsphere::task::VsphereTaskFilter {
        ids: Some((1..100_000).map(taskloom_entity::VsphereTaskId).collect()),
        operations: Some((0..40_000).map(|n| format!("operation.{n}")).collect()),
        ..Default::default()
    };
    assert_eq!(resolver::vsphere::task::count(request, &foreign).await.unwrap(), 0);

    // Of a few words, a list may have any number.
    use taskloom_entity::{TaskState, TaskType, VsphereTaskState};
    let orders = [(resolver::task::TaskOrder::Name, true), (resolver::task::TaskOrder::Id, false)].repeat(3_000);
    let filter = resolver::task::TaskFilter {
        states: Some([TaskState::Pending, TaskState::Running].repeat(40_000)),
        types: Some([TaskType::Manual].repeat(40_000)),
        ..Default::default()
    };
    assert_eq!(resolver::task::page(request, &filter, &orders, (0, 10)).await.unwrap().1, 1);
    let foreign = resolver::vsphere::task::VsphereTaskFilter {
        states: Some([VsphereTaskState::Running].repeat(70_000)),
        outcomes: Some([(VsphereTaskState::Success, false)].repeat(5_000)),
        ..Default::default()
    };
    assert_eq!(resolver::vsphere::task::count(request, &foreign).await.unwrap(), 0);
    // A question may name a hundred members of a list, and ten labels, which are joined.
    let page = |states: usize, types: usize, orders: usize| {
        let states = "PENDING ".repeat(states - 1) + "RUNNING";
        let (types, order) = ("MANUAL ".repeat(types), "{field: ID, descending: false} ".repeat(orders));
        format!("{{ taskPage(filter: {{states: [{states}], types: [{types}]}}, order: [{order}]) {{ totalCount }} }}")
    };
    assert_eq!(lab.ask(&page(100, 100, 100)).await.0["taskPage"]["totalCount"], 1);
    let label = "{key: \"a\"} ";
    let labels =
        |many: usize| format!("{{ tasks(filter: {{labels: [{}]}}) {{ nodes {{ id }} }} }}", label.repeat(many));
    assert_eq!(lab.ask(&labels(10)).await.0["tasks"]["nodes"], json!([]));
    let nodes = |many: usize| format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"VGFzazox\" ".repeat(many));
    assert_eq!(lab.ask(&nodes(100)).await.0["nodes"][99]["id"], "VGFzazox");
    for (document, name, most) in [
        (page(101, 1, 1), "`filter.states`", "100"),
        (page(1, 101, 1), "`filter.types`", "100"),
        (page(1, 1, 101), "`order`", "100"),
        (labels(11), "`filter.labels`", "10"),
        (nodes(101), "`ids`", "100"),
    ] {
        let (code, message) = refused(&lab, &document).await;
        assert_eq!(
            (code.as_str(), message.contains(name) && message.contains(most)),
            ("INVALID_INPUT", true),
            "{message}"
        );
    }
}

/// Whoever stops waiting stops what was read for it: nothing goes on by itself.
#[tokio::test]
async fn a_request_that_was_given_up_reads_no_further() {
    let lab = Bench::sqlite().await;
    let id = talker(&lab).await.subtask_id;
    let request = lab.door().0;
    request.live.all_grown_elsewhere();
    let before = lab.statements();
    // It is deep in the log, and reads all that lies before: given up between two of its chunks.
    let reading = resolver::result::output(request, id, (3_990, 10));
    let given_up = async {
        loop {
            if lab.statements() > before + 3 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = given_up => {}
        _ = reading => panic!("it has read everything"),
    }
    let stopped = lab.statements();
    let conn = request.store.read();
    for _ in 0..100 {
        conn.query_one_raw(Statement::from_string(conn.get_database_backend(), "SELECT 1")).await.unwrap();
    }
    assert_eq!(lab.statements(), stopped + 100, "only what was asked here");
}
