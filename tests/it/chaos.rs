//! The server is killed at random moments while tasks are submitted and run: nothing that was accepted is lost, nothing
//! is stuck, and every attempt is accounted for. A short form runs with all tests; `TASKLOOM_CHAOS=full` is the long one.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod statement;

use crate::harness::{postgres, wait};

const PASSWORD: &str = "chaos password";
const SUBMIT: &str = "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { databaseId } } }";
const ENDED: &str = "{ tasks(filter: {states: [SUCCESSFUL]}) { totalCount } }";
const ATTEMPTS: &str = "query($after: String) { tasks(first: 50, after: $after) { pageInfo { hasNextPage endCursor } \
                        nodes { databaseId state subtasks { state runs attempts { state } } } } }";

/// How much of it.
struct Size {
    kills: usize,
    tasks: usize,
}

fn size() -> Size {
    match std::env::var("TASKLOOM_CHAOS").as_deref() {
        Ok("full") => Size { kills: 200, tasks: 5_000 },
        _ => Size { kills: 5, tasks: 60 },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_sqlite() {
    story(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_postgresql() {
    let database = postgres::database().await;
    story(Some(database.url.clone())).await;
}

async fn story(database: Option<String>) {
    let size = size();
    let mut server = Server::new(database);
    server.start().await;
    let mut accepted = BTreeSet::new();
    let (mut tried, mut kills, mut moments) = (0, 0, Moments(0x2545_f491_4f6c_dd1d));
    let mut kill_at = Instant::now() + moments.next();
    while accepted.len() < size.tasks || kills < size.kills {
        if kills < size.kills && Instant::now() >= kill_at {
            server.kill();
            server.start().await;
            kills += 1;
            kill_at = Instant::now() + moments.next();
        }
        if accepted.len() < size.tasks {
            // The same key until it is answered: what was accepted before a kill is the same task after it.
            if let Some(id) = server.submit(tried).await {
                accepted.insert(id);
                tried += 1;
            }
        }
    }
    assert_eq!(accepted.len(), size.tasks, "each key is a task of its own");
    server.until_ended(size.tasks).await;
    server.account_for(&accepted).await;
}

/// Random moments that a failing run can repeat.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(200 + self.0 % 1500)
    }
}

struct Server {
    folder: tempfile::TempDir,
    database: Option<String>,
    child: Option<Child>,
    address: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    fn new(database: Option<String>) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), database, child: None, address: String::new(), client }
    }

    async fn start(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_taskloom"));
        // A port of its own each time: while a server is away, anybody's connection may get its port.
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(self.folder.path().join("data"));
        if let Some(url) = &self.database {
            command.args(["--database-url", url]);
        }
        command.env_remove("TASKLOOM_CHAOS").env("TASKLOOM_ADMIN_PASSWORD", PASSWORD);
        let log = self.folder.path().with_extension("log");
        command.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
        self.child = Some(command.spawn().unwrap());
        let answers = async || {
            let said = std::fs::read_to_string(&log).unwrap();
            let gone = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(gone.is_none(), "no answer after a kill: {gone:?}\n{said}");
            self.address = said.split_once("GraphQL at http://")?.1.split_once('/')?.0.to_owned();
            self.ask(ENDED, json!({})).await.map(drop)
        };
        wait::until_within(Duration::from_secs(30), "an answer after a kill", answers).await;
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// The answer's data; none when the server was killed in the middle.
    async fn ask(&self, query: &str, variables: Value) -> Option<Value> {
        let request = self.client.post(format!("http://{}/graphql", self.address)).basic_auth("admin", Some(PASSWORD));
        let answer = request.json(&json!({"query": query, "variables": variables})).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        assert!(answer.get("errors").is_none(), "{answer}");
        Some(answer["data"].clone())
    }

    async fn submit(&self, number: usize) -> Option<i64> {
        let subtasks = json!([
            {"name": "a", "run": {"noop": {}}},
            {"name": "b", "needs": ["a"], "run": {"shell": "true"}},
            {"name": "c", "needs": ["b"], "run": {"noop": {"sleep": "20ms"}}},
        ]);
        let input = json!({"spec": {"name": "chaos", "subtasks": subtasks}, "idempotencyKey": format!("key {number}")});
        let data = self.ask(SUBMIT, json!({"input": input})).await?;
        data["submitTask"]["task"]["databaseId"].as_i64()
    }

    async fn until_ended(&self, tasks: usize) {
        // What a dead server ran is taken again within 20 s; the rest is work, as long as it goes on.
        let mut ended = 0;
        while ended < tasks as u64 {
            let more = async || {
                let now = self.ask(ENDED, json!({})).await.unwrap()["tasks"]["totalCount"].as_u64().unwrap();
                (now > ended).then_some(now)
            };
            let came = wait::attempt_within(Duration::from_secs(60), more).await;
            ended = came.unwrap_or_else(|| panic!("{ended} of {tasks} tasks have ended: the others are stuck"));
        }
    }

    async fn account_for(&self, accepted: &BTreeSet<i64>) {
        let (mut seen, mut after) = (BTreeSet::new(), Value::Null);
        loop {
            let page = self.ask(ATTEMPTS, json!({"after": after})).await.unwrap()["tasks"].clone();
            for task in page["nodes"].as_array().unwrap() {
                seen.insert(task["databaseId"].as_i64().unwrap());
                for subtask in task["subtasks"].as_array().unwrap() {
                    account(subtask);
                }
            }
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(&seen, accepted, "what is there is what was accepted");
    }
}

/// Every run is an attempt; one succeeded, all others were lost.
fn account(subtask: &Value) {
    let states: Vec<&str> =
        subtask["attempts"].as_array().unwrap().iter().map(|attempt| attempt["state"].as_str().unwrap()).collect();
    assert_eq!(subtask["runs"].as_u64().unwrap(), states.len() as u64, "{subtask}");
    assert_eq!(states.iter().filter(|state| **state == "SUCCESSFUL").count(), 1, "{subtask}");
    assert_eq!(states.iter().filter(|state| **state == "LOST").count(), states.len() - 1, "{subtask}");
}
