//! Linkis's jobs, history, results and logs.

use chrono::{DateTime, FixedOffset};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taskloom::gql::id::encode;

use super::document;
use crate::compat::bench::{Bench, on_both};
use crate::compat::seed::TASKS;

const PREFIX: &str = "/api/rest_j/v1";
const INSTANCE: &str = "127.0.0.1:8080";

async fn envelope(t: &Bench, path: &str) -> Value {
    t.call("GET", &format!("{PREFIX}{path}"), "admin").await.json().await.unwrap()
}

/// The `data` of a route's answer that must be a good one.
async fn data(t: &Bench, path: &str) -> Value {
    let mut answer = envelope(t, path).await;
    assert_eq!(answer["status"], 0, "{path}: {answer}");
    answer["data"].take()
}

/// The task that an operation's document shows.
async fn shown(t: &Bench, operation: &str, n: i64) -> Value {
    let mut found = t.ask(document(operation), json!({"databaseId": n}), "admin").await;
    found["task"].take()
}

fn steps(task: &Value) -> &Vec<Value> {
    task["subtasks"].as_array().unwrap()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn status(task: &Value) -> &'static str {
    let any = |is: &dyn Fn(&Value) -> bool| steps(task).iter().any(is);
    let ready = |step: &Value| step["state"] == "READY";
    let backs_off =
        |step: &Value| ready(step) && step["waitingFor"].as_array().is_some_and(|reasons| !reasons.is_empty());
    let late = |step: &Value| {
        let last = step["attempts"].as_array().and_then(|attempts| attempts.last().cloned());
        last.is_some_and(|attempt| attempt["state"] == "TIMED_OUT")
    };
    match text(task, "/state") {
        "PENDING" if any(&ready) => "Scheduled",
        "PENDING" => "Inited",
        "RUNNING" if any(&backs_off) => "WaitForRetry",
        "RUNNING" | "PAUSED" | "CANCELING" => "Running",
        "SUCCESSFUL" => "Succeed",
        "FAILED" if any(&late) => "Timeout",
        "FAILED" => "Failed",
        "CANCELED" | "ROLLED_BACK" => "Cancelled",
        other => panic!("no such state: {other}"),
    }
}

fn ended(task: &Value) -> bool {
    !["PENDING", "RUNNING", "PAUSED", "CANCELING"].contains(&text(task, "/state"))
}

fn progress(task: &Value) -> f64 {
    if ended(task) { 1.0 } else { task["progress"].as_f64().unwrap() }
}

/// The application that the job was submitted by.
fn creator(task: &Value) -> &str {
    task["submission"]["linkis.creator"].as_str().unwrap_or("IDE")
}

fn short_id(task: &Value) -> String {
    format!("{}_{}_{}", creator(task), text(task, "/creator/name"), task["databaseId"])
}

fn exec_id(task: &Value) -> String {
    format!("exec_id018014linkis-cg-entrance{INSTANCE}{}", short_id(task))
}

/// Milliseconds of an instant.
fn epoch(at: &Value) -> Option<i64> {
    at.as_str().map(|at| DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis())
}

fn accepted(task: &Value) -> String {
    let zone = FixedOffset::east_opt(8 * 3600).unwrap();
    let at = DateTime::parse_from_rfc3339(text(task, "/createdAt")).unwrap().with_timezone(&zone);
    format!(
        "{} INFO Your job is accepted,  jobID is {} and taskID is {} in linkis-cg-entrance. Please wait it to be scheduled",
        at.format("%Y-%m-%d %H:%M:%S%.3f"),
        exec_id(task),
        task["databaseId"]
    )
}

/// The four texts of a log without a line that names another level.
fn four(lines: &[String]) -> Value {
    let all = lines.join("\n");
    json!(["", "", all, all])
}

fn infos(task: &Value) -> Vec<Value> {
    let begun = steps(task).iter().filter(|step| step["runs"] != 0);
    let is = |step: &Value, states: &[&str]| i32::from(states.contains(&text(step, "/state")));
    let info = |step: &Value| {
        json!({
            "id": step["databaseId"].to_string(), "succeedTasks": is(step, &["SUCCESSFUL"]),
            "failedTasks": is(step, &["FAILED"]), "runningTasks": is(step, &["RUNNING", "CANCELING"]), "totalTasks": 1,
        })
    };
    begun.map(info).collect()
}

