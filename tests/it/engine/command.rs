//! What people ask of a task that failed: again, on without it, or back.

use serde_json::json;

use super::bench::Bench;
use super::step::{Step, noop, shell};

stories!(
    a_failed_subtask_runs_again_when_its_cause_is_gone,
    a_failed_task_runs_again_where_it_failed,
    a_failed_subtask_can_be_skipped,
    a_rollback_goes_against_the_arrows,
    a_refusal_says_what_is_possible,
);

/// `a -> b -> c`, where `b` fails until the file is there.
fn chain(file: &str) -> [Step; 3] {
    [noop("a"), shell("b", &format!("test -e {file} || exit 3")).needs("a"), noop("c").needs("b")]
}

async fn a_failed_subtask_runs_again_when_its_cause_is_gone(bench: Bench) {
    let file = bench.file("there");
    let task = bench.admin.submit("chain", &chain(&file)).await;
    assert_eq!(bench.admin.wait(&task, "FAILED").await, "FAILED: a SUCCESSFUL, b FAILED, c PENDING");

    std::fs::write(&file, "").unwrap();
    let id = bench.admin.subtask_id(&task, "b").await;
    bench.admin.act("retrySubtask", &id).await;
    let end = bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(end, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL, c SUCCESSFUL");
    let b = bench.admin.subtask(&task, "b", "runs attempts { number operation state exitCode }").await;
    let attempts = json!([
        {"number": 1, "operation": "EXECUTE", "state": "FAILED", "exitCode": 3},
        {"number": 2, "operation": "RETRY", "state": "SUCCESSFUL", "exitCode": 0},
    ]);
    assert_eq!((&b["runs"], &b["attempts"]), (&json!(2), &attempts));
    assert_eq!(bench.admin.subtask(&task, "a", "runs").await["runs"], json!(1), "what is done is not repeated");
}

async fn a_failed_task_runs_again_where_it_failed(bench: Bench) {
    let file = bench.file("there");
    let task = bench.admin.submit("chain", &chain(&file)).await;
    bench.admin.wait(&task, "FAILED").await;
    bench.admin.act("retryTask", &task).await;
    bench.admin.wait_for(&task, |states| states.starts_with("FAILED")).await;

    std::fs::write(&file, "").unwrap();
    bench.admin.act("retryTask", &task).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(bench.admin.subtask(&task, "b", "runs").await["runs"], json!(3));
    assert_eq!(bench.admin.subtask(&task, "a", "runs").await["runs"], json!(1));
}

async fn a_failed_subtask_can_be_skipped(bench: Bench) {
    let task = bench.admin.submit("chain", &chain(&bench.file("never"))).await;
    bench.admin.wait(&task, "FAILED").await;
    let id = bench.admin.subtask_id(&task, "b").await;
    bench.admin.act("skipSubtask", &id).await;
    let end = bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(end, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL, c SUCCESSFUL");
    let b = bench.admin.subtask(&task, "b", "skipped runs operation message attempts { message }").await;
    let attempts = json!([{"message": "exit status 3"}]);
    let skipped = json!({"name": "b", "skipped": true, "runs": 1, "operation": "SKIP", "message": null,
        "attempts": attempts});
    assert_eq!(b, skipped, "its attempt failed, and it is no failure any more");
}

async fn a_rollback_goes_against_the_arrows(bench: Bench) {
    let file = bench.file("order");
    let step = |name: &str, code| shell(name, code).undo(&format!("echo {name} >> {file}"));
    let steps = [
        step("a", "true"),
        step("b", "true").needs("a"),
        step("c", "true").needs("a"),
        step("d", "false").needs("b c"),
        step("e", "true").needs("d"),
    ];
    let task = bench.admin.submit("diamond", &steps).await;
    bench.admin.wait(&task, "FAILED").await;
    bench.admin.act("rollbackTask", &task).await;
    let end = bench.admin.wait(&task, "ROLLED_BACK").await;
    assert_eq!(end, "ROLLED_BACK: a PENDING, b PENDING, c PENDING, d PENDING, e PENDING");

    let order = std::fs::read_to_string(&file).unwrap().replace('\n', "");
    assert!(order == "dbca" || order == "dcba", "{order}");
    let a = bench.admin.subtask(&task, "a", "attempts { operation state }").await;
    let attempts =
        json!([{"operation": "EXECUTE", "state": "SUCCESSFUL"}, {"operation": "ROLLBACK", "state": "SUCCESSFUL"}]);
    assert_eq!(a["attempts"], attempts);
    assert_eq!(bench.admin.refused_act("retryTask", &task).await["availableOperations"], json!(["DELETE"]));
}

async fn a_refusal_says_what_is_possible(bench: Bench) {
    let task = bench.admin.submit("chain", &chain(&bench.file("never"))).await;
    bench.admin.wait(&task, "FAILED").await;
    let (b, c) = (bench.admin.subtask_id(&task, "b").await, bench.admin.subtask_id(&task, "c").await);
    let refusals = [
        ("pauseTask", &task, json!(["RETRY", "ROLLBACK", "DELETE"])),
        ("cancelSubtask", &b, json!(["RETRY", "SKIP"])),
        ("retrySubtask", &c, json!([])),
    ];
    for (verb, id, available) in refusals {
        let refusal = bench.admin.refused_act(verb, id).await;
        assert_eq!(refusal["code"], "OPERATION_NOT_ALLOWED", "{verb}");
        assert_eq!(refusal["availableOperations"], available, "{verb}");
    }
    let offered = bench.admin.subtask(&task, "b", "availableOperations").await;
    assert_eq!(offered["availableOperations"], json!(["RETRY", "SKIP"]), "what is offered is what is accepted");
}
