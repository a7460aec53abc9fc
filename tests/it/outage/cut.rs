//! The answer to a COMMIT is lost: the database has done it, and the server cannot know. Nothing is stuck for that,
//! nothing is there twice, and who asked is told the truth.

use serde_json::{Value, json};

use super::attempts;
use crate::harness::cut::{FailPoint, Moment, Proxy, Which};
use crate::harness::postgres;
use crate::harness::server::{SUBMIT, Server, until};

/// What a step says while it runs.
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

const CLAIM: &str = "INSERT INTO attempt";
const END: &str = "UPDATE attempt SET state";
const LOG: &str = "INSERT INTO \"log_chunk\"";
const TOLD: &str = "INSERT INTO task_event";
const SUBMITTED: &str = "INSERT INTO \"task\"";

/// The COMMIT of the `nth` transaction in which a statement begins so.
fn commit_of(part: &'static str, nth: usize, moment: Moment) -> FailPoint {
    FailPoint { which: Which::CommitOf(part), nth, moment }
}

/// Whatever is lost of it, each step runs once, says each line once, and everything is told once.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_changes_nothing_of_a_task() {
    let story = begin().await;
    let server = &story.server;
    let untouched = all_of(server, &run(server, "untouched").await).await;
    assert_eq!(untouched["lines"], json!(["one", "look", "two"]));
    assert_eq!(untouched["events"].to_string().matches("WARNING").count(), 1, "{untouched}");
    for (part, nth) in [(CLAIM, 0), (CLAIM, 1), (END, 0), (END, 1), (LOG, 0), (LOG, 1), (TOLD, 1), (TOLD, 2)] {
        for moment in [Moment::After, Moment::Before] {
            let point = format!("{part} {nth} {moment:?}");
            story.proxy.arm(commit_of(part, nth, moment));
            let task = run(server, &point).await;
            assert!(story.proxy.disarm(), "{point}: there was no such COMMIT");
            assert_eq!(all_of(server, &task).await, untouched, "{point}\n{}", server.log());
        }
    }
}

/// Runs a task to its end.
async fn run(server: &Server, key: &str) -> String {
    let steps = [("a", json!({"shell": TALK}), json!([])), ("b", json!({"noop": {}}), json!(["a"]))];
    let steps: Vec<Value> =
        steps.map(|(name, run, needs)| json!({"name": name, "run": run, "needs": needs})).into_iter().collect();
    let input = json!({"spec": {"name": "t", "subtasks": steps}, "idempotencyKey": key});
    let task = until("it is accepted", async || {
        let answer = server.ask(SUBMIT, json!({"input": input})).await;
        let code = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str);
        assert!(matches!(code, None | Some("OUTCOME_UNKNOWN" | "DATABASE_UNAVAILABLE")), "{answer}");
        Some(answer.pointer("/data/submitTask/task/id")?.as_str().unwrap().to_owned())
    })
    .await;
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL").await;
    task
}

/// What can be seen of a task, but for ids and instants.
async fn all_of(server: &Server, task: &str) -> Value {
    let document = "query($id: ID!) { task(id: $id) {
        subtasks { runs progress message attempts { number state exitCode message } log { lines { text } } }
        events(first: 200) { nodes { kind taskState subtaskState operation message actor } } } }";
    let found = server.get(document, json!({"id": task}), "/task").await;
    let lines = found.pointer("/subtasks/0/log/lines").unwrap().as_array().unwrap();
    let lines: Vec<&Value> = lines.iter().map(|line| &line["text"]).collect();
    // Work that was seen by one cycle or by two is told in another order.
    let mut events: Vec<String> = found["events"]["nodes"].as_array().unwrap().iter().map(Value::to_string).collect();
    events.sort();
    json!({"lines": lines, "events": events, "subtasks": found["subtasks"]})
}

/// Who asked is told that nobody knows, and not when to come again; with the key it is done once, however that was.
#[tokio::test(flavor = "multi_thread")]
async fn who_asked_is_told_that_nobody_knows() {
    let story = begin().await;
    let server = &story.server;
    let cases = [(Moment::After, "OUTCOME_UNKNOWN"), (Moment::Before, "OUTCOME_UNKNOWN")];
    for (number, (moment, code)) in cases.into_iter().enumerate() {
        let key = format!("{moment:?}");
        story.proxy.arm(commit_of(SUBMITTED, 0, moment));
        let refused = server.try_submit(&key).await.unwrap_err();
        assert_eq!((&refused["code"], &refused["retryAfterSeconds"]), (&json!(code), &Value::Null), "{refused}");
        let task = server.try_submit(&key).await.unwrap();
        server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
        let count = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
        assert_eq!(count, json!(number + 1));
    }
    // Before the COMMIT it is known that nothing was done.
    story.proxy.arm(FailPoint { which: Which::Statement(SUBMITTED), nth: 0, moment: Moment::After });
    let refused = server.try_submit("early").await.unwrap_err();
    super::assert_passing(server, &refused);
    let count = server.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(count, json!(2));
}

/// Changes of other kinds, and the old clients' envelopes.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_said_to_be_unknown_in_every_envelope() {
    let story = begin().await;
    let server = &story.server;
    let nowhere = json!([{"name": "a", "run": {"noop": {}}, "workers": ["nowhere"]}]);
    let task = server.submit(nowhere).await;
    story.proxy.arm(commit_of("INSERT INTO \"audit\"", 0, Moment::After));
    let cancel = "mutation($id: ID!) { cancelTask(input: {id: $id}) { task { state } } }";
    let answer = server.ask(cancel, json!({"id": task})).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "OUTCOME_UNKNOWN", "{answer}");
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("it may have been done"), "{answer}");
    assert_eq!(server.states(&task).await, "CANCELED: a FAILED", "it was done");

    let task = server.submit(json!([{"name": "a", "run": {"shell": "exit 1"}}])).await;
    server.wait(&task, "FAILED: a FAILED").await;
    let number =
        server.get("query($id: ID!) { task(id: $id) { databaseId } }", json!({"id": task}), "/task/databaseId");
    let path = format!("/api/v2/tasks/instances/{}/retry", number.await);
    story.proxy.arm(commit_of("INSERT INTO \"audit\"", 0, Moment::After));
    let request = server.request("POST", &path).basic_auth("admin", Some(crate::harness::server::PASSWORD));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().get("retry-after").is_none(), "nobody is to send it again unseen");
    let answer: Value = answer.json().await.unwrap();
    assert!(answer.to_string().contains("it may have been done"), "{answer}");
    let again = json!(["FAILED", "FAILED"]);
    until("it was done", async || (attempts(server, &task).await == again).then_some(())).await;
}
