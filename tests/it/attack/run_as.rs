//! A step that names its user: who may write that, whom it may name, and that nobody becomes somebody by it.

use nix::unistd::geteuid;
use serde_json::{Value, json};

use super::bench::user_token;
use crate::harness::server::{Server, until};

const SUBMIT: &str = "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { id } } }";
const KEEP: &str = "mutation($input: SaveDefinitionInput!) { saveDefinition(input: $input) { definition { id } } }";

fn spec(user: &str) -> Value {
    json!({"name": "who", "subtasks": [{"name": "a", "run": {"shell": "id -un; id -gn"}, "runAs": user}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_run_as_the_user_whom_an_admin_has_named() {
    let folder = tempfile::tempdir().unwrap();
    if !geteuid().is_root() {
        // Another user is root's to become: the definition is accepted, and the step says what is missing.
        let server = Server::start(&folder.path().join("data"), &[]).await;
        return assert!(fate(&server, SUBMIT, json!({"spec": spec("nobody")})).await.contains("worker.users"));
    }
    let server = Server::start(&folder.path().join("data"), &[("WORKER__USERS", "nobody")]).await;
    assert!(server.log().contains("as nobody where they name that user"), "{}", server.log());
    assert_eq!(fate(&server, SUBMIT, json!({"spec": spec("nobody")})).await, "nobody\nnogroup");
    let refused = fate(&server, SUBMIT, json!({"spec": spec("daemon")})).await;
    assert!(refused.contains("as the user daemon") && refused.contains("worker.users"), "{refused}");

    let manager = user_token(&server, "mia", "MANAGER").await;
    for document in [SUBMIT, KEEP] {
        for input in [json!({"spec": spec("nobody")}), json!({"source": spec("nobody").to_string()})] {
            let answer = asked(&server, Some(&manager), document, &input).await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
        }
    }
    let kept = asked(&server, None, KEEP, &json!({"spec": spec("nobody")})).await;
    let kept = kept.pointer("/data/saveDefinition/definition/id").unwrap_or_else(|| panic!("{kept}"));
    let used = asked(&server, Some(&manager), SUBMIT, &json!({"definitionId": kept})).await;
    assert_eq!(said(&server, &used).await, "nobody\nnogroup");
}

/// What a submission of the administrator's comes to: its output, or its message.
async fn fate(server: &Server, document: &str, input: Value) -> String {
    let answer = asked(server, None, document, &input).await;
    said(server, &answer).await
}

async fn said(server: &Server, submitted: &Value) -> String {
    let id = submitted.pointer("/data/submitTask/task/id").unwrap_or_else(|| panic!("{submitted}"));
    let document = "query($id: ID!) { task(id: $id) { state subtasks { message log { lines { text } } } } }";
    let ended = until("the task ends", async || {
        let task = server.get(document, json!({"id": id}), "/task").await;
        ["SUCCESSFUL", "FAILED"].iter().any(|end| task["state"] == *end).then_some(task)
    });
    let subtask = ended.await["subtasks"][0].clone();
    let lines = subtask["log"]["lines"].as_array().unwrap().iter();
    let lines: Vec<&str> = lines.map(|line| line["text"].as_str().unwrap()).collect();
    subtask["message"].as_str().map_or_else(|| lines.join("\n"), str::to_owned)
}

async fn asked(server: &Server, token: Option<&str>, document: &str, input: &Value) -> Value {
    let body = json!({"query": document, "variables": {"input": input}});
    match token {
        None => server.ask(document, json!({"input": input})).await,
        Some(token) => {
            let request = server.request("POST", "/graphql").bearer_auth(token).json(&body);
            request.send().await.unwrap().json().await.unwrap()
        }
    }
}
