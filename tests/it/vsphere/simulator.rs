//! A simulated vCenter: a child process of the test, with a control port to make things happen and to see the truth.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use taskloom::vsphere::{Address, Client, Limits, Session, Trust};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub(crate) const USER: &str = "administrator@vsphere.local";
pub(crate) const PASSWORD: &str = "secret";

/// Ends with the test, and cleans up after itself: it ends when its input does, and that is dropped here.
pub(crate) struct Simulator {
    child: Child,
    control: String,
    pub(crate) url: String,
    pub(crate) instance: String,
    pub(crate) sha256: String,
}

impl Simulator {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let program = program();
        let mut child = Command::new(&program)
            .arg("-stdin")
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; .ci/vcsim builds it", program.display()));
        let mut line = String::new();
        let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await;
        assert!(read.unwrap() > 0, "the simulator ended at once");
        let ready = serde_json::from_str::<Value>(&line).unwrap();
        // Without TLS it has no thumbprint.
        let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
        Self { child, control: text("control"), url: text("url"), instance: text("instance"), sha256: text("sha256") }
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    pub(crate) fn address(&self) -> Address {
        Address::parse(&self.url).unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::Thumbprint(self.sha256.parse().unwrap())
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.address(), &self.trust(), Limits::default()).await.unwrap()
    }

    pub(crate) async fn session(&self) -> Session {
        self.client().await.sign_in(USER, PASSWORD, "zh_CN").await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}{path}", self.control)).body(body.to_string());
        self.answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.answer(reqwest::Client::new().get(format!("{}{path}", self.control))).await
    }

    /// Starts a task and answers its key.
    pub(crate) async fn task(&self, order: Value) -> String {
        self.post("/task", order).await["key"].as_str().unwrap().to_owned()
    }

    /// The next calls of a method fail.
    pub(crate) async fn fail(&self, method: &str, status: u16) {
        self.post("/fail", json!({"method": method, "status": status, "count": 1})).await;
    }

    /// How many tasks it remembers.
    pub(crate) async fn count(&self) -> u64 {
        self.get("/tasks?count=true").await["count"].as_u64().unwrap()
    }

    /// Polls until a method was called this often.
    pub(crate) async fn called(&self, method: &str, times: u64) {
        within(async {
            while self.get("/calls").await[method].as_u64().unwrap_or_default() < times {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = serde_json::from_str::<Value>(&request.send().await.unwrap().text().await.unwrap()).unwrap();
        assert!(answer.get("error").is_none(), "{answer}");
        answer
    }
}

/// Waits for what must happen.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("it happens within a minute")
}

/// Beside the profile's directory that this test was built to.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("vcsim")
}
