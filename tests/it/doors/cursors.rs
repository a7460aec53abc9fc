//! Subscriptions lose nothing and repeat nothing: npm `graphql-ws` and `graphql-sse` are cut fifty times each, and the
//! server is stopped once and killed once, while a log of ten thousand lines and all changes of tasks pass.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cli::taskloom;
use crate::harness::{postgres, wait};

const PASSWORD: &str = "cursors password";
const CUTS: u64 = 50;
const ROUNDS: usize = 110;
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_on_sqlite() {
    story(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_on_postgresql() {
    let database = postgres::database().await;
    story(Some(database.url.clone())).await;
}

async fn story(database: Option<String>) {
    let mut server = Server::new(database);
    server.start().await;
    let token = server.get("mutation { createToken(input: {name: \"t\", role: VIEWER}) { secret } }", json!({})).await;
    let token = token["createToken"]["secret"].as_str().unwrap().to_owned();
    let first = server.submit("first", json!([{"name": "a", "run": {"noop": {}}}])).await.unwrap();
    server.until_all_ended().await;
    let begin = server.events(&first).await.pop().unwrap()["cursor"].as_str().unwrap().to_owned();
    let enough = server.folder.path().join("enough");
    let talker = server.submit("talker", talker(server.folder.path(), &enough)).await.unwrap();
    let subtask = server.get(SUBTASKS, json!({"id": talker})).await["task"]["subtasks"][0]["id"].clone();
    let subtask = subtask.as_str().unwrap();

    let mut tasks = vec![talker];
    let mut node = Clients::start(&[&server.address, &token, subtask, &begin, &CUTS.to_string()]);
    let (mut cuts, mut restarts) = ([0, 0], 0);
    let deadline = Instant::now() + 2 * PATIENCE;
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    while cuts.iter().any(|count| *count < CUTS) {
        assert!(Instant::now() < deadline, "{cuts:?} cuts: they do not come back");
        tokio::select! {
            line = node.line() => {
                let at = usize::from(line["cut"] == "sse");
                cuts[at] = line["count"].as_u64().unwrap_or_else(|| panic!("not a cut: {line}"));
            }
            _ = pace.tick() => {}
        }
        // Something changes all the time.
        let name = format!("task {}", tasks.len());
        tasks.extend(server.submit(&name, steps(tasks.len())).await);
        if cuts[0] > [CUTS / 3, CUTS * 2 / 3, CUTS][restarts] {
            server.end([Signal::SIGTERM, Signal::SIGKILL][restarts]);
            server.start().await;
            restarts += 1;
        }
    }
    assert_eq!(restarts, 2);
    std::fs::write(&enough, "").unwrap();
    server.until_all_ended().await;
    tasks.extend(server.submit("last", steps(1)).await);
    let seen = node.line().await;

    let lines = server.lines(subtask).await;
    assert!(lines.len() >= 10_000, "{} lines", lines.len());
    let mut events = vec![];
    for task in &tasks {
        events.extend(server.events(task).await);
    }
    events.sort_by_key(|event| place(&event["cursor"]));
    assert!(events.len() >= 500, "{} events of {} tasks", events.len(), tasks.len());
    for client in ["ws", "sse"] {
        same(client, "lines", &seen[client]["lines"], &lines);
        same(client, "events", &seen[client]["events"], &events);
    }
}

/// Shows where they differ, not all of both.
fn same(client: &str, what: &str, seen: &Value, stored: &[Value]) {
    let seen = seen.as_array().unwrap();
    let differs = seen.iter().zip(stored).position(|(seen, stored)| seen != stored);
    let at = differs.unwrap_or(seen.len().min(stored.len()));
    let (has, wants) = (seen.get(at), stored.get(at));
    assert!(seen == stored, "{client}: {} of {} {what}; at {at} {has:?}, not {wants:?}", seen.len(), stored.len());
}

/// The number in an event's cursor.
fn place(cursor: &Value) -> i64 {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor.as_str().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()[1].as_i64().unwrap()
}

/// Says a hundred lines again and again, until enough are said and enough was cut. After a restart it goes on.
fn talker(folder: &Path, enough: &Path) -> Value {
    let (said, enough) = (folder.join("said").display().to_string(), enough.display());
    let code = format!(
        "n=$(cat {said} 2>/dev/null || echo 0)
        while [ \"$n\" -lt {ROUNDS} ] || [ ! -e {enough} ]; do
            seq \"$((n * 100 + 1))\" \"$((n * 100 + 100))\"; n=$((n + 1)); echo \"$n\" > {said}; sleep 0.1
        done"
    );
    json!([{"name": "a", "run": {"shell": code}}])
}

/// Most end well, some fail, and some say that they move, which is no change.
fn steps(number: usize) -> Value {
    match number % 10 {
        0 => json!([{"name": "a", "run": {"shell": "echo ::warning careful; exit 3"}}]),
        5 => json!([{"name": "a", "run": {"shell": "echo ::progress 0.5 half"}}]),
        _ => json!([{"name": "a", "run": {"noop": {}}}, {"name": "b", "needs": ["a"], "run": {"noop": {}}}]),
    }
}

/// The script with both clients.
struct Clients {
    _child: tokio::process::Child,
    lines: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Clients {
    fn start(arguments: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let mut command = tokio::process::Command::new("node");
        command.current_dir(folder).arg("resume.mjs").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().expect("node starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, lines }
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("the clients say something");
        let line = line.unwrap().expect("the clients did not fail");
        serde_json::from_str(&line).expect("JSON")
    }
}

const SUBTASKS: &str = "query($id: ID!) { task(id: $id) { subtasks { id } } }";
const SUBMIT: &str = "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { id } } }";
const OPEN: &str = "{ tasks(filter: {states: [PENDING, RUNNING, PAUSED, CANCELING]}) { totalCount } }";
const EVENTS: &str = "query($id: ID!) { task(id: $id) { events(first: 1000) { pageInfo { hasNextPage } nodes {
    cursor at kind taskId subtaskId attemptId taskState subtaskState operation message actor } } } }";
const LINES: &str = "query($id: ID!, $from: BigInt!) { subtask(id: $id) { log(from: $from, limit: 5000) {
    nextLine lines { number time level source text } } } }";