fn history(task: &Value, now: i64) -> Value {
    let (id, status) = (task["databaseId"].as_i64().unwrap(), status(task));
    let first = &steps(task)[0];
    let engine = first["executor"].as_str().unwrap().to_lowercase();
    let worker = steps(task).iter().rev().find_map(|step| step["worker"].as_str());
    let failed = ["Failed", "Cancelled", "Timeout"].contains(&status);
    let reason = task["message"].as_str().or_else(|| steps(task).iter().find_map(|step| step["message"].as_str()));
    let reason = reason.map_or_else(|| format!("the job is {status}"), str::to_owned);
    let created = epoch(&task["createdAt"]).unwrap();
    let finished = epoch(&task["finishedAt"]);
    let said = |key: &str| task["submission"][key].as_str();
    let object = |key: &str| match &task["submission"][key] {
        Value::Null => "{}".to_owned(),
        value => value.to_string(),
    };
    json!({
        "taskID": id, "instance": INSTANCE, "execId": short_id(task), "umUser": task["creator"]["name"],
        "engineInstance": worker, "progress": format!("{:?}", progress(task)),
        "logPath": format!("taskloom:/jobs/{id}/log"),
        "resultLocation": (task["state"] != "PENDING").then(|| format!("taskloom:/jobs/{id}/result")),
        "status": status, "createdTime": created,
        "updatedTime": finished.or_else(|| epoch(&task["startedAt"])).unwrap_or(created),
        "costTime": (finished.unwrap_or(now) - created).max(0),
        "engineType": said("linkis.engineType").map_or(&*engine, |kind| kind.split('-').next().unwrap()),
        "errCode": if failed { 21304 } else { 0 }, "errDesc": if failed { reason } else { String::new() },
        "executeApplicationName": said("executeApplicationName").unwrap_or(&engine),
        "requestApplicationName": said("requestApplicationName").unwrap_or(creator(task)),
        "runType": said("linkis.runType").unwrap_or(&engine),
        "paramsJson": object("params"), "strongerExecId": exec_id(task), "sourceJson": object("source"),
        "executionCode": text(task, "/submission/executionContent/code"),
    })
}

/// The instant at which the clock of these servers stands: when anything was submitted just now.
async fn now(t: &Bench) -> i64 {
    epoch(&shown(t, "linkis.getTask", submit(t).await).await["createdAt"]).unwrap()
}

