//! Steps that say more than anybody wants to hear: bounded, and others' ends do not wait for it.

use serde_json::{Value, json};

use crate::engine::bench::{Bench, within};
use crate::engine::step::{noop, shell};

stories!(
    a_flood_of_warnings_is_a_hundred_events_and_one_more,
    progress_is_told_four_times_a_second_and_the_newest_counts,
    outputs_reach_their_limits_and_do_not_pass_them,
    too_many_outputs_fail_the_attempt,
    outputs_that_are_too_much_together_fail_the_attempt,
);

async fn events(bench: &Bench, task: &str, kind: &str) -> Vec<Value> {
    let document = "query($id: ID!) { task(id: $id) { events(first: 1000) { nodes { kind message progress } } } }";
    let events = bench.admin.get(document, json!({"id": task}), "/task/events/nodes").await;
    events.as_array().unwrap().iter().filter(|event| event["kind"] == kind).cloned().collect()
}

async fn a_flood_of_warnings_is_a_hundred_events_and_one_more(bench: Bench) {
    let task = bench.admin.submit("flood", &[shell("a", "yes '::warning x' | head -n 50000")]).await;
    let neighbour = bench.admin.submit("neighbour", &[shell("a", "true"), noop("b").needs("a")]).await;
    bench.admin.wait(&neighbour, "SUCCESSFUL").await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let last = "… and 49900 more warnings: all of them are in the log";
    let told = crate::engine::bench::until("all warnings are told", async || {
        let told = events(&bench, &task, "WARNING").await;
        told.iter().any(|event| event["message"] == last).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 101);
    assert!(told[..100].iter().all(|event| event["message"] == "x"));
    let log = bench.admin.subtask(&task, "a", "log(from: 49999, limit: 10) { nextLine lines { text level } }").await;
    let lines = &log["log"]["lines"];
    assert_eq!((lines.as_array().unwrap().len(), &log["log"]["nextLine"]), (2, &json!(50001)), "{log}");
    assert_eq!(lines[1], json!({"text": "x", "level": "WARN"}));
}

async fn progress_is_told_four_times_a_second_and_the_newest_counts(bench: Bench) {
    let code = "import time\nbegun = time.time()\nn = 0\nwhile time.time() - begun < 2:\n    n += 1\n    \
                print(f'::progress {min(n / 1e7, 0.9)} at {n}')\nprint('::progress 0.95 the newest')\n";
    let step = crate::engine::step::step("a", json!({"python": code}));
    let begun = std::time::Instant::now();
    let task = bench.admin.submit("progress", &[step]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let most = begun.elapsed().as_secs() as usize * 4 + 6;
    let told = events(&bench, &task, "PROGRESS").await;
    assert!(told.len() <= most, "{} of {most}", told.len());
    assert!(told.iter().any(|event| event["message"] == "the newest"), "{told:?}");
}

async fn outputs_reach_their_limits_and_do_not_pass_them(bench: Bench) {
    let fill = |length: usize| format!("print('::output long=' + 'x' * {length})");
    let fits = crate::engine::step::step("fits", json!({"python": fill(64 << 10)}));
    let wide = crate::engine::step::step("wide", json!({"python": fill((64 << 10) + 1)}));
    let task = bench.admin.submit("outputs", &[fits, wide]).await;
    bench.admin.wait(&task, "FAILED").await;
    let fits = bench.admin.subtask(&task, "fits", "state output").await;
    assert_eq!(fits["output"]["long"].as_str().map(str::len), Some(64 << 10), "{}", fits["state"]);
    let wide = bench.admin.subtask(&task, "wide", "state message output attempts { exitCode }").await;
    assert_eq!((&wide["state"], &wide["attempts"][0]["exitCode"]), (&json!("FAILED"), &json!(0)));
    let message = wide["message"].as_str().unwrap();
    assert!(message.contains("output long") && message.contains("65536"), "{message}");
    assert_eq!(wide["output"], json!({}));
}

async fn too_many_outputs_fail_the_attempt(bench: Bench) {
    let code =
        |count| format!("for n in range({count}): print(f'::output key{{n}}={{n}}')\nprint('::output key0=again')");
    let fits = crate::engine::step::step("fits", json!({"python": code(256)}));
    let more = crate::engine::step::step("more", json!({"python": code(100_000)}));
    let task = bench.admin.submit("many", &[fits, more]).await;
    within("it fails", bench.admin.wait(&task, "FAILED")).await;
    let fits = bench.admin.subtask(&task, "fits", "state output").await;
    assert_eq!(fits["output"].as_object().map(serde_json::Map::len), Some(256), "{fits}");
    assert_eq!(fits["output"]["key0"], "again");
    let message = bench.admin.subtask(&task, "more", "message").await["message"].to_string();
    assert!(message.contains("output key256") && message.contains("256 outputs"), "{message}");
}

async fn outputs_that_are_too_much_together_fail_the_attempt(bench: Bench) {
    let code = "for n in range(17): print(f'::output key{n}=' + 'x' * 65536)";
    let task = bench.admin.submit("sum", &[crate::engine::step::step("a", json!({"python": code}))]).await;
    bench.admin.wait(&task, "FAILED").await;
    let step = bench.admin.subtask(&task, "a", "message log(limit: 10) { lines { text level } }").await;
    let message = step["message"].as_str().unwrap();
    assert!(message.contains("output key16") && message.contains("1048576"), "{message}");
    let lines = step["log"]["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["text"].as_str().unwrap().contains("output key16")), "{lines:?}");
}
