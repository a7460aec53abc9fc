//! What belongs to another tenant does not exist.

use serde_json::json;

use super::bench::{Bench, Caller};
use super::step::noop;

stories!(a_foreign_task_does_not_exist);

/// A manager of another tenant.
async fn stranger(bench: &Bench) -> Caller {
    let made = "mutation { createTenant(input: {name: \"other\"}) { tenant { id } } }";
    let tenant = bench.admin.get(made, json!({}), "/createTenant/tenant/id").await;
    let made =
        "mutation($t: [ID!]) { createUser(input: {name: \"stranger\", role: MANAGER, tenantIds: $t}) { user { id } } }";
    let user = bench.admin.get(made, json!({"t": [tenant]}), "/createUser/user/id").await;
    let made = "mutation($u: ID!) { createToken(input: {name: \"t\", role: MANAGER, userId: $u}) { secret } }";
    let secret = bench.admin.get(made, json!({"u": user}), "/createToken/secret").await;
    bench.caller(secret.as_str().unwrap())
}

async fn a_foreign_task_does_not_exist(bench: Bench) {
    let stuck = noop("a").with("workers", json!(["no-such-label"]));
    let task = bench.admin.submit("private", &[stuck]).await;
    let subtask = bench.admin.subtask_id(&task, "a").await;
    let stranger = stranger(&bench).await;

    let of_task = [
        ("query($id: ID!) { task(id: $id) { name } }", &task, "TASK_NOT_FOUND"),
        ("query($id: ID!) { previewOperation(id: $id, operation: CANCEL) { __typename } }", &task, "TASK_NOT_FOUND"),
        ("query($id: ID!) { subtask(id: $id) { name } }", &subtask, "SUBTASK_NOT_FOUND"),
        ("query($id: ID!) { subtask(id: $id) { log { nextLine } } }", &subtask, "SUBTASK_NOT_FOUND"),
        ("query($id: ID!) { subtask(id: $id) { logText } }", &subtask, "SUBTASK_NOT_FOUND"),
    ];
    for (document, id, code) in of_task {
        assert_eq!(stranger.refused(document, json!({"id": id})).await["code"], code, "{document}");
    }
    for verb in ["retryTask", "rollbackTask", "cancelTask", "pauseTask", "resumeTask", "deleteTask"] {
        assert_eq!(stranger.refused_act(verb, &task).await["code"], "TASK_NOT_FOUND", "{verb}");
    }
    for verb in ["retrySubtask", "skipSubtask", "cancelSubtask"] {
        assert_eq!(stranger.refused_act(verb, &subtask).await["code"], "SUBTASK_NOT_FOUND", "{verb}");
    }
    let lists = "{ tasks { totalCount nodes { id } } allTasks { nodes { __typename } } taskPage { totalCount } }";
    let nothing = json!({
        "tasks": {"totalCount": 0, "nodes": []}, "allTasks": {"nodes": []}, "taskPage": {"totalCount": 0},
    });
    assert_eq!(stranger.get(lists, json!({}), "").await, nothing);
    let bulk = "mutation { cancelTasks(all: true) { tasks { id } refused { id } hasMore } }";
    let none = json!({"tasks": [], "refused": [], "hasMore": false});
    assert_eq!(stranger.get(bulk, json!({}), "/cancelTasks").await, none);
    assert_eq!(bench.admin.states(&task).await, "PENDING: a READY", "and nothing happened to it");
}
