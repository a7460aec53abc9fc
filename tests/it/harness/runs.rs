//! A step that leaves a file for each of its runs, and goes on until it is let: whoever takes a server from under it sees
//! whether it runs again.

use std::path::Path;

use serde_json::{Value, json};

use super::server::{Server, until};

/// Begins it; its task. Its files lie in `folder`.
pub(crate) async fn begin(server: &Server, folder: &Path) -> String {
    let at = folder.display();
    let code = format!("touch {at}/run.$TASKLOOM_RUN; until test -e {at}/go; do sleep 0.05; done");
    let task = server.submit(json!([{"name": "a", "run": {"shell": code}}])).await;
    began(folder, 1).await;
    task
}

/// Waits for its run of this number.
pub(crate) async fn began(folder: &Path, run: u32) {
    let file = folder.join(format!("run.{run}"));
    until(&format!("run {run} has begun"), async || file.exists().then_some(())).await;
}

/// Lets each of its runs end.
pub(crate) fn release(folder: &Path) {
    std::fs::write(folder.join("go"), "").unwrap();
}

/// The attempts of the task's first subtask by their states.
pub(crate) async fn attempts(server: &Server, task: &str) -> Value {
    let document = "query($id: ID!) { task(id: $id) { subtasks { attempts { state } } } }";
    let attempts = server.get(document, json!({"id": task}), "/task/subtasks/0/attempts").await;
    attempts.as_array().unwrap().iter().map(|attempt| attempt["state"].clone()).collect()
}
