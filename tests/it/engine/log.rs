//! The log of a subtask, read in pages while it is written.

use std::time::Duration;

use serde_json::json;
use taskloom::store;
use taskloom::store::open::{self, DatabasePlace, Pools};
use taskloom_entity::SubtaskId;

use super::bench::{Bench, until, within};
use super::step::shell;

stories!(every_line_is_there_once);

const LINES: i64 = 5_000;

async fn every_line_is_there_once(bench: Bench) {
    let task = bench.admin.submit("talker", &[shell("a", &format!("seq {LINES}"))]).await;
    let id = bench.admin.subtask_id(&task, "a").await;
    let document = "query($id: ID!, $from: BigInt!) { subtask(id: $id) { state
        log(from: $from, limit: 700) { nextLine lines { number source text } } } }";
    let (mut next, mut said, mut numbers) = (1, vec![], vec![]);
    let reading = async {
        loop {
            let subtask = bench.admin.get(document, json!({"id": id, "from": next}), "/subtask").await;
            let lines = subtask["log"]["lines"].as_array().unwrap();
            assert!(lines.len() <= 700);
            if lines.is_empty() && subtask["state"] == "SUCCESSFUL" {
                break;
            }
            numbers.extend(lines.iter().map(|line| line["number"].as_i64().unwrap()));
            let own = lines.iter().filter(|line| line["source"] == "STDOUT");
            said.extend(own.map(|line| line["text"].as_str().unwrap().to_owned()));
            next = subtask["log"]["nextLine"].as_i64().unwrap();
        }
    };
    within("the whole log", reading).await;
    assert_eq!(said, (1..=LINES).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(numbers, (1..=numbers.len() as i64).collect::<Vec<_>>(), "numbered without a gap");
    let counted = bench.admin.subtask(&task, "a", "logLines").await;
    assert_eq!(counted["logLines"], json!(numbers.len()));
}

/// Where the chunks of the only subtask's log begin.
async fn chunks(bench: &Bench) -> Vec<i64> {
    let folder = DatabasePlace::Folder(bench.settings.data_dir.clone());
    let store = open::beside(
        &folder,
        Pools { connections: 1, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) },
    )
    .await
    .unwrap();
    let chunks = store::log::chunks(store.read(), SubtaskId(1), 1, 1000).await.unwrap();
    chunks.iter().map(|chunk| chunk.first_line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_kept_in_chunks_of_the_set_size() {
    let bench = Bench::with(&[("log.chunk", "1KiB"), ("log.flush", "1h")]).await;
    // Lines of two streams do not come together.
    let line = "head -c 1100 /dev/zero | tr '\\0' x; echo";
    let lines = format!("i=0; while [ $i -lt 4 ]; do {line}; {{ {line}; }} >&2; i=$((i+1)); done");
    let task = bench.admin.submit("long", &[shell("a", &lines)]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    // Lines that came together stay together; all of them are far below the usual size.
    let chunks = chunks(&bench).await;
    assert!(chunks.len() > 1 && chunks[0] == 1, "{chunks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_waits_as_long_as_is_set() {
    let bench = Bench::with(&[("log.flush", "1h")]).await;
    let (on, go) = (bench.file("on"), bench.file("go"));
    let wait = |file: &str| format!("until test -e {file}; do sleep 0.02; done");
    let code = format!("echo first; echo ::progress 0.1; {}; echo ::progress 0.2; {}; echo last", wait(&on), wait(&go));
    let task = bench.admin.submit("slow", &[shell("a", &code)]).await;
    let says = async |progress: f64| {
        until("it has said how far it is", async || {
            let a = bench.admin.subtask(&task, "a", "progress").await;
            (a["progress"].as_f64() == Some(progress)).then_some(())
        })
        .await;
    };
    // The second is told at least 0.2 s after the first: the usual tenth of a second for lines lies between.
    says(0.1).await;
    std::fs::write(&on, "").unwrap();
    says(0.2).await;
    assert_eq!(chunks(&bench).await, [0_i64; 0], "it waits");
    std::fs::write(&go, "").unwrap();
    bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(chunks(&bench).await, [1], "both lines at the end, in one chunk");
}
