//! From submission to the end: order, outputs, events, attempts, keys.

use serde_json::{Value, json};

use super::bench::{Bench, SUBMIT, words};
use super::step::{Step, shell, spec};

stories!(a_diamond_runs_in_order_and_outputs_flow_downstream, a_key_makes_one_task);

fn diamond() -> [Step; 4] {
    [
        shell("a", "echo '::output from_a=1'"),
        shell("b", "echo \"::output from_b=b$TASKLOOM_PARAM_from_a\"").needs("a"),
        shell("c", "echo \"::output from_c=c$TASKLOOM_PARAM_from_a\"").needs("a"),
        shell("d", "echo \"::output all=$TASKLOOM_PARAM_from_a $TASKLOOM_PARAM_from_b $TASKLOOM_PARAM_from_c\"")
            .needs("b c"),
    ]
}

async fn a_diamond_runs_in_order_and_outputs_flow_downstream(bench: Bench) {
    let task = bench.admin.submit("diamond", &diamond()).await;
    let end = bench.admin.wait(&task, "SUCCESSFUL").await;
    assert_eq!(end, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL, c SUCCESSFUL, d SUCCESSFUL");

    let last = bench.admin.subtask(&task, "d", "output attempts { number operation state exitCode }").await;
    assert_eq!(last["output"], json!({"all": "1 b1 c1"}));
    let attempts = json!([{"number": 1, "operation": "EXECUTE", "state": "SUCCESSFUL", "exitCode": 0}]);
    assert_eq!(last["attempts"], attempts);

    let document = "query($id: ID!) { task(id: $id) { progress startedAt finishedAt events(first: 100) { nodes {
        kind taskState subtaskId subtaskState } } } }";
    let told = bench.admin.get(document, json!({"id": task}), "/task").await;
    assert_eq!(told["progress"], json!(1.0));
    assert!(told["startedAt"].is_string() && told["finishedAt"].is_string(), "{told}");
    let events = told["events"]["nodes"].as_array().unwrap();
    let of_task: Vec<String> = events.iter().filter(|event| event["subtaskId"].is_null()).map(line).collect();
    let ways = ["TASK_SUBMITTED PENDING", "TASK_CHANGED RUNNING", "TASK_CHANGED SUCCESSFUL"];
    assert_eq!(of_task, ways);
    for name in ["a", "b", "c", "d"] {
        let id = bench.admin.subtask_id(&task, name).await;
        let own = events.iter().filter(|event| event["subtaskId"] == id.as_str());
        let own: Vec<&str> = own.filter_map(|event| event["subtaskState"].as_str()).collect();
        // What is ready at the submission is told by the submission.
        let told = if name == "a" { &["RUNNING", "SUCCESSFUL"][..] } else { &["READY", "RUNNING", "SUCCESSFUL"] };
        assert_eq!(own, told, "{name}");
    }
}

fn line(event: &Value) -> String {
    words(event, &["kind", "taskState"])
}

async fn a_key_makes_one_task(bench: Bench) {
    let input = |code| json!({"input": {"spec": spec("once", &[shell("a", code)]), "idempotencyKey": "k"}});
    let first = bench.admin.get(SUBMIT, input("true"), "/submitTask/task/id").await;
    let second = bench.admin.get(SUBMIT, input("true"), "/submitTask/task/id").await;
    assert_eq!(first, second);
    assert_eq!(bench.admin.refused(SUBMIT, input("false")).await["code"], "IDEMPOTENCY_KEY_REUSED");

    // By the value of its JSON: the order of keys says nothing, and a whole number is one in any form.
    let keyed = |spec: Value| json!({"input": {"spec": spec, "idempotencyKey": "v"}});
    let step = json!({"name": "a", "run": {"shell": "true"}, "timeout": "60s", "weight": 2});
    let turned = json!({"weight": 2.0, "timeout": "60s", "run": {"shell": "true"}, "name": "a"});
    let one = bench.admin.get(SUBMIT, keyed(json!({"name": "v", "subtasks": [step]})), "/submitTask/task/id").await;
    let same = keyed(json!({"subtasks": [turned], "name": "v"}));
    assert_eq!(bench.admin.get(SUBMIT, same, "/submitTask/task/id").await, one);
    let other = keyed(json!({"name": "v", "subtasks": [{"name": "a", "run": {"shell": "true"}, "timeout": "61s"}]}));
    assert_eq!(bench.admin.refused(SUBMIT, other).await["code"], "IDEMPOTENCY_KEY_REUSED");

    bench.admin.wait(first.as_str().unwrap(), "SUCCESSFUL").await;
    assert_eq!(bench.admin.get(SUBMIT, input("true"), "/submitTask/task/id").await, first, "after its end, too");
    // At the same moment, too: one of them is stored, all are answered with it.
    let input = || json!({"input": {"spec": spec("race", &[shell("a", "true")]), "idempotencyKey": "r"}});
    let racing = (0..8).map(|_| bench.admin.get(SUBMIT, input(), "/submitTask/task/id"));
    let ids = futures::future::join_all(racing).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    let count = bench.admin.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(count, json!(3));
    let acts = "{ audit(filter: {action: \"task.submit\"}) { nodes { outcome code } } }";
    let done = json!({"outcome": "DONE", "code": null});
    let refused = json!({"outcome": "REFUSED", "code": "IDEMPOTENCY_KEY_REUSED"});
    let acts = bench.admin.get(acts, json!({}), "/audit/nodes").await;
    assert_eq!(acts, json!([done, refused, done, refused, done]), "a lost race is no refusal");
}
