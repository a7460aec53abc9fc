//! Subscriptions of a task: to its end, and from a cursor on.

use serde_json::{Value, json};
use taskloom::graphql::event::EVENTS;

use super::bench::{Bench, Caller, within};
use super::step::{noop, shell};

stories!(
    progress_ends_with_the_task,
    progress_goes_on_behind_a_failure_that_was_retried,
    a_filter_knows_what_happened_while_nobody_listened,
    a_log_ends_with_its_subtask,
);

const PROGRESS: &str = "subscription($id: ID!, $after: String) {
    taskProgress(taskId: $id, after: $after) { cursor state progress } }";

/// The cursor before every event.
fn first() -> String {
    EVENTS.cursor(0)
}

async fn progress(caller: &Caller, task: &str, after: Option<&str>) -> Vec<Value> {
    progress_and(caller, task, after, || {}).await
}

/// Every step until the subscription completes; `at_work` is called when the task runs.
async fn progress_and(caller: &Caller, task: &str, after: Option<&str>, at_work: impl Fn()) -> Vec<Value> {
    let look = |data: &Value| {
        if data["taskProgress"]["state"] == "RUNNING" {
            at_work();
        }
        false
    };
    let following = caller.follow(PROGRESS, json!({"id": task, "after": after}), look);
    let all = within("the subscription completes", following).await;
    all.into_iter().map(|data| data["taskProgress"].clone()).collect()
}

fn states(steps: &[Value]) -> Vec<&str> {
    let mut states: Vec<&str> = steps.iter().map(|step| step["state"].as_str().unwrap()).collect();
    states.dedup();
    states
}

async fn progress_ends_with_the_task(bench: Bench) {
    let go = bench.file("go");
    let wait = shell("a", &format!("until [ -e {go} ]; do sleep 0.05; done"));
    let task = bench.admin.submit("waits", &[wait, noop("b").needs("a")]).await;
    bench.admin.wait_for(&task, |states| states == "RUNNING: a RUNNING, b PENDING").await;
    let steps = progress_and(&bench.admin, &task, Some(&first()), || std::fs::write(&go, "").unwrap()).await;
    let last = steps.last().unwrap();
    assert_eq!((&last["state"], &last["progress"]), (&json!("SUCCESSFUL"), &json!(1.0)), "{steps:?}");

    let late = progress(&bench.admin, &task, None).await;
    assert_eq!(late, std::slice::from_ref(last), "of a task that has ended the last state, once");
    assert_eq!(progress(&bench.admin, &task, last["cursor"].as_str()).await, [] as [Value; 0], "nothing is repeated");
}

async fn progress_goes_on_behind_a_failure_that_was_retried(bench: Bench) {
    let (go, mended) = (bench.file("go"), bench.file("mended"));
    let code = format!("[ -e {mended} ] || exit 3; until [ -e {go} ]; do sleep 0.05; done");
    let task = bench.admin.submit("fails", &[shell("a", &code)]).await;
    let failed = progress(&bench.admin, &task, Some(&first())).await;
    assert_eq!(states(&failed).last(), Some(&"FAILED"), "{failed:?}");
    std::fs::write(&mended, "").unwrap();
    bench.admin.act("retryTask", &task).await;
    // From the beginning, too: the failure that is read there is no longer the end.
    let behind = failed.last().unwrap()["cursor"].as_str().unwrap();
    let first = first();
    let (behind, all) = tokio::join!(
        progress_and(&bench.admin, &task, Some(behind), || std::fs::write(&go, "").unwrap()),
        progress(&bench.admin, &task, Some(&first)),
    );
    assert_eq!(states(&behind).last(), Some(&"SUCCESSFUL"), "{behind:?}");
    let cursors = |steps: &[Value]| steps.iter().map(|step| step["cursor"].clone()).collect::<Vec<_>>();
    assert_eq!(cursors(&all), [cursors(&failed), cursors(&behind)].concat());
}

async fn a_filter_knows_what_happened_while_nobody_listened(bench: Bench) {
    let document = "subscription($name: String!, $after: String) {
        taskChanged(filter: {tasks: {name: $name}, tasksOnly: true}, after: $after) { event { kind taskState } } }";
    for name in ["one", "another"] {
        let task = bench.admin.submit(name, &[noop("a")]).await;
        bench.admin.wait(&task, "SUCCESSFUL").await;
    }
    let ends = |data: &Value| data["taskChanged"]["event"]["taskState"] == "SUCCESSFUL";
    let following = bench.admin.follow(document, json!({"name": "another", "after": first()}), ends);
    let seen = within("its changes", following).await;
    let kinds: Vec<&str> = seen.iter().map(|data| data["taskChanged"]["event"]["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"TASK_SUBMITTED"), "{seen:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "TASK_SUBMITTED").count(), 1, "the other task's are left out");
}

async fn a_log_ends_with_its_subtask(bench: Bench) {
    let document = "subscription($id: ID!, $from: BigInt!) { subtaskLog(subtaskId: $id, fromLine: $from) {
        lines { text } nextLine } }";
    let go = bench.file("go");
    let code = format!("seq 3; until test -e {go}; do sleep 0.02; done; seq 4 5");
    let task = bench.admin.submit("talker", &[shell("a", &code), noop("b").needs("a")]).await;
    let id = bench.admin.subtask_id(&task, "a").await;
    let read = async |from| {
        let variables = json!({"id": id, "from": from});
        // It goes on when the first lines have been seen.
        let go_on = |_: &Value| {
            std::fs::write(&go, "").unwrap();
            false
        };
        let pages = within("the log ends", bench.admin.follow(document, variables, go_on)).await;
        let lines = pages.iter().flat_map(|page| page["subtaskLog"]["lines"].as_array().unwrap());
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(read(1).await, "1 2 3 4 5");
    assert_eq!(read(4).await, "4 5", "also when it had ended before");
    assert_eq!(read(6).await, "");
}