/// The real server, ended and started again on the same data and port.
struct Server {
    folder: tempfile::TempDir,
    database: Option<String>,
    child: Option<Child>,
    address: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Signal::SIGKILL);
    }
}

impl Server {
    fn new(database: Option<String>) -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        Self { folder: tempfile::tempdir().unwrap(), database, child: None, address, client }
    }

    /// Starts it on its port: as often as need be, since a client somewhere else may hold that port for a moment.
    async fn start(&mut self) {
        self.child = Some(self.spawn());
        let answers = async || {
            if self.ask(OPEN, json!({})).await.is_some() {
                return Some(());
            }
            if self.child.as_mut().is_none_or(|child| child.try_wait().unwrap().is_some()) {
                self.child = Some(self.spawn());
            }
            None
        };
        let answered = wait::attempt_within(PATIENCE, answers).await;
        assert!(answered.is_some(), "the server does not answer:\n{}", self.log());
    }

    fn spawn(&self) -> Child {
        let mut command: Command = taskloom();
        command.args(["serve", "--listen", &self.address, "--data-dir"]).arg(self.folder.path().join("data"));
        if let Some(url) = &self.database {
            command.args(["--database-url", url]);
        }
        command.env("TASKLOOM_ADMIN_PASSWORD", PASSWORD).env("TASKLOOM_WORKER__SHUTDOWN_GRACE", "100ms");
        command.env("TASKLOOM_WORKER__LEASE", "3s").env("TASKLOOM_WORKER__RENEW", "1s");
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    }

    /// The last of what it has said.
    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    fn end(&mut self, signal: Signal) {
        if let Some(mut child) = self.child.take() {
            kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
            child.wait().unwrap();
        }
    }

    /// The answer's data; none when the server is away.
    async fn ask(&self, query: &str, variables: Value) -> Option<Value> {
        let request = self.client.post(format!("http://{}/graphql", self.address)).basic_auth("admin", Some(PASSWORD));
        let answer = request.json(&json!({"query": query, "variables": variables})).send().await.ok()?;
        let answer: Value = answer.json().await.ok()?;
        assert!(answer.get("errors").is_none(), "{answer}");
        Some(answer["data"].clone())
    }

    async fn get(&self, query: &str, variables: Value) -> Value {
        self.ask(query, variables).await.expect("the server answers")
    }

    /// The id of a new task.
    async fn submit(&self, name: &str, steps: Value) -> Option<String> {
        let input = json!({"spec": {"name": name, "subtasks": steps}, "idempotencyKey": name});
        let data = self.ask(SUBMIT, json!({"input": input})).await?;
        data["submitTask"]["task"]["id"].as_str().map(str::to_owned)
    }

    async fn until_all_ended(&self) {
        let open = async || self.get(OPEN, json!({})).await["tasks"]["totalCount"].clone();
        wait::until_within(PATIENCE, "all tasks end", async || (open().await == 0).then_some(())).await;
    }

    /// Every recorded change of a task.
    async fn events(&self, task: &str) -> Vec<Value> {
        let events = self.get(EVENTS, json!({"id": task})).await["task"]["events"].clone();
        assert_eq!(events["pageInfo"]["hasNextPage"], false);
        let nodes = events["nodes"].as_array().unwrap().clone();
        nodes.into_iter().filter(|event| event["kind"] != "PROGRESS").collect()
    }

    /// Every line of a log.
    async fn lines(&self, subtask: &str) -> Vec<Value> {
        let (mut all, mut from) = (vec![], json!(1));
        loop {
            let log = self.get(LINES, json!({"id": subtask, "from": from})).await["subtask"]["log"].clone();
            let lines = log["lines"].as_array().unwrap().clone();
            if lines.is_empty() {
                return all;
            }
            all.extend(lines);
            from = log["nextLine"].clone();
        }
    }
}
