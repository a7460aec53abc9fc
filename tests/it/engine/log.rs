//! The log of a subtask, read in pages while it is written.

use serde_json::json;

use super::bench::{Bench, within};
use super::step::shell;

stories!(every_line_is_there_once);

const LINES: i64 = 5_000;

async fn every_line_is_there_once(bench: Bench) {
    let task = bench.admin.submit("talker", &[shell("a", &format!("seq {LINES}"))]).await;
    let id = bench.admin.subtask_id(&task, "a").await;
    let document = "query($id: ID!, $from: Int!) { subtask(id: $id) { state
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
