//! What is asked is answered: left out is not null, a bulk change says what it wants, a cursor belongs to its list.

use serde_json::{Value, json};
use taskloom::graphql::event::EVENTS;

use super::bench::{Bench, Caller, SUBMIT};
use super::step::{noop, shell, spec};

stories!(
    an_absent_variable_is_an_absent_argument,
    an_absent_variable_changes_nothing_that_is_kept,
    a_bulk_change_says_what_it_wants,
    an_empty_list_is_held_by_none,
    a_cursor_belongs_to_its_list,
    one_thing_is_named_in_one_way,
    what_is_not_there_leaves_the_rest_of_an_answer,
    the_audit_log_tells_what_was_asked_for,
);

async fn tasks(admin: &Caller, names: &[&str]) -> Vec<String> {
    let mut all = vec![];
    for name in names {
        let task = admin.submit(name, &[noop("a")]).await;
        admin.wait(&task, "SUCCESSFUL").await;
        all.push(task);
    }
    all
}

async fn names(admin: &Caller) -> Vec<String> {
    let all = admin.get("{ tasks { nodes { name } } }", json!({}), "/tasks/nodes").await;
    all.as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap().to_owned()).collect()
}

async fn an_absent_variable_is_an_absent_argument(bench: Bench) {
    tasks(&bench.admin, &["one", "two"]).await;
    let page = "query($n: Int, $size: Int, $f: TaskFilter, $d: Boolean) {
        taskPage(number: $n, size: $size, filter: $f, order: [{field: NAME, descending: $d}]) { number size nodes { name } } }";
    let usual = json!({"number": 1, "size": 20, "nodes": [{"name": "two"}, {"name": "one"}]});
    assert_eq!(bench.admin.get(page, json!({}), "/taskPage").await, usual, "the defaults hold");
    let null = json!({"n": null, "size": null, "f": null, "d": null});
    assert_eq!(bench.admin.get(page, null, "/taskPage").await, usual, "so they do for null");
    let given = bench.admin.get(page, json!({"n": 2, "size": 1, "d": false}), "/taskPage").await;
    assert_eq!(given, json!({"number": 2, "size": 1, "nodes": [{"name": "two"}]}));

    let within = "query($first: Int, $n: String) { tasks(first: $first, filter: {name: $n}) { ...T } }
        fragment T on TaskConnection { nodes { name events(first: $first) { nodes { kind } } } }";
    let all = bench.admin.get(within, json!({}), "/tasks/nodes").await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let one = bench.admin.get(within, json!({"first": 1, "n": "ON"}), "/tasks/nodes").await;
    assert_eq!(one[0]["name"], "one");

    let needed = bench.admin.refused("query($id: ID!) { task(id: $id) { id } }", json!({})).await;
    assert_eq!(needed["code"], "INVALID_INPUT");
    for wrong in [
        "query($n: Int) { taskPage(nomber: $n) { number } }",
        "query($n: Int) { taskPage(filter: {nome: $n}) { number } }",
        "query($n: Int, $m: Int) { taskPage(number: $n) { number } }",
    ] {
        let refused = bench.admin.refused(wrong, json!({})).await;
        assert_eq!(refused["code"], "BAD_REQUEST", "it is checked as it was written: {wrong}");
    }
    let listed = "query($id: ID) { tasks(filter: {ids: [$id]}) { nodes { id } } }";
    assert_eq!(
        bench.admin.refused(listed, json!({})).await["code"],
        "INVALID_INPUT",
        "an item of a list stays, as null"
    );
}

