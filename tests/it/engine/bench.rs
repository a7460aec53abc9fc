//! A whole server in this process on a database of its own, and callers of its graph.

use std::time::Duration;

use serde_json::{Value, json};
use taskloom::config::{self, Flag, Settings, Sources};
use taskloom::server::{self, RunningServer};

use super::metric::{Samples, parse};
use super::step::{Step, spec};
use crate::harness::{postgres, wait};

/// How long a story waits for anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// A server and its administrator.
pub(crate) struct Bench {
    pub(crate) settings: Settings,
    pub(crate) admin: Caller,
    running: Option<RunningServer>,
    folder: tempfile::TempDir,
    _database: Option<postgres::Database>,
}

impl Bench {
    pub(crate) async fn sqlite() -> Self {
        Self::start(None).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::start(Some(postgres::database().await)).await
    }

    /// The same with settings of its own, on PostgreSQL.
    pub(crate) async fn postgres_with(settings: &[(&'static str, &str)]) -> (Self, String) {
        let database = postgres::database().await;
        let url = database.url.clone();
        (Self::start_with(Some(database), settings).await, url)
    }

    /// The tenant of everything here.
    pub(crate) async fn tenant(&self) -> Value {
        self.admin.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes/0/id").await
    }

    /// A server with settings of its own.
    pub(crate) async fn with(settings: &[(&'static str, &str)]) -> Self {
        Self::start_with(None, settings).await
    }

    async fn start(database: Option<postgres::Database>) -> Self {
        Self::start_with(database, &[]).await
    }

    async fn start_with(database: Option<postgres::Database>, more: &[(&'static str, &str)]) -> Self {
        // What the server says of itself stands beside a story that fails.
        let _ = tracing_subscriber::fmt().with_test_writer().with_max_level(tracing::Level::WARN).try_init();
        let folder = tempfile::tempdir().unwrap();
        let flag = |name, key, value: &str| Flag { name, key, value: value.to_owned() };
        let mut flags = vec![
            flag("--listen", "server.listen", "127.0.0.1:0"),
            flag("--shutdown-grace", "worker.shutdown_grace", "1ms"),
            flag("--grace", "worker.grace", "1s"),
        ];
        flags.extend(database.as_ref().map(|database| flag("--database-url", "database.url", &database.url)));
        flags.extend(more.iter().map(|(key, value)| flag("--more", key, value)));
        let sources = Sources { data_dir: folder.path().join("data"), flags, ..Sources::default() };
        let mut settings = config::load(&sources).unwrap().settings;
        // This process is the tests', which runs no statements.
        settings.program = env!("CARGO_BIN_EXE_taskloom").into();
        let running = server::start(settings.clone()).await.unwrap();
        let admin = Caller::of(&running).await;
        Self { settings, admin, running: Some(running), folder, _database: database }
    }

    /// Stops the server and starts it on the same data.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let running = server::start(self.settings.clone()).await.unwrap();
        self.admin = Caller::of(&running).await;
        self.running = Some(running);
    }

    /// Stops the server.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.take().expect("a server runs");
        running.stop.request();
        within("the server ends", running.ended()).await.unwrap();
    }

    /// A file that steps of the story may touch, as text for a shell.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// A caller with another token.
    pub(crate) fn caller(&self, token: &str) -> Caller {
        Caller { token: token.to_owned(), ..self.admin.clone() }
    }
}

/// Whatever it waits for must come in time.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// Asks again until there is an answer.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    wait::until_within(DEADLINE, what, ask).await
}

/// Somebody who calls the server.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    token: String,
    client: reqwest::Client,
}

impl Caller {
    async fn of(running: &RunningServer) -> Self {
        let (url, token) = (format!("http://{}/graphql", running.address), running.token().await.unwrap());
        Self { url, token, client: reqwest::Client::new() }
    }

    /// The address of another path of its server.
    pub(crate) fn url(&self, path: &str) -> String {
        self.url.replace("/graphql", path)
    }

    /// With which it signs in.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The whole answer.
    pub(crate) async fn ask(&self, document: &str, variables: Value) -> Value {
        let body = json!({"query": document, "variables": variables});
        let request = self.client.post(&self.url).bearer_auth(&self.token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What a subscription sends, until it completes or `enough` says so.
    pub(crate) async fn follow(&self, document: &str, variables: Value, enough: impl Fn(&Value) -> bool) -> Vec<Value> {
        let body = json!({"query": document, "variables": variables});
        let request = self.client.post(&self.url).bearer_auth(&self.token).json(&body);
        let mut answer = request.header("accept", "text/event-stream").send().await.unwrap();
        let (mut text, mut all) = (String::new(), vec![]);
        while let Some(chunk) = answer.chunk().await.unwrap() {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                if let Some(data) = event.strip_prefix("event: next\ndata: ") {
                    let next: Value = serde_json::from_str(data).unwrap();
                    assert!(next.get("errors").is_none(), "{document}\n{next}");
                    all.push(next["data"].clone());
                    if enough(&next["data"]) {
                        return all;
                    }
                }
                text = rest.to_owned();
            }
        }
        all
    }

    /// The first that a subscription is answered, errors included.
    pub(crate) async fn first(&self, document: &str, variables: Value) -> Value {
        let body = json!({"query": document, "variables": variables});
        let request = self.client.post(&self.url).bearer_auth(&self.token).json(&body);
        let text = request.header("accept", "text/event-stream").send().await.unwrap().text();
        let text = within("an answer", text).await.unwrap();
        let next = text.split("data: ").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or(&text);
        serde_json::from_str(next).unwrap_or_else(|_| panic!("no answer in {text}"))
    }

    /// An event stream that stays open until it is dropped.
    pub(crate) async fn listen(&self, document: &str) -> reqwest::Response {
        let request = self.client.post(&self.url).bearer_auth(&self.token).header("accept", "text/event-stream");
        let answer = request.json(&json!({"query": document})).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    }

    /// What `/metrics` says.
    pub(crate) async fn metrics(&self) -> Samples {
        let url = self.url.replace("/graphql", "/metrics");
        parse(&self.client.get(url).send().await.unwrap().text().await.unwrap())
    }

    /// What is at `pointer` below `data`; an error ends the story.
    pub(crate) async fn get(&self, document: &str, variables: Value, pointer: &str) -> Value {
        let answer = self.ask(document, variables).await;
        assert!(answer.get("errors").is_none(), "{document}\n{answer}");
        answer["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {answer}")).clone()
    }

    /// The extensions of the first error; without one the story ends.
    pub(crate) async fn refused(&self, document: &str, variables: Value) -> Value {
        let answer = self.ask(document, variables).await;
        answer.pointer("/errors/0/extensions").unwrap_or_else(|| panic!("not refused: {document}\n{answer}")).clone()
    }

    /// The id of a new task of these steps.
    pub(crate) async fn submit(&self, name: &str, steps: &[Step]) -> String {
        let task = self.get(SUBMIT, json!({"input": {"spec": spec(name, steps)}}), "/submitTask/task/id").await;
        task.as_str().unwrap().to_owned()
    }

    /// Does something with a task or a subtask: `retryTask`, `skipSubtask`.
    pub(crate) async fn act(&self, verb: &str, id: &str) {
        self.get(&mutation(verb), json!({"id": id}), "").await;
    }

    /// The extensions with which an act is refused.
    pub(crate) async fn refused_act(&self, verb: &str, id: &str) -> Value {
        self.refused(&mutation(verb), json!({"id": id})).await
    }

    /// A task as it stands: `FAILED: a SUCCESSFUL, b FAILED`.
    pub(crate) async fn states(&self, task: &str) -> String {
        let document = "query($id: ID!) { task(id: $id) { state subtasks { name state } } }";
        let task = self.get(document, json!({"id": task}), "/task").await;
        let subtasks = task["subtasks"].as_array().unwrap().iter();
        let subtasks: Vec<String> = subtasks.map(|subtask| words(subtask, &["name", "state"])).collect();
        format!("{}: {}", task["state"].as_str().unwrap(), subtasks.join(", "))
    }

    /// Waits until the task is in this state; how it stands then, as [`Caller::states`] has it.
    pub(crate) async fn wait(&self, task: &str, state: &str) -> String {
        self.wait_for(task, |states| states.starts_with(&format!("{state}:"))).await
    }

    /// Waits until the task and its subtasks stand so.
    pub(crate) async fn wait_for(&self, task: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut states = String::new();
        let stands = async || {
            states = self.states(task).await;
            wanted(&states).then_some(())
        };
        let came = wait::attempt_within(DEADLINE, stands).await;
        assert!(came.is_some(), "after {DEADLINE:?} it stands at {states}");
        states
    }

    /// A subtask of a task by its name, with these fields.
    pub(crate) async fn subtask(&self, task: &str, name: &str, fields: &str) -> Value {
        let document = format!("query($id: ID!) {{ task(id: $id) {{ subtasks {{ name {fields} }} }} }}");
        let subtasks = self.get(&document, json!({"id": task}), "/task/subtasks").await;
        let found = subtasks.as_array().unwrap().iter().find(|subtask| subtask["name"] == name).cloned();
        found.unwrap_or_else(|| panic!("no {name} in {subtasks}"))
    }

    /// The id of a subtask.
    pub(crate) async fn subtask_id(&self, task: &str, name: &str) -> String {
        self.subtask(task, name, "id").await["id"].as_str().unwrap().to_owned()
    }
}

/// Submits a task.
pub(crate) const SUBMIT: &str =
    "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { id databaseId state } } }";

fn mutation(verb: &str) -> String {
    format!("mutation($id: ID!) {{ {verb}(input: {{id: $id}}) {{ __typename }} }}")
}

/// Members of an object that are text, in a row.
pub(crate) fn words(object: &Value, keys: &[&str]) -> String {
    let texts: Vec<&str> = keys.iter().map(|key| object[*key].as_str().unwrap_or("-")).collect();
    texts.join(" ")
}
