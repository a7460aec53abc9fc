//! A real server process: with settings of its own, its log in a file, signals sent to it, and its administrator.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::wait;

pub(crate) const PASSWORD: &str = "a password of tests";
/// How long anything is waited for.
const DEADLINE: Duration = Duration::from_secs(40);
/// How long an answer may take while something is away: 1 s for a connection, twice, and a slow machine.
const SOON: Duration = Duration::from_secs(10);

/// A running server; it is killed with this value.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    address: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts `taskloom serve` on a data folder, with settings such as `("WORKER__LEASE", "2s")`.
    pub(crate) async fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_by(Command::new(program()), folder, settings).await
    }

    /// The same by another command, to which the program and its arguments are given.
    pub(crate) async fn start_within(mut command: Command, folder: &Path, settings: &[(&str, &str)]) -> Self {
        command.arg(program());
        Self::start_by(command, folder, settings).await
    }

    /// The same by a copy of the program, which other users reach.
    pub(crate) async fn start_as(mut command: Command, copy: &Path, folder: &Path, settings: &[(&str, &str)]) -> Self {
        command.arg(copy);
        Self::start_by(command, folder, settings).await
    }

    async fn start_by(mut command: Command, folder: &Path, settings: &[(&str, &str)]) -> Self {
        let log = folder.with_extension("log");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TASKLOOM_")) {
            command.env_remove(name);
        }
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(folder);
        command.env("TASKLOOM_ADMIN_PASSWORD", PASSWORD);
        command.envs(settings.iter().map(|(name, value)| (format!("TASKLOOM_{name}"), value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap()).process_group(0);
        let child = command.spawn().unwrap();
        let client = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let mut server = Self { child, log, address: String::new(), client };
        server.address = until("the server answers", async || {
            let log = server.log();
            Some(log.split_once("GraphQL at http://")?.1.split_once('/')?.0.to_owned())
        })
        .await;
        server
    }

    /// Starts it with a standard error of this kind, where nobody hears what it says.
    pub(crate) async fn start_mute(folder: &Path, settings: &[(&str, &str)], stderr: Stdio) -> Self {
        let log = folder.with_extension("log");
        std::fs::write(&log, "(nobody hears it)").unwrap();
        // Free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(program());
        command.args(["serve", "--listen", &free, "--data-dir"]).arg(folder);
        command.env("TASKLOOM_ADMIN_PASSWORD", PASSWORD);
        command.envs(settings.iter().map(|(name, value)| (format!("TASKLOOM_{name}"), value)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr).process_group(0);
        let child = command.spawn().unwrap();
        let client = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        let server = Self { child, log, address: free, client };
        let healthy = async || server.request("GET", "/readyz").send().await.ok().filter(|it| it.status().is_success());
        until("the server answers", healthy).await;
        server
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Waits for its end; how long that took.
    pub(crate) async fn ended(&mut self) -> Duration {
        let begun = Instant::now();
        let status = self.exited().await;
        assert!(status.success(), "{status}\n{}", self.log());
        begun.elapsed()
    }

    /// Waits for its end, however that is.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let status = wait::attempt_within(DEADLINE, async || self.child.try_wait().unwrap()).await;
        status.unwrap_or_else(|| panic!("it does not end\n{}", self.log()))
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request to a path of it, signed by nobody yet.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address))
    }

    /// The whole answer, errors and all.
    pub(crate) async fn ask(&self, document: &str, variables: Value) -> Value {
        let request = self.client.post(format!("http://{}/graphql", self.address)).basic_auth("admin", Some(PASSWORD));
        let answer = request.json(&json!({"query": document, "variables": variables})).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// What is at `pointer` below `data`; an error ends the story.
    pub(crate) async fn get(&self, document: &str, variables: Value, pointer: &str) -> Value {
        let answer = self.ask(document, variables).await;
        assert!(answer.get("errors").is_none(), "{document}\n{answer}\n{}", self.log());
        answer["data"].pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {answer}")).clone()
    }

    /// Accepts a task of these subtasks; its id.
    pub(crate) async fn submit(&self, subtasks: Value) -> String {
        let input = json!({"input": {"spec": {"name": "story", "subtasks": subtasks}}});
        self.get(SUBMIT, input, "/submitTask/task/id").await.as_str().unwrap().to_owned()
    }

    /// Submits one small task by its key; its id, or the error's extensions. However it ends, it ends soon.
    pub(crate) async fn try_submit(&self, key: &str) -> Result<String, Value> {
        let spec = json!({"name": key, "subtasks": [{"name": "a", "run": {"shell": "true"}}]});
        let begun = Instant::now();
        let answer = self.ask(SUBMIT, json!({"input": {"spec": spec, "idempotencyKey": key}})).await;
        assert!(begun.elapsed() < SOON, "{key} was answered after {:?}", begun.elapsed());
        match answer.pointer("/data/submitTask/task/id") {
            Some(id) => Ok(id.as_str().unwrap().to_owned()),
            None => Err(answer["errors"][0]["extensions"].clone()),
        }
    }

    /// Waits until the task stands so: `FAILED: a SUCCESSFUL, b FAILED`. Comes again when it is told to.
    pub(crate) async fn wait(&self, task: &str, wanted: &str) {
        let mut last = None;
        let stands = async || match self.try_states(task).await {
            Ok(stands) if stands == wanted => Some(()),
            Err(error) if error["code"] != "DATABASE_UNAVAILABLE" => panic!("{error}\n{}", self.log()),
            other => {
                last = Some(other);
                None
            }
        };
        let came = wait::attempt_within(DEADLINE, stands).await;
        assert!(came.is_some(), "it stands at {last:?}, not {wanted}\n{}", self.log());
    }

    /// How it stands, at once.
    pub(crate) async fn states(&self, task: &str) -> String {
        self.try_states(task).await.unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// The same, or the error's extensions.
    async fn try_states(&self, task: &str) -> Result<String, Value> {
        let document = "query($id: ID!) { task(id: $id) { state subtasks { name state } } }";
        let answer = self.ask(document, json!({"id": task})).await;
        let Some(task) = answer.pointer("/data/task") else { return Err(answer["errors"][0]["extensions"].clone()) };
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let subtask = |subtask: &Value| format!("{} {}", word(&subtask["name"]), word(&subtask["state"]));
        let subtasks: Vec<String> = task["subtasks"].as_array().unwrap().iter().map(subtask).collect();
        Ok(format!("{}: {}", word(&task["state"]), subtasks.join(", ")))
    }

    /// A sample of `/metrics`, 0 when there is none.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.probe("/metrics").await;
        let sample = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        sample.map_or(0.0, |value| value.parse().unwrap())
    }

    /// What `/readyz` or its kind answers.
    pub(crate) async fn probe(&self, path: &str) -> (u16, String) {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// Submits a task.
pub(crate) const SUBMIT: &str =
    "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { id state } } }";

/// The program.
pub(crate) fn program() -> &'static str {
    env!("CARGO_BIN_EXE_taskloom")
}

/// Asks again until there is an answer.
pub(crate) async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    wait::until_within(DEADLINE, what, ask).await
}
