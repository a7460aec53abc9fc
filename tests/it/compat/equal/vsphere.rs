//! Task lists of vCenters.

use serde_json::{Map, Value, json};

use super::document;
use crate::compat::bench::on_both;
use crate::compat::seed_vsphere::{FIRST, SECOND};

fn text(value: &Value) -> Value {
    value.as_str().unwrap_or_default().into()
}

fn reference(value: &Value) -> Value {
    match value.as_str().and_then(|text| text.split_once(':')) {
        Some((kind, value)) => json!({"Type": kind, "Value": value}),
        None => Value::Null,
    }
}

fn seconds(at: &Value) -> i64 {
    at.as_str().map_or(0, |text| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp())
}

fn instant(at: &Value) -> Value {
    let Some(text) = at.as_str() else { return Value::Null };
    let text = text.trim_end_matches("+00:00");
    match text.contains('.') {
        true => format!("{}Z", text.trim_end_matches('0').trim_end_matches('.')).into(),
        false => format!("{text}Z").into(),
    }
}

/// Keys in upper camel case, without the names of types.
fn raised(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let raise = |name: &String| name[..1].to_uppercase() + &name[1..];
            let kept = object.iter().filter(|(name, _)| *name != "_typeName");
            Value::Object(kept.map(|(name, value)| (raise(name), raised(value))).collect::<Map<_, _>>())
        }
        Value::Array(list) => list.iter().map(raised).collect(),
        other => other.clone(),
    }
}

fn item(node: &Value) -> Value {
    let info = raised(&node["info"]);
    let state = node["vsphereState"].as_str().unwrap().to_lowercase();
    let percent = if state == "running" { node["percent"].as_i64().unwrap_or_default() } else { 0 };
    let key = node["key"].as_str().unwrap();
    let reason = match (&info["Reason"], node["user"].as_str()) {
        (Value::Null, Some("") | None) => json!({}),
        (Value::Null, Some(user)) => json!({"UserName": user}),
        (reason, _) => reason.clone(),
    };
    json!({
        "key": key, "task_reference": format!("Task:{key}"), "name": node["name"], "entity": text(&node["entity"]),
        "target": text(&node["entityName"]), "status": state, "progress": percent, "detail": text(&node["detail"]),
        "user": node["user"], "create_time": seconds(&node["createdAt"]), "start_time": seconds(&node["startedAt"]),
        "finish_time": seconds(&node["finishedAt"]), "message": text(&node["message"]),
        "task": {
            "Key": key, "Task": {"Type": "Task", "Value": key}, "Description": info["Description"],
            "Name": text(&node["method"]), "DescriptionId": node["operation"], "Entity": reference(&node["entity"]),
            "EntityName": text(&node["entityName"]), "Locked": info["Locked"], "State": state,
            "Cancelled": node["cancelled"], "Cancelable": node["cancelable"], "Error": info["Error"],
            "Result": info["Result"], "Progress": percent, "Reason": reason, "QueueTime": instant(&node["createdAt"]),
            "StartTime": instant(&node["startedAt"]), "CompleteTime": instant(&node["finishedAt"]),
            "EventChainId": node["eventChainId"], "ChangeTag": text(&info["ChangeTag"]),
            "ParentTaskKey": text(&node["parentKey"]), "RootTaskKey": text(&node["rootKey"]),
            "ActivationId": text(&info["ActivationId"]),
        },
    })
}

fn items(nodes: &Value) -> Value {
    nodes.as_array().unwrap().iter().map(item).collect()
}

#[tokio::test]
async fn lists_say_what_the_graph_says() {
    on_both(async |t| {
        for (query, number, size, filter) in [
            ("", 1, 500, json!({})),
            ("&page_num=0&page_size=4", 1, 4, json!({})),
            ("&page_num=2&page_size=4", 3, 4, json!({})),
            ("&filter_name=ACTIVE", 1, 500, json!({"text": "ACTIVE"})),
            ("&filter_name=%E6%89%93%E5%BC%80", 1, 500, json!({"text": "打开"})),
            ("&filter_name=unknown", 1, 500, json!({"text": "unknown"})),
            ("&filter_name=administrator", 1, 500, json!({"text": "administrator"})),
            ("&filter_name=100%25", 1, 500, json!({"text": "100%"})),
        ] {
            let path = format!("/v1/vsphere/task/root/list?vsphere_uuid={SECOND}{query}");
            let data: Value = t.call("GET", &path, "viewer").await.json().await.unwrap();
            let variables = json!({"uuid": SECOND, "number": number, "size": size, "filter": filter});
            let graph = in_chinese(&t, document("vsphere.listTasks"), variables).await;
            let page = &graph["vcenter"]["taskPage"];
            let wanted = json!({"total_count": page["totalCount"], "list": items(&page["nodes"])});
            assert_eq!(data["data"], wanted, "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_objects_tasks_are_those_that_the_graph_has_under_it() {
    on_both(async |t| {
        let count = async |above: &str| {
            let path = format!("/v1/vsphere/task/resource/list?vsphere_uuid={SECOND}&reference={above}");
            let data: Value = t.call("GET", &path, "viewer").await.json().await.unwrap();
            let variables = json!({"uuid": SECOND, "size": 500, "filter": {"under": above}});
            let graph = in_chinese(&t, document("vsphere.listResourceTasks"), variables).await;
            let page = &graph["vcenter"]["taskPage"];
            assert_eq!(
                data["data"],
                json!({"total_count": page["totalCount"], "list": items(&page["nodes"])}),
                "{above}"
            );
            data["data"]["total_count"].as_u64().unwrap()
        };
        assert_eq!(count("VirtualMachine:vm-120").await, 3);
        assert_eq!(count("VirtualMachine:vm-119").await, 3);
        assert_eq!(count("HostSystem:host-10").await, 7, "its own, and those on its machines");
        assert_eq!(count("Datacenter:datacenter-2").await, 7);
        assert_eq!(count("Folder:group-d1").await, 8);
        assert_eq!(count("Datastore:datastore-7").await, 0);
        assert_eq!(count("VirtualMachine:vm-nowhere").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_recent_ones_are_those_of_the_graph() {
    on_both(async |t| {
        for (uuid, query, filter) in [
            (FIRST, "", json!({})),
            (SECOND, "", json!({})),
            (SECOND, "&reference=VirtualMachine:vm-119", json!({"under": "VirtualMachine:vm-119"})),
            (SECOND, "&filter_name=windows", json!({"text": "windows"})),
        ] {
            let path = format!("/v1/vsphere/task/root_recent/list?vsphere_uuid={uuid}{query}");
            let data: Value = t.call("GET", &path, "viewer").await.json().await.unwrap();
            let variables = json!({"uuid": uuid, "filter": filter});
            let graph = in_chinese(&t, document("vsphere.listRecentTasks"), variables).await;
            assert_eq!(data["data"], items(&graph["vcenter"]["recentTasks"]), "{uuid} {query}");
        }
    })
    .await;
}

/// The graph looks for texts in the request's language.
async fn in_chinese(t: &crate::compat::bench::Bench, document: &str, variables: Value) -> Value {
    let request = t.client.post(format!("http://{}/graphql", t.address)).bearer_auth(t.token("viewer"));
    let request = request.header("accept-language", "zh").json(&json!({"query": document, "variables": variables}));
    let mut answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].take()
}
