//! A character that no text may hold, said at every door: refused or not found, never our own fault, and no alarm rings.

use serde_json::{Value, json};

use crate::engine::bench::Bench;
use crate::engine::step::{noop, shell, spec};

stories!(
    every_text_of_every_query_may_hold_a_nul,
    changes_refuse_a_nul_by_its_path,
    nobody_signs_in_with_a_nul,
    old_clients_are_refused_in_their_words,
);

const ALARM: &str = "taskloom_log_messages_total{level=\"error\"}";

const ARGUMENTS: &str = "{ __schema { queryType { fields { name args { name type { ...t } } } } types { name inputFields { \
    name type { ...t } } } } } fragment t on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// The name of a type within its lists and marks, and whether it is a list.
fn named(kind: &Value) -> (String, bool) {
    let (mut at, mut list) = (kind, false);
    while !at["ofType"].is_null() {
        list |= at["kind"] == "LIST";
        at = &at["ofType"];
    }
    (at["name"].as_str().unwrap_or_default().to_owned(), list)
}

/// A value of this type with a NUL in each text of it, one at a time.
fn poisoned(schema: &Value, kind: &Value, depth: usize) -> Vec<Value> {
    let (name, list) = named(kind);
    let wrap = |value: Value| if list { json!([value]) } else { value };
    if matches!(name.as_str(), "String" | "ID" | "JSON") {
        return vec![wrap(json!("a\0"))];
    }
    let types = schema["types"].as_array().unwrap();
    let Some(fields) = types.iter().find(|it| it["name"] == name.as_str()).and_then(|it| it["inputFields"].as_array())
    else {
        return vec![];
    };
    if depth == 0 {
        return vec![];
    }
    let inner = fields.iter().flat_map(|field| {
        let key = field["name"].as_str().unwrap().to_owned();
        poisoned(schema, &field["type"], depth - 1).into_iter().map(move |value| json!({ key.clone(): value }))
    });
    inner.map(wrap).collect()
}

async fn every_text_of_every_query_may_hold_a_nul(bench: Bench) {
    let schema = bench.admin.get(ARGUMENTS, json!({}), "/__schema").await;
    let mut asked = 0;
    for field in schema["queryType"]["fields"].as_array().unwrap() {
        for argument in field["args"].as_array().unwrap() {
            let (field, name) = (field["name"].as_str().unwrap(), argument["name"].as_str().unwrap());
            let (kind, list) = named(&argument["type"]);
            let kind = if list { format!("[{kind}!]") } else { kind };
            for value in poisoned(&schema, &argument["type"], 2) {
                let document = format!("query($v: {kind}) {{ {field}({name}: $v) {{ __typename }} }}");
                let code = bench.admin.refused(&document, json!({"v": value})).await["code"].clone();
                assert_eq!(code, "INVALID_INPUT", "{document} {value}");
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "{asked} texts were asked for");
    // Written into the document, raw or escaped.
    for text in ["a\\u0000", "a\\u{0}", "a\0"] {
        let document = format!("{{ tasks(filter: {{name: \"{text}\"}}) {{ nodes {{ id }} }} }}");
        let code = bench.admin.refused(&document, json!({})).await["code"].clone();
        assert!(code == "INVALID_INPUT" || code == "BAD_REQUEST", "{document:?}: {code}");
    }
    assert_eq!(bench.admin.metrics().await[ALARM], 0.0);
}

async fn changes_refuse_a_nul_by_its_path(bench: Bench) {
    let submit = "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { id } } }";
    let good = spec("good", &[noop("a")]);
    let inputs = [
        json!({"spec": spec("a\0", &[noop("a")])}),
        json!({"spec": spec("x", &[shell("a", "echo \0")])}),
        json!({"spec": good, "parameters": {"list": [{"deep": "\0"}]}}),
        json!({"spec": good, "parameters": {"na\0me": 1}}),
        json!({"spec": good, "idempotencyKey": "\0"}),
        json!({"spec": good, "name": "a\0"}),
        json!({"spec": good, "labels": [{"key": "k", "value": "\0"}]}),
    ];
    for input in inputs {
        let refused = bench.admin.refused(submit, json!({"input": input})).await;
        assert_eq!(refused["code"], "INVALID_INPUT", "{input}");
    }
    // YAML has escapes of its own: what they make is named by its line.
    let text = "name: y\nsubtasks:\n  - name: a\n    run: {shell: \"echo \\0\"}\n";
    let refused = bench.admin.refused(submit, json!({"input": {"source": text}})).await;
    assert_eq!((&refused["code"], &refused["faults"][0]["line"]), (&json!("INVALID_SPEC"), &json!(4)), "{refused}");
    assert_eq!(bench.admin.metrics().await[ALARM], 0.0);
}

async fn nobody_signs_in_with_a_nul(bench: Bench) {
    let login = "mutation($input: LoginInput!) { login(input: $input) { user { name } } }";
    let code = bench.admin.refused(login, json!({"input": {"name": "a\0", "password": "x"}})).await["code"].clone();
    assert!(code == "INVALID_INPUT" || code == "BAD_CREDENTIALS", "{code}");
    let client = reqwest::Client::new();
    for path in ["/graphql", "/api/v2/tasks/instances", "/api/rest_j/v1/jobhistory/list"] {
        for (name, password) in [("a\0", "x"), ("\0", "x"), ("a", "x\0")] {
            let request = client.post(bench.admin.url("/graphql")).body(r#"{"query":"{me{name}}"}"#);
            let request = if path == "/graphql" { request } else { client.get(bench.admin.url(path)) };
            let request = request.header("content-type", "application/json").basic_auth(name, Some(password));
            assert_eq!(request.send().await.unwrap().status(), 401, "{path} {name:?}");
        }
    }
    let linkis = client.post(bench.admin.url("/api/rest_j/v1/user/login"));
    let body = json!({"userName": "a\0", "password": "x"}).to_string();
    let answer = linkis.header("content-type", "application/json").body(body).send().await.unwrap();
    assert!(answer.status().is_client_error() || answer.status() == 200, "{}", answer.status());
    let said: Value = answer.json().await.unwrap();
    assert_ne!(said["status"], json!(0), "{said}");
    assert_eq!(bench.admin.metrics().await[ALARM], 0.0);
}

async fn old_clients_are_refused_in_their_words(bench: Bench) {
    let asked = [
        ("/api/v2/tasks/instances?taskName=a%00", 400),
        ("/api/v2/tasks/instances?name=a%00", 400),
        ("/api/v2/tasks/instances?clusterName=a%00", 400),
        ("/api/v2/tasks/instances/a%00", 400),
        ("/api/rest_j/v1/jobhistory/list?creator=a%00", 400),
        ("/api/rest_j/v1/entrance/a%00/status", 400),
        ("/api/rest_j/v1/filesystem/openFile?path=a%00", 400),
        ("/vsphere/tasks?name=a%00", 400),
    ];
    for (path, at_least) in asked {
        let answer =
            reqwest::Client::new().get(bench.admin.url(path)).bearer_auth(bench.admin.token()).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        // Some dialects say every refusal under 200; none may say that it is our fault.
        assert!(status < 500 && (status == 200 || status >= at_least), "{path}: {status} {text}");
        assert!(!text.contains("INTERNAL") && !text.contains("internal error"), "{path}: {text}");
    }
    assert_eq!(bench.admin.metrics().await[ALARM], 0.0);
}