async fn an_absent_variable_changes_nothing_that_is_kept(bench: Bench) {
    let token = "mutation($e: DateTime) { createToken(input: {name: \"t\", role: VIEWER, expiresAt: $e}) { token { expiresAt } } }";
    let expires = async |variables| bench.admin.get(token, variables, "/createToken/token/expiresAt").await;
    assert_ne!(expires(json!({})).await, Value::Null, "as the server is set up");
    let never = bench.admin.ask(token, json!({"e": null})).await;
    assert!(
        never["errors"][0]["message"].as_str().unwrap().contains("ends no later"),
        "never, of a token that ends: {never}"
    );

    let put = "mutation($p: String, $u: String) { putDataSource(input: {name: \"d\", kind: POSTGRESQL, host: \"h\", database: \"x\",
        user: $u, password: $p}) { dataSource { hasPassword user } } }";
    let kept = async |variables| bench.admin.get(put, variables, "/putDataSource/dataSource").await;
    let with = json!({"hasPassword": true, "user": "u"});
    assert_eq!(kept(json!({"p": "secret", "u": "u"})).await, with);
    assert_eq!(kept(json!({"u": "u"})).await, with, "left out: as it was");
    assert_eq!(kept(json!({"u": "u", "p": null})).await, json!({"hasPassword": false, "user": "u"}));
}

async fn a_bulk_change_says_what_it_wants(bench: Bench) {
    tasks(&bench.admin, &["keep", "drop a", "drop b"]).await;
    let delete = "mutation($f: TaskFilter, $ids: [ID!], $s: [TaskState!], $all: Boolean, $dry: Boolean) {
        deleteTasks(filter: $f, all: $all, dryRun: $dry) { count hasMore tasks { name } refused { id } }
        cancelTasks(filter: {ids: $ids, states: $s}, dryRun: true) { count } }";
    for filter in [
        json!(null),
        json!({}),
        json!({"states": []}),
        json!({"ids": []}),
        json!({"name": ""}),
        json!({"labels": null}),
        json!({"name": null, "types": [], "labels": [], "creator": ""}),
    ] {
        let refused = bench.admin.refused(delete, json!({"f": filter, "s": ["FAILED"]})).await;
        assert_eq!(refused["code"], "INVALID_INPUT", "{filter}");
    }
    for verb in ["deleteTasks", "cancelTasks", "pauseTasks", "resumeTasks", "retryTasks", "rollbackTasks"] {
        let silent = format!("mutation($ids: [ID!]) {{ {verb}(filter: {{ids: $ids}}) {{ count }} }}");
        assert_eq!(bench.admin.refused(&silent, json!({})).await["code"], "INVALID_INPUT", "{verb}");
        let nothing = format!("mutation {{ {verb} {{ count }} }}");
        assert_eq!(bench.admin.refused(&nothing, json!({})).await["code"], "INVALID_INPUT", "{verb}");
        let both = format!("mutation {{ {verb}(all: true, filter: {{name: \"a\"}}) {{ count }} }}");
        assert_eq!(bench.admin.refused(&both, json!({})).await["code"], "INVALID_INPUT", "{verb}");
        let counted =
            format!("mutation {{ {verb}(all: true, filter: {{}}, dryRun: true) {{ count tasks {{ id }} }} }}");
        let counted = bench.admin.get(&counted, json!({}), &format!("/{verb}")).await;
        assert_eq!(counted, json!({"count": 3, "tasks": []}), "{verb}");
    }
    assert_eq!(names(&bench.admin).await.len(), 3, "nothing was changed");

    let some = json!({"f": {"name": "DROP"}, "s": ["FAILED"]});
    let gone = bench.admin.get(delete, some, "/deleteTasks").await;
    let wanted =
        json!({"count": 2, "hasMore": false, "tasks": [{"name": "drop a"}, {"name": "drop b"}], "refused": []});
    assert_eq!(gone, wanted);
    assert_eq!(names(&bench.admin).await, ["keep"]);
    let all = bench.admin.get(delete, json!({"all": true, "s": ["FAILED"]}), "/deleteTasks/count").await;
    assert_eq!((all, names(&bench.admin).await.len()), (json!(1), 0));
}

