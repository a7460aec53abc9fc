//! Lists that stay right: what leaves a list is told like what enters it, from a cursor that a query gave out.

use serde_json::{Value, json};
use taskloom::graphql::event::EVENTS;

use super::bench::{Bench, Caller, until, within};
use super::step::{noop, shell};

stories!(
    what_leaves_a_list_is_told,
    a_deletion_is_always_told,
    progress_is_told_where_it_is_asked_for,
    the_last_step_of_progress_comes_once,
    now_is_before_everything_that_is_read,
    everybody_is_told_what_they_may_do,
    a_failure_says_what_the_program_said_last,
    a_line_tells_its_attempt,
    an_event_is_found_by_its_id,
);

/// What a live list is told, until `last`: kind, state after it, and whether it matches.
async fn told(caller: &Caller, filter: Value, after: &str, last: impl Fn(&str) -> bool) -> Vec<String> {
    let document = "subscription($f: TaskChangeFilter, $after: String) {
        taskChanged(filter: $f, after: $after) { matches task { name } event { kind fromState taskState } } }";
    let word = |data: &Value| {
        let (change, event) = (&data["taskChanged"], &data["taskChanged"]["event"]);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        format!(
            "{} {}>{} {}",
            text(&event["kind"]),
            text(&event["fromState"]),
            text(&event["taskState"]),
            change["matches"]
        )
    };
    let following = caller.follow(document, json!({"f": filter, "after": after}), |data| last(&word(data)));
    within("what is told", following).await.iter().map(word).collect()
}

async fn what_leaves_a_list_is_told(bench: Bench) {
    let first = EVENTS.cursor(0);
    for name in ["seen", "another"] {
        let task = bench.admin.submit(name, &[noop("a")]).await;
        bench.admin.wait(&task, "SUCCESSFUL").await;
    }
    let filter = |states: Value| json!({"tasks": {"name": "seen", "states": states}, "tasksOnly": true});
    let running = told(&bench.admin, filter(json!(["RUNNING"])), &first, |word| word.ends_with("false")).await;
    assert_eq!(running, ["TASK_CHANGED PENDING>RUNNING true", "TASK_CHANGED RUNNING>SUCCESSFUL false"]);
    let pending = told(&bench.admin, filter(json!(["PENDING"])), &first, |word| word.ends_with("false")).await;
    assert_eq!(pending, ["TASK_SUBMITTED ->PENDING true", "TASK_CHANGED PENDING>RUNNING false"]);
    let ended = told(&bench.admin, filter(json!(["SUCCESSFUL"])), &first, |word| word.ends_with("true")).await;
    assert_eq!(ended, ["TASK_CHANGED RUNNING>SUCCESSFUL true"]);
}

