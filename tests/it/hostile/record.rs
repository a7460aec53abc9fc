//! One bad record: what a step says cannot be kept, or a row cannot be read. It fails what it belongs to, and waits in
//! front of nobody.

use serde_json::{Value, json};

use super::sql;
use crate::engine::bench::{Bench, until};
use crate::engine::step::{noop, shell};

stories!(
    a_nul_in_what_a_step_says_is_replaced,
    an_end_that_the_database_refuses_fails_its_attempt_alone,
    a_report_that_the_database_refuses_is_left_out_alone,
    a_task_whose_row_cannot_be_read_stands_in_front_of_nobody,
    an_event_that_cannot_be_read_is_passed_over,
);

/// A neighbour's task goes through.
async fn a_neighbour_goes_on(bench: &Bench) {
    let task = bench.admin.submit("neighbour", &[shell("a", "echo '::output ok=1'"), noop("b").needs("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
}

async fn warnings(bench: &Bench, task: &str) -> Vec<String> {
    let document = "query($id: ID!) { task(id: $id) { events(first: 500) { nodes { kind message } } } }";
    let events = bench.admin.get(document, json!({"id": task}), "/task/events/nodes").await;
    let events = events.as_array().unwrap().iter().filter(|event| event["kind"] == "WARNING");
    events.map(|event| event["message"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn a_nul_in_what_a_step_says_is_replaced(bench: Bench) {
    let says = [
        "printf '::warning x\\000y\\n'",
        "printf '::warning \\001\\n'",
        "printf '::warning \\033[31mred\\n'",
        "printf '::progress 0.5 a\\000b\\n'",
        "printf '::output key=a\\000b\\n'",
        "printf 'line\\000end\\n'",
        "printf '\\000\\n' >&2",
    ];
    let task = bench
        .admin
        .submit("nul", &[shell("a", &says.join("; ")), shell("b", "printf 'boom\\000\\n' >&2; exit 3")])
        .await;
    bench.admin.wait(&task, "FAILED").await;
    assert_eq!(warnings(&bench, &task).await, ["x\u{fffd}y", "\u{fffd}", "\u{fffd}[31mred"]);
    let step = bench.admin.subtask(&task, "a", "state output logText").await;
    assert_eq!((&step["state"], &step["output"]), (&json!("SUCCESSFUL"), &json!({"key": "a\u{fffd}b"})), "{step}");
    a_neighbour_goes_on(&bench).await;
}

async fn an_end_that_the_database_refuses_fails_its_attempt_alone(mut bench: Bench) {
    sql::poison(&bench, "subtask", "outputs").await;
    let good: Vec<String> = futures::future::join_all((0..8).map(|n| {
        let (bench, name) = (&bench, format!("good-{n}"));
        async move { bench.admin.submit(&name, &[shell("a", "echo '::output k=fine'"), noop("b").needs("a")]).await }
    }))
    .await;
    let bad = bench.admin.submit("bad", &[shell("a", "echo '::output k=poison'"), noop("b").needs("a")]).await;
    assert_eq!(bench.admin.wait(&bad, "FAILED").await, "FAILED: a FAILED, b PENDING");
    for task in &good {
        bench.admin.wait(task, "SUCCESSFUL").await;
    }
    let message = bench.admin.subtask(&bad, "a", "message").await["message"].as_str().unwrap().to_owned();
    assert!(message.contains("could not be recorded") && !message.contains("poison"), "{message}");
    assert!(bench.admin.metrics().await["taskloom_engine_unfit_records_total"] >= 1.0);
    // Neither is it tried again at the next start, nor does it keep the server from stopping.
    bench.restart().await;
    a_neighbour_goes_on(&bench).await;
    assert_eq!(bench.admin.states(&bad).await, "FAILED: a FAILED, b PENDING");
}

async fn a_report_that_the_database_refuses_is_left_out_alone(bench: Bench) {
    sql::poison(&bench, "task_event", "message").await;
    let says = "echo '::warning first'; echo '::warning poison'; echo '::progress 0.5 poison'; echo '::warning last'";
    let task = bench.admin.submit("says", &[shell("a", says)]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let told = until("the other warnings are told", async || {
        let told = warnings(&bench, &task).await;
        (told.len() == 2).then_some(told)
    });
    assert_eq!(told.await, ["first", "last"]);
    a_neighbour_goes_on(&bench).await;
}

async fn a_task_whose_row_cannot_be_read_stands_in_front_of_nobody(bench: Bench) {
    let go = bench.file("go");
    let waits = shell("a", &format!("until test -e {go}; do sleep 0.02; done"));
    let damaged = bench.admin.submit("damaged", &[waits, shell("b", "true")]).await;
    bench.admin.wait_for(&damaged, |states| states.contains("a RUNNING")).await;
    let id =
        bench.admin.get("query($id: ID!) { task(id: $id) { databaseId } }", json!({"id": damaged}), "/task/databaseId");
    let id = id.await.to_string().replace('"', "");
    sql::run(&bench, &format!("UPDATE subtask SET needs = 'nonsense' WHERE task_id = {id}")).await;
    std::fs::write(&go, "").unwrap();
    // Its end is asked for with those of others, and so is what it has ready.
    for _ in 0..3 {
        a_neighbour_goes_on(&bench).await;
    }
    until("it was noticed", async || {
        let samples = bench.admin.metrics().await;
        (samples["taskloom_engine_unfit_records_total"] >= 1.0).then_some(())
    })
    .await;
}

async fn an_event_that_cannot_be_read_is_passed_over(bench: Bench) {
    let task = bench.admin.submit("told", &[noop("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let newest = "subscription($after: String!) { taskChanged(after: $after) { cursor task { name } } }";
    let document = "query($id: ID!) { task(id: $id) { events(first: 1) { edges { cursor } } } }";
    let first = bench.admin.get(document, json!({"id": task}), "/task/events/edges/0/cursor").await;
    sql::run(&bench, "UPDATE task_event SET kind = 'NONSENSE' WHERE id = (SELECT MAX(id) FROM task_event)").await;
    let later = bench.admin.submit("later", &[noop("a")]).await;
    bench.admin.wait(&later, "SUCCESSFUL").await;
    let is_later = |data: &Value| data["taskChanged"]["task"]["name"] == "later";
    let seen = bench.admin.follow(newest, json!({"after": first}), is_later).await;
    assert!(seen.last().is_some_and(is_later), "{seen:?}");
}