async fn an_empty_list_is_held_by_none(bench: Bench) {
    tasks(&bench.admin, &["one"]).await;
    for filter in ["{states: []}", "{types: []}", "{ids: []}", "{labels: []}"] {
        let document = format!(
            "{{ tasks(filter: {filter}) {{ totalCount nodes {{ id }} }} allTasks(filter: {filter}) {{ totalCount }}
                taskPage(filter: {filter}) {{ totalCount }} }}"
        );
        let found = bench.admin.get(&document, json!({}), "").await;
        let none = json!({"tasks": {"totalCount": 0, "nodes": []}, "allTasks": {"totalCount": 0}, "taskPage": {"totalCount": 0}});
        assert_eq!(found, none, "{filter}");
    }
    for filter in ["{states: []}", "{ids: []}", "{operations: []}", "{reasons: []}"] {
        let document = format!("{{ vsphereTasks(filter: {filter}) {{ totalCount }} }}");
        assert_eq!(bench.admin.get(&document, json!({}), "/vsphereTasks/totalCount").await, 0, "{filter}");
    }
    let count = |document| bench.admin.get(document, json!({}), "/allTasks/totalCount");
    assert_eq!(count("{ allTasks(origins: []) { totalCount } }").await, 0);
    assert_eq!(count("{ allTasks(origins: null) { totalCount } }").await, 1);
}

async fn a_cursor_belongs_to_its_list(bench: Bench) {
    tasks(&bench.admin, &["one", "two"]).await;
    let lists = [
        ("tasks", ""),
        ("tasks", "order: {field: NAME}"),
        ("tasks", "order: {field: NAME, descending: false}"),
        ("tasks", "order: {field: FINISHED_AT}"),
        ("tasks", "order: {field: PRIORITY}"),
        ("tasks", "order: {field: OUTCOME}"),
        ("allTasks", ""),
        ("allTasks", "order: {field: FINISHED_AT}"),
        ("users", ""),
        ("audit", ""),
        ("tenants", ""),
    ];
    let mut cursors = vec![];
    for (field, order) in lists {
        let document = format!("{{ {field}(first: 1, {order}) {{ pageInfo {{ endCursor }} }} }}");
        cursors.push(bench.admin.get(&document, json!({}), &format!("/{field}/pageInfo/endCursor")).await);
    }
    let events = bench
        .admin
        .get(
            "{ tasks { nodes { events { pageInfo { endCursor } } } } }",
            json!({}),
            "/tasks/nodes/0/events/pageInfo/endCursor",
        )
        .await;
    for text in ["", "***", "event:1", "ZXZlbnQ6MA", "MQ", "WyIxIiwxXQ", "\u{0}a"] {
        cursors.push(json!(text));
    }
    cursors.push(events);
    for (at, (field, order)) in lists.iter().enumerate() {
        let document = format!(
            "query($a: String) {{ after: {field}(after: $a, {order}) {{ pageInfo {{ endCursor }} }}
                before: {field}(before: $a, {order}) {{ pageInfo {{ endCursor }} }} }}"
        );
        for (of, cursor) in cursors.iter().enumerate() {
            let answer = bench.admin.ask(&document, json!({"a": cursor})).await;
            let code = answer.pointer("/errors/0/extensions/code").cloned().unwrap_or_default();
            let wanted = match cursor.as_str() {
                Some(text) if text.contains('\u{0}') => json!("INVALID_INPUT"),
                _ if at == of => Value::Null,
                _ => json!("INVALID_CURSOR"),
            };
            assert_eq!(code, wanted, "{field} {order} behind {cursor}: {answer}");
        }
    }
    let follow = "subscription($a: String) { taskChanged(after: $a) { cursor } }";
    for cursor in cursors[..cursors.len() - 1].iter().chain([&json!(EVENTS.cursor(1 << 40))]) {
        let answer = bench.admin.first(follow, json!({"a": cursor})).await;
        let code = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str);
        assert!(matches!(code, Some("INVALID_CURSOR" | "INVALID_INPUT")), "{cursor}: {answer}");
    }
}