async fn a_deletion_is_always_told(bench: Bench) {
    let task = bench.admin.submit("goes", &[noop("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    bench.admin.act("deleteTask", &task).await;
    for filter in
        [json!({"tasks": {"name": "goes"}}), json!({"tasks": {"states": ["FAILED"]}}), json!({"kinds": []}), json!({})]
    {
        let seen = told(&bench.admin, filter.clone(), &EVENTS.cursor(0), |word| word.starts_with("TASK_DELETED")).await;
        assert_eq!(seen.last().unwrap(), "TASK_DELETED SUCCESSFUL>- false", "{filter}");
    }
}

async fn progress_is_told_where_it_is_asked_for(bench: Bench) {
    let go = bench.file("go");
    let code = format!("echo ::progress 0.5 half; until test -e {go}; do sleep 0.02; done");
    let task = bench.admin.submit("moves", &[shell("a", &code)]).await;
    let half = async || (bench.admin.subtask(&task, "a", "progress").await["progress"] == 0.5).then_some(());
    until("half of it", half).await;
    std::fs::write(&go, "").unwrap();
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let ends = |word: &str| word.contains(">SUCCESSFUL");
    let all = told(&bench.admin, json!({}), &EVENTS.cursor(0), ends).await;
    assert!(!all.iter().any(|word| word.starts_with("PROGRESS")), "{all:?}");
    let some = told(&bench.admin, json!({"kinds": ["PROGRESS", "TASK_CHANGED"]}), &EVENTS.cursor(0), ends).await;
    let kinds: Vec<&str> = some.iter().map(|word| word.split(' ').next().unwrap()).collect();
    assert_eq!(kinds, ["TASK_CHANGED", "PROGRESS", "TASK_CHANGED"], "{some:?}");
}

async fn the_last_step_of_progress_comes_once(bench: Bench) {
    let task = bench.admin.submit("ends", &[noop("a"), noop("b").needs("a")]).await;
    let document =
        "subscription($id: ID!, $after: String) { taskProgress(taskId: $id, after: $after) { state progress } }";
    let variables = json!({"id": task, "after": EVENTS.cursor(0)});
    let steps = within("its end", bench.admin.follow(document, variables, |_| false)).await;
    let ended: Vec<&Value> = steps.iter().filter(|step| step["taskProgress"]["state"] == "SUCCESSFUL").collect();
    assert_eq!(ended, [steps.last().unwrap()], "{steps:?}");
    assert_eq!(ended[0]["taskProgress"]["progress"], 1.0);
}

async fn now_is_before_everything_that_is_read(bench: Bench) {
    let task = bench.admin.submit("first", &[noop("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let document = "{ tasks { nodes { name state } } now { time cursor vsphereCursor timeZone version } }";
    // How far the events have been read is known a moment after they are on disk.
    let newest = "{ tasks { nodes { events(last: 1) { pageInfo { endCursor } } } } now { cursor } }";
    until("now is behind the last event", async || {
        let data = bench.admin.get(newest, json!({}), "").await;
        (data["now"]["cursor"] == data["tasks"]["nodes"][0]["events"]["pageInfo"]["endCursor"]).then_some(())
    })
    .await;
    let now = bench.admin.get(document, json!({}), "/now").await;
    assert_eq!(now["version"], env!("CARGO_PKG_VERSION"));
    assert!(
        !now["timeZone"].as_str().unwrap().is_empty() && now["time"].as_str().unwrap().ends_with("+00:00"),
        "{now}"
    );
    let second = bench.admin.submit("second", &[noop("a")]).await;
    bench.admin.wait(&second, "SUCCESSFUL").await;
    let seen = told(&bench.admin, json!({"tasksOnly": true}), now["cursor"].as_str().unwrap(), |word| {
        word.contains(">SUCCESSFUL")
    })
    .await;
    assert_eq!(seen[0], "TASK_SUBMITTED ->PENDING true", "nothing of the first, everything of the second: {seen:?}");
    assert_eq!(seen.len(), 3, "{seen:?}");
    let follow = "subscription($a: String) { vsphereTaskChanged(after: $a) { cursor } }";
    let other = bench.admin.first(follow, json!({"a": now["cursor"]})).await;
    assert_eq!(other["errors"][0]["extensions"]["code"], "INVALID_CURSOR", "of another log");
}

async fn everybody_is_told_what_they_may_do(bench: Bench) {
    let task = bench.admin.submit("t", &[shell("a", "exit 3")]).await;
    bench.admin.wait(&task, "FAILED").await;
    let make = "mutation { createToken(input: {name: \"v\", role: VIEWER}) { secret } }";
    let secret = bench.admin.get(make, json!({}), "/createToken/secret").await;
    let viewer = bench.caller(secret.as_str().unwrap());
    let document = "query($id: ID!) { viewer { role user { name } tenants { name } }
        task(id: $id) { availableOperations subtasks { availableOperations } } }";
    let admins = bench.admin.get(document, json!({"id": task}), "").await;
    assert_eq!(admins["viewer"]["role"], "ADMIN");
    assert!(admins["task"]["availableOperations"].as_array().unwrap().contains(&json!("RETRY")), "{admins}");
    let viewers = viewer.get(document, json!({"id": task}), "").await;
    let who = json!({"role": "VIEWER", "user": {"name": "admin"}, "tenants": admins["viewer"]["tenants"]});
    assert_eq!(viewers["viewer"], who, "what the token lets, not what its user may");
    assert_eq!(viewers["task"], json!({"availableOperations": [], "subtasks": [{"availableOperations": []}]}));
}

async fn a_failure_says_what_the_program_said_last(bench: Bench) {
    let code = "echo to the log; echo first >&2; echo 'psql: 连接被拒绝' >&2; echo >&2; exit 3";
    let task = bench.admin.submit("t", &[shell("a", code), shell("b", "exit 4")]).await;
    bench.admin.wait(&task, "FAILED").await;
    let message = async |name| bench.admin.subtask(&task, name, "message").await["message"].clone();
    assert_eq!(message("a").await, "exit status 3: psql: 连接被拒绝");
    assert_eq!(message("b").await, "exit status 4");
}

async fn a_line_tells_its_attempt(bench: Bench) {
    let task = bench.admin.submit("t", &[shell("a", "echo one; echo two; exit 3")]).await;
    bench.admin.wait(&task, "FAILED").await;
    bench.admin.act("retryTask", &task).await;
    let attempts = async || {
        let fields = "attempts { number state } log { lines { attempt text } } logTail { lines { attempt } }";
        let a = bench.admin.subtask(&task, "a", fields).await;
        (a["attempts"].as_array().unwrap().len() == 2 && a["attempts"][1]["state"] == "FAILED").then_some(a)
    };
    let a = until("the second attempt", attempts).await;
    let lines: Vec<String> = a["log"]["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{} {}", line["attempt"], line["text"]))
        .collect();
    assert_eq!(lines, ["1 \"one\"", "1 \"two\"", "2 \"one\"", "2 \"two\""]);
    assert_eq!(a["logTail"]["lines"].as_array().unwrap().last().unwrap()["attempt"], 2);
}

async fn an_event_is_found_by_its_id(bench: Bench) {
    let task = bench.admin.submit("t", &[noop("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let page = "query($id: ID!, $last: Int, $before: String) { task(id: $id) {
        events(last: $last, before: $before) { nodes { id kind } pageInfo { startCursor hasPreviousPage } } } }";
    let newest = bench.admin.get(page, json!({"id": task, "last": 1}), "/task/events").await;
    let id = &newest["nodes"][0]["id"];
    let found = bench
        .admin
        .get("query($id: ID!) { node(id: $id) { id ... on TaskEvent { kind taskId } } }", json!({"id": id}), "/node")
        .await;
    assert_eq!(found, json!({"id": id, "kind": newest["nodes"][0]["kind"], "taskId": task}));
    assert_eq!(newest["pageInfo"]["hasPreviousPage"], true);
    let before = json!({"id": task, "before": newest["pageInfo"]["startCursor"]});
    let others = bench.admin.get(page, before, "/task/events/nodes").await;
    assert!(
        others.as_array().unwrap().iter().all(|event| event["id"] != *id) && others[0]["kind"] == "TASK_SUBMITTED",
        "{others}"
    );
}
