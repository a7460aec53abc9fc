//! The answer to a COMMIT is lost: the database has done it, and the server cannot know. Nothing is stuck for that,
//! nothing is there twice, and who asked is told the truth.

use serde_json::{Value, json};

use super::attempts;
use crate::harness::cut::{FailPoint, Moment, Proxy, Which};
use crate::harness::postgres;
use crate::harness::server::{SUBMIT, Server, until};

/// What a step writes while it runs.
const TALK: &str = "echo one; echo '::warning look'; sleep 0.3; echo two; echo '::output k=v'";

struct Story {
    server: Server,
    proxy: Proxy,
    _kept: (postgres::Database, tempfile::TempDir),
}

async fn begin() -> Story {
    let database = postgres::database().await;
    let proxy = Proxy::before(&database.url).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [("DATABASE_URL", proxy.url.as_str()), ("DATABASE__ACQUIRE_TIMEOUT", "2s")];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    Story { server, proxy, _kept: (database, folder) }
}

/// The `nth` COMMIT of its kind: it is told by how one of its statements begins.
fn commit_of(part: &'static str, nth: usize, moment: Moment) -> FailPoint {
    FailPoint { which: Which::CommitOf(part), nth, moment }
}

const CLAIM: &str = "INSERT INTO attempt";
const END: &str = "UPDATE attempt SET state";
const LOG: &str = "INSERT INTO \"log_chunk\"";
const TOLD: &str = "INSERT INTO task_event";
const SUBMITTED: &str = "INSERT INTO \"task\"";

/// Whatever is lost of it, the step runs once, says each line once, and each event is told once.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_changes_nothing_of_a_task() {
    let story = begin().await;
    let server = &story.server;
    let mut whole: Option<Value> = None;
    let points = [(CLAIM, 0), (END, 0), (LOG, 0), (LOG, 1), (TOLD, 1), (TOLD, 2), (CLAIM, 1)];
    for (part, nth) in points {
        for moment in [Moment::After, Moment::Before] {
            story.proxy.arm(commit_of(part, nth, moment));
            let steps = json!([{"name": "a", "run": {"shell": TALK}}, {"name": "b", "needs": ["a"], "run": {"noop": {}}}]);
            let task = submit_anyway(server, &format!("{part} {nth} {moment:?}"), &steps).await;
            server.wait(&task, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL").await;
            until("the answer was lost", async || story.proxy.has_cut().then_some(())).await;
            assert_eq!(attempts(server, &task).await, json!(["SUCCESSFUL"]), "{part} {nth} {moment:?}");
            let all = all_of(server, &task).await;
            assert_eq!(&all, whole.get_or_insert_with(|| all.clone()), "{part} {nth} {moment:?}\n{}", server.log());
        }
    }
    let whole = whole.unwrap();
    assert_eq!(whole["lines"], json!(["one", "look", "two"]));
    assert_eq!(whole["warnings"], json!(1));
}

/// Lines, and how many events of each kind there are.
async fn all_of(server: &Server, task: &str) -> Value {
    let document = "query($id: ID!) { task(id: $id) { progress subtasks { runs outputs log { lines { text } } }
        events(first: 200) { nodes { __typename } } } }";
    let found = server.get(document, json!({"id": task}), "/task").await;
    let lines = found.pointer("/subtasks/0/log/lines").unwrap().as_array().unwrap();
    let lines: Vec<&Value> = lines.iter().map(|line| &line["text"]).collect();
    json!({"lines": lines, "found": found})
}

async fn submit_anyway(server: &Server, key: &str, steps: &Value) -> String {
    let input = json!({"spec": {"name": key, "subtasks": steps}, "idempotencyKey": key});
    until("it is accepted", async || {
        let answer = server.ask(SUBMIT, json!({"input": input})).await;
        let id = answer.pointer("/data/submitTask/task/id").map(|id| id.as_str().unwrap().to_owned());
        let code = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str);
        assert!(id.is_some() || matches!(code, Some("OUTCOME_UNKNOWN" | "DATABASE_UNAVAILABLE")), "{answer}");
        id
    })
    .await
}
