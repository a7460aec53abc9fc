//! OCP's task instances.

use chrono::{DateTime, FixedOffset, SubsecRound};
use serde_json::{Map, Value, json};

use super::document;
use crate::compat::bench::{Bench, on_both};
use crate::compat::seed::{self, TASKS};

/// An object without the members that are null.
fn object(members: Value) -> Value {
    let Value::Object(members) = members else { panic!("no object") };
    Value::Object(members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
}

/// An instant in the dialect's form.
fn time(at: &Value) -> Value {
    let Some(text) = at.as_str() else { return Value::Null };
    let zone = FixedOffset::east_opt(8 * 3600).unwrap();
    let at = DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&zone).trunc_subsecs(3);
    let text = at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string();
    format!("{}+08:00", text.trim_end_matches('0').trim_end_matches('.')).into()
}

fn status(state: &Value) -> Value {
    match state.as_str().unwrap() {
        "FAILED" | "CANCELED" => "FAILED",
        "SUCCESSFUL" | "ROLLED_BACK" => "SUCCESSFUL",
        _ => "RUNNING",
    }
    .into()
}

fn cluster(target: &Value) -> Value {
    match &target["cluster"] {
        Value::Null => Value::Null,
        name => object(json!({
            "id": target["clusterId"], "name": name, "obClusterId": target["obClusterId"], "type": target["clusterType"],
        })),
    }
}

fn tenant(target: &Value) -> Value {
    match &target["tenant"] {
        Value::Null => Value::Null,
        name => object(json!({
            "id": target["tenantId"], "name": name, "obClusterId": target["obTenantId"],
            "obTenantId": target["obTenantId"], "mode": target["tenantMode"],
        })),
    }
}

fn creator(creator: &Value) -> Value {
    object(json!({"id": creator["databaseId"], "name": creator["name"]}))
}

fn ids(subtasks: &Value) -> Value {
    subtasks.as_array().unwrap().iter().map(|subtask| subtask["databaseId"].clone()).collect()
}

fn subtask(node: &Value, created: &Value) -> Value {
    let timeout = match node["spec"]["timeout"].as_str() {
        Some("1m 30s") => json!(90),
        None => Value::Null,
        Some(other) => panic!("the seed has no time limit of {other}"),
    };
    let runs = node["runs"].as_i64().unwrap();
    object(json!({
        "id": node["databaseId"], "name": node["name"], "seriesId": node["index"], "description": node["description"],
        "timeout": timeout, "status": node["state"], "operation": node["operation"], "executor": node["worker"],
        "runTime": runs + i64::from(runs > 0 && node["state"] == "READY"), "nodeType": format!("{}_TASK", node["executor"].as_str().unwrap()),
        "paralleIdx": -1, "parallelIdx": -1, "upstreams": ids(&node["upstreams"]),
        "downstream": ids(&node["downstreams"]), "downstreams": ids(&node["downstreams"]),
        "prohibitRollback": node["prohibitRollback"], "createTime": time(created), "startTime": time(&node["startedAt"]),
        "finishTime": time(&node["finishedAt"]),
    }))
}

fn task(node: &Value) -> Value {
    let subtasks = node["subtasks"].as_array().unwrap();
    let latest = subtasks.iter().filter(|subtask| !subtask["startedAt"].is_null());
    let latest = latest.max_by_key(|subtask| subtask["startedAt"].as_str().unwrap().to_owned());
    object(json!({
        "id": node["databaseId"], "name": node["name"],
        "taskDefinitionId": node["definition"].get("databaseId").cloned().unwrap_or(json!(-1)),
        "cluster": cluster(&node["target"]), "tenant": tenant(&node["target"]), "creator": creator(&node["creator"]),
        "status": status(&node["state"]),
        "type": node["type"].as_str().unwrap().replace("SYS_ONCE", "SYS_ONECE"), "operation": node["operation"],
        "executor": latest.map_or(Value::Null, |subtask| subtask["worker"].clone()),
        "prohibitRollback": node["prohibitRollback"],
        "subtasks": subtasks.iter().map(|one| subtask(one, &node["createdAt"])).collect::<Vec<_>>(),
        "createTime": time(&node["createdAt"]), "startTime": time(&node["startedAt"]),
        "finishTime": time(&node["finishedAt"]),
    }))
}

fn basic(node: &Value) -> Value {
    let subtask = |one: &Value| {
        json!({"id": one["databaseId"], "name": one["name"], "description": one["description"], "status": one["state"],
            "operation": one["operation"]})
    };
    object(json!({
        "id": node["databaseId"], "name": node["name"], "cluster": cluster(&node["target"]),
        "tenant": tenant(&node["target"]), "creator": creator(&node["creator"]), "status": status(&node["state"]),
        "startTime": time(&node["startedAt"]), "finishTime": time(&node["finishedAt"]),
        "subtasks": node["subtasks"].as_array().unwrap().iter().map(subtask).collect::<Vec<_>>(),
    }))
}

/// The `data` of a route's answer.
async fn data(t: &Bench, method: &str, path: &str) -> Value {
    let mut answer: Value = t.call(method, path, "manager").await.json().await.unwrap();
    assert_eq!(answer["successful"], true, "{method} {path}: {answer}");
    answer["data"].take()
}

fn id(kind: &str, number: i64) -> Value {
    json!({"input": {"id": taskloom::gql::id::encode(kind, number).to_string()}})
}