async fn one_thing_is_named_in_one_way(bench: Bench) {
    let task = bench.admin.submit("one", &[shell("a", "exit 3")]).await;
    bench.admin.wait(&task, "FAILED").await;
    let document = "query($id: ID!) { task(id: $id) { databaseId subtasks { databaseId } } }";
    let found = bench.admin.get(document, json!({"id": task}), "/task").await;
    let (task_number, subtask_number) = (&found["databaseId"], &found["subtasks"][0]["databaseId"]);

    let retry = "mutation($i: RetryTaskInput!) { retryTask(input: $i) { task { id } } }";
    for input in [json!({}), json!({"id": task, "databaseId": task_number}), json!({"id": null, "databaseId": null})] {
        assert_eq!(bench.admin.refused(retry, json!({"i": input})).await["code"], "INVALID_INPUT", "{input}");
    }
    let by_number = bench.admin.get(retry, json!({"i": {"databaseId": task_number}}), "/retryTask/task/id").await;
    assert_eq!(by_number, json!(task));
    bench.admin.wait(&task, "FAILED").await;
    let skip = "mutation($i: SkipSubtaskInput!) { skipSubtask(input: $i) { subtask { state } } }";
    let skipped =
        bench.admin.get(skip, json!({"i": {"databaseId": subtask_number}}), "/skipSubtask/subtask/state").await;
    assert_eq!(skipped, "SUCCESSFUL");
}

async fn what_is_not_there_leaves_the_rest_of_an_answer(bench: Bench) {
    let document = "{ task(databaseId: 77) { id } subtask(databaseId: 77) { id } definition(name: \"none\") { id }
        vsphereTask(databaseId: 77) { id } user(databaseId: 77) { id } tenant(databaseId: 77) { id } vcenter(uuid: \"none\") { id }
        me { name } }";
    let answer = bench.admin.ask(document, json!({})).await;
    let mut codes: Vec<String> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            assert_ne!(error["extensions"]["remedy"].as_str().unwrap_or_default(), "", "{error}");
            format!("{} {}", error["path"][0].as_str().unwrap(), error["extensions"]["code"].as_str().unwrap())
        })
        .collect();
    codes.sort();
    assert_eq!(
        codes,
        [
            "definition DEFINITION_NOT_FOUND",
            "subtask SUBTASK_NOT_FOUND",
            "task TASK_NOT_FOUND",
            "tenant TENANT_NOT_FOUND",
            "user USER_NOT_FOUND",
            "vcenter VCENTER_NOT_FOUND",
            "vsphereTask VSPHERE_TASK_NOT_FOUND"
        ]
    );
    assert_eq!(answer["data"]["task"], Value::Null);
    assert_eq!(answer["data"]["me"], json!({"name": "admin"}), "{answer}");
}

async fn the_audit_log_tells_what_was_asked_for(bench: Bench) {
    let save = "mutation($s: SpecInput!) { saveDefinition(input: {spec: $s}) { definition { id databaseId } } }";
    let kept = bench.admin.get(save, json!({"s": spec("kept", &[noop("a")])}), "/saveDefinition/definition").await;
    let submit = json!({"input": {"definitionId": kept["id"], "name": "named"}});
    let task = bench.admin.get(SUBMIT, submit, "/submitTask/task").await;
    bench.admin.wait(task["id"].as_str().unwrap(), "SUCCESSFUL").await;
    bench
        .admin
        .get("mutation { deleteTasks(filter: {name: \"named\", states: [SUCCESSFUL]}) { count } }", json!({}), "")
        .await;
    let log = "{ audit(filter: {actor: \"admin\"}) { nodes { action object detail } } }";
    let rows = bench.admin.get(log, json!({}), "/audit/nodes").await;
    let row = |action: &str, object: &str| {
        let found = rows.as_array().unwrap().iter().find(|row| row["action"] == action && row["object"] == object);
        found.unwrap_or_else(|| panic!("no {action} {object} in {rows}"))["detail"].clone()
    };
    let object = format!("task:{}", task["databaseId"]);
    let of = |state: &str| json!({"name": "named", "definition": kept["databaseId"], "state": state});
    assert_eq!(row("task.submit", &object), of("PENDING"));
    assert_eq!(row("task.delete", &object), of("SUCCESSFUL"));
    assert_eq!(row("task.delete", "tasks"), json!({"filter": {"name": "named", "states": ["SUCCESSFUL"]}}));
}