/// Submits a job with everything that a client can say; the number of its task.
async fn submit(t: &Bench) -> i64 {
    let body = json!({
        "executionContent": {"code": "echo 安装 ${day}", "runType": "shell"},
        "params": {"variable": {"day": "monday"}, "configuration": {"runtime": {"k": "v"}}},
        "source": {"scriptPath": "/脚本.sh"}, "labels": {"engineType": "shell-1", "userCreator": "admin-Visualis"},
    });
    let request = t.client.post(format!("http://{}{PREFIX}/entrance/submit", t.address)).bearer_auth(t.token("admin"));
    let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
    answer["data"]["taskID"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn where_a_job_stands_is_what_the_graph_says() {
    on_both(async |t| {
        let submitted = submit(&t).await;
        for n in (1..=TASKS).chain([submitted]) {
            let task = shown(&t, "linkis.status", n).await;
            let wanted = json!({"status": status(&task), "execID": exec_id(&task)});
            assert_eq!(data(&t, &format!("/entrance/{n}/status")).await, wanted, "{n}");

            let task = shown(&t, "linkis.progressWithResource", n).await;
            let wanted = json!({"progress": progress(&task), "execID": exec_id(&task), "progressInfo": infos(&task)});
            assert_eq!(data(&t, &format!("/entrance/{n}/progress")).await, wanted, "{n}");
            let old = data(&t, &format!("/entrance/{}/progressWithResource", exec_id(&task))).await;
            let running = steps(&task).iter().find(|step| ["RUNNING", "CANCELING"].contains(&text(step, "/state")));
            let resource = running.map_or(&Value::Null, |step| &step["usage"]);
            assert_eq!((&old["resource"], &old["progressInfo"]), (resource, &wanted["progressInfo"]), "{n}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_history_is_the_graphs_tasks() {
    on_both(async |t| {
        let now = now(&t).await;
        let list = data(&t, "/jobhistory/list?isAdminView=true&pageSize=1000").await;
        let page = t.ask(document("linkis.listTasks"), json!({"size": 200}), "admin").await;
        let nodes = page["taskPage"]["nodes"].as_array().unwrap();
        let wanted: Vec<Value> = nodes.iter().map(|task| history(task, now)).collect();
        assert_eq!(list["tasks"], json!(wanted));
        assert_eq!((&list["totalPage"], nodes.len()), (&page["taskPage"]["totalCount"], 101));
        for task in nodes {
            let n = task["databaseId"].as_i64().unwrap();
            let wanted = history(&shown(&t, "linkis.getTask", n).await, now);
            assert_eq!(data(&t, &format!("/jobhistory/{n}/get")).await["task"], wanted);
        }
        for (query, filter) in [
            ("creator=Visualis", json!({"labels": [{"key": "linkis.creator", "value": "Visualis"}]})),
            ("taskID=7", json!({"ids": [encode("Task", 7).to_string()]})),
        ] {
            let old = data(&t, &format!("/jobhistory/list?isAdminView=true&pageSize=1000&{query}")).await;
            let new = t.ask(document("linkis.listTasks"), json!({"size": 200, "filter": filter}), "admin").await;
            let nodes = new["taskPage"]["nodes"].as_array().unwrap();
            let wanted: Vec<Value> = nodes.iter().map(|task| history(task, now)).collect();
            assert!(!wanted.is_empty(), "{query} finds something");
            assert_eq!(old["tasks"], json!(wanted), "{query}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_status_finds_what_is_shown_by_it_and_nothing_else() {
    on_both(async |t| {
        let tx = t.app.store.begin().await.unwrap();
        for sql in [
            "UPDATE attempt SET state = 'TIMED_OUT' WHERE subtask_id = 61",
            "UPDATE subtask SET state = 'READY', not_before = 1 WHERE id = 22",
            "UPDATE subtask SET state = 'PENDING' WHERE task_id = 9",
        ] {
            tx.execute_unprepared(sql).await.unwrap();
        }
        tx.commit().await.unwrap();
        let page = t.ask(document("linkis.listTasks"), json!({"size": 200}), "admin").await;
        let nodes = page["taskPage"]["nodes"].as_array().unwrap();
        let all = ["Inited", "WaitForRetry", "Scheduled", "Running", "Succeed", "Failed", "Cancelled", "Timeout"];
        for words in all.iter().map(|word| vec![*word]).chain([vec!["Inited", "Timeout"], all.to_vec()]) {
            let shown = nodes.iter().filter(|task| words.contains(&status(task)));
            let shown: Vec<&Value> = shown.map(|task| &task["databaseId"]).collect();
            assert!(!shown.is_empty(), "there is one for {words:?}");
            let list =
                data(&t, &format!("/jobhistory/list?isAdminView=true&pageSize=1000&status={}", words.join(","))).await;
            let found = list["tasks"].as_array().unwrap().iter();
            let found: Vec<&Value> = found.map(|task| &task["taskID"]).collect();
            assert_eq!((found, &list["totalPage"]), (shown.clone(), &json!(shown.len())), "{words:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn logs_and_results_are_the_graphs() {
    on_both(async |t| {
        for n in 1..=TASKS {
            let task = shown(&t, "linkis.log", n).await;
            let mut lines = vec![accepted(&task)];
            for step in steps(&task) {
                let own = step["log"]["lines"].as_array().unwrap().iter();
                lines.extend(own.map(|line| text(line, "/text").to_owned()));
            }
            let old = data(&t, &format!("/entrance/{n}/log?fromLine=0&size=-1")).await;
            let wanted = json!({"log": four(&lines), "execID": exec_id(&task), "fromLine": lines.len() + 1});
            assert_eq!(old, wanted, "{n}");

            let task = shown(&t, "linkis.openLog", n).await;
            let mut lines = vec![accepted(&task)];
            for step in steps(&task) {
                let own = step["logTail"]["lines"].as_array().unwrap().iter();
                lines.extend(own.map(|line| text(line, "/text").to_owned()));
            }
            let old = data(&t, &format!("/filesystem/openLog?path=taskloom:/jobs/{n}/log")).await;
            assert_eq!(old, json!({"log": four(&lines)}), "{n}");
            results(&t, n).await;
        }
    })
    .await;
}

/// A script's result are the lines of its standard output.
async fn results(t: &Bench, n: i64) {
    let task = shown(t, "linkis.getDirFileTrees", n).await;
    let first = &steps(&task)[0];
    let folder = format!("taskloom:/jobs/{n}/result");
    let modified = epoch(&task["finishedAt"]).or_else(|| epoch(&task["createdAt"])).unwrap();
    let leaf = json!({
        "name": "_0.dolphin", "path": format!("{folder}/_0.dolphin"), "isLeaf": true, "parentPath": folder,
        "properties": {"size": first["logBytes"].to_string().trim_matches('"'), "modifytime": modified.to_string()},
        "children": null,
    });
    let children = if first["runs"] == 0 { vec![] } else { vec![leaf] };
    let old = data(t, &format!("/filesystem/getDirFileTrees?path={folder}")).await;
    assert_eq!(old["dirFileTrees"]["children"], json!(children), "{n}");

    let path = format!("/filesystem/openFile?path={folder}/_0.dolphin");
    if children.is_empty() {
        assert_eq!(envelope(t, &path).await["status"], 1, "{n}");
        return;
    }
    let task = shown(t, "linkis.openFile", n).await;
    let lines = steps(&task)[0]["log"]["lines"].as_array().unwrap().iter();
    let rows: Vec<_> = lines.filter(|line| line["source"] == "STDOUT").map(|line| json!([line["text"]])).collect();
    let old = data(t, &path).await;
    assert_eq!((&old["fileContent"], &old["totalLine"]), (&json!(rows), &json!(rows.len())), "{n}");
}

/// Two servers with the same tasks: one is steered by the old routes, one by the graph. Both are left the same.
#[tokio::test]
async fn a_change_is_the_graphs_change() {
    for (operation, verb, field) in
        [("linkis.kill", "kill", "/cancelTask/task"), ("linkis.pause", "pause", "/pauseTask/task")]
    {
        let (old, new) = (Bench::sqlite().await, Bench::sqlite().await);
        for n in 1..=24 {
            let was = shown(&old, "linkis.status", n).await["state"].take();
            let answered = envelope(&old, &format!("/entrance/{n}/{verb}")).await;
            let input = json!({"input": {"id": encode("Task", n).to_string()}});
            let changed = new.answer(document(operation), input, "admin").await;
            let task = changed.pointer(&format!("/data{field}")).filter(|task| !task.is_null());
            match task {
                Some(task) => assert_eq!(answered["data"], json!({"execID": exec_id(task)}), "{verb} {n}: {answered}"),
                // The old route pauses what is paused already, and says that it did.
                None if verb == "pause" && was == "PAUSED" => assert_eq!(answered["status"], 0, "{n}: {answered}"),
                None => assert_eq!(answered["status"], 1, "{verb} {n}: {answered} {changed}"),
            }
            let [old, new] = [shown(&old, "linkis.getTask", n).await, shown(&new, "linkis.getTask", n).await];
            assert_eq!(old, new, "{verb} {n} afterwards");
        }
    }
    let (old, new) = (Bench::sqlite().await, Bench::sqlite().await);
    let ids: Vec<i64> = (1..=TASKS).collect();
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    let request = old.client.post(format!("http://{}{PREFIX}/entrance/0/killJobs", old.address));
    let body = json!({"idList": texts, "taskIDList": ids});
    let answer: Value = request.bearer_auth(old.token("admin")).json(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["messages"].as_array().unwrap().len(), ids.len(), "{answer}");
    let ids: Vec<String> = ids.iter().map(|n| encode("Task", *n).to_string()).collect();
    new.ask(document("linkis.killJobs"), json!({"filter": {"ids": ids}}), "admin").await;
    for n in 1..=TASKS {
        let [old, new] = [shown(&old, "linkis.getTask", n).await, shown(&new, "linkis.getTask", n).await];
        assert_eq!(old, new, "{n} afterwards");
    }
}