#[tokio::test]
async fn a_list_is_the_graphs_page() {
    let order = |field: &str, descending| json!({"field": field, "descending": descending});
    on_both(async |t| {
        for (query, variables) in [
            ("", json!({})),
            ("size=100", json!({"size": 100})),
            ("page=3&size=7&sort=name,asc", json!({"number": 3, "size": 7, "order": order("NAME", false)})),
            (
                "size=100&sort=status,desc&sort=startTime,asc",
                json!({"size": 100, "order": [order("OUTCOME", true), order("STARTED_AT", false)]}),
            ),
            ("status=FAILED&size=50", json!({"size": 50, "filter": {"states": ["FAILED", "CANCELED"]}})),
            (
                "status=RUNNING,SUCCESSFUL&type=SYS_ONECE",
                json!({"filter": {"types": ["SYS_ONCE"], "states":
                    ["PENDING", "RUNNING", "PAUSED", "CANCELING", "SUCCESSFUL", "ROLLED_BACK"]}}),
            ),
            ("name=%E5%87%86%E5%A4%87", json!({"filter": {"name": "准备"}})),
            ("clusterName=mETA%205", json!({"filter": {"clusterContains": "meta 5"}})),
            ("clusterId=5&tenantName=SYS", json!({"filter": {"clusterId": 5, "targetTenant": "SYS"}})),
            ("tenantId=12", json!({"filter": {"targetTenantId": 12}})),
            ("hostId=8", json!({"filter": {"hostId": 8}})),
            ("page=999", json!({"number": 999})),
        ] {
            let old = data(&t, "GET", &format!("/api/v2/tasks/instances?{query}")).await;
            let new = t.ask(document("ocp.listTaskInstances"), variables, "manager").await;
            let page = &new["taskPage"];
            let translated = json!({
                "contents": page["nodes"].as_array().unwrap().iter().map(basic).collect::<Vec<_>>(),
                "page": {"totalElements": page["totalCount"], "totalPages": page["totalPages"],
                    "number": page["number"], "size": page["size"]},
            });
            assert_eq!(old, translated, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_task_is_the_graphs_task() {
    on_both(async |t| {
        for n in 1..=TASKS {
            let old = data(&t, "GET", &format!("/api/v2/tasks/instances/{n}")).await;
            let new = t.ask(document("ocp.getTaskInstance"), json!({"databaseId": n}), "manager").await;
            assert_eq!(old, task(&new["task"]), "task {n}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_log_is_the_graphs_log() {
    on_both(async |t| {
        for n in 1..=TASKS {
            let old = data(&t, "GET", &format!("/api/v2/tasks/instances/{n}/subtasks/{}/log", 10 * n + 1)).await;
            let new = t.ask(document("ocp.getSubtaskLog"), json!({"databaseId": 10 * n + 1}), "viewer").await;
            let subtask = &new["subtask"];
            assert_eq!(subtask["logTail"]["leftOut"], 0);
            let mut lines = vec![];
            for attempt in subtask["attempts"].as_array().unwrap() {
                let (operation, at) = (attempt["operation"].as_str().unwrap(), time(&attempt["startedAt"]));
                lines.push(format!("############{{{operation}}}{{{}}}############", at.as_str().unwrap()));
            }
            let texts = subtask["logTail"]["lines"].as_array().unwrap().iter();
            lines.extend(texts.map(|line| line["text"].as_str().unwrap().to_owned()));
            assert_eq!(old["log"], lines.join("\n"), "task {n}");
        }
    })
    .await;
}

/// Two servers with the same tasks: one is steered by the old route, one by the graph. Both are left the same.
#[tokio::test]
async fn a_change_is_the_graphs_change() {
    use taskloom_entity::TaskState::Failed;
    for (operation, verb, field) in [
        ("ocp.retryTaskInstance", "retry", "/retryTask/task"),
        ("ocp.rollbackTaskInstance", "rollback", "/rollbackTask/task"),
    ] {
        let (old, new) = (Bench::sqlite().await, Bench::sqlite().await);
        for n in (1..=TASKS).filter(|n| seed::state(*n) == Failed && n % 10 != 4 && n % 10 != 2) {
            let answered = data(&old, "POST", &format!("/api/v2/tasks/instances/{n}/{verb}")).await;
            let changed = new.ask(document(operation), id("Task", n), "manager").await;
            assert_eq!(answered, task(changed.pointer(field).unwrap()), "{operation} {n}");
        }
    }
    let (old, new) = (Bench::sqlite().await, Bench::sqlite().await);
    for n in (1..=TASKS).filter(|n| seed::state(*n) == Failed) {
        let b = 10 * n + 1;
        if n % 3 == 0 {
            data(&old, "POST", &format!("/api/v2/tasks/instances/{n}/subtasks/{b}/skip")).await;
            new.ask(document("ocp.skipSubtask"), id("Subtask", b), "manager").await;
        } else {
            let answered = data(&old, "POST", &format!("/api/v2/tasks/instances/{n}/subtasks/{b}/retry")).await;
            let changed = new.ask(document("ocp.retrySubtask"), id("Subtask", b), "manager").await;
            let node = &changed["retrySubtask"]["subtask"];
            assert_eq!(answered, subtask(node, &node["task"]["createdAt"]), "{n}");
            data(&old, "POST", &format!("/api/v2/tasks/instances/{n}/subtasks/{b}/cancel")).await;
            new.ask(document("ocp.cancelSubtask"), id("Subtask", b), "manager").await;
        }
        let old = data(&old, "GET", &format!("/api/v2/tasks/instances/{n}")).await;
        let new = new.ask(document("ocp.getTaskInstance"), json!({"databaseId": n}), "manager").await;
        assert_eq!(old, task(&new["task"]), "task {n} afterwards");
    }
}
