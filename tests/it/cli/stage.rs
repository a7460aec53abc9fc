//! A server, and the folder in which commands are given to it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use super::{done, finish, taskloom};
use crate::harness::postgres::{self, Database};
use crate::harness::server::{Server, until};
use crate::harness::wait;

/// How long anything is waited for.
const DEADLINE: Duration = Duration::from_secs(40);

pub(super) struct Stage {
    pub(super) folder: tempfile::TempDir,
    pub(super) server: Server,
    /// An administrator's.
    pub(super) token: String,
    database: Option<Database>,
}

impl Stage {
    /// On SQLite, with settings such as `("WORKER__LEASE", "2s")`.
    pub(super) async fn sqlite(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("data"), settings).await;
        let token = token(folder.path(), &[]);
        Self { folder, server, token, database: None }
    }

    pub(super) async fn postgres() -> Self {
        let (folder, database) = (tempfile::tempdir().unwrap(), postgres::database().await);
        let server = Server::start(&folder.path().join("data"), &[("DATABASE_URL", &database.url)]).await;
        let token = token(folder.path(), &["--database-url", &database.url]);
        Self { folder, server, token, database: Some(database) }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where the database is, for commands that work on it.
    pub(super) fn place(&self) -> Vec<&str> {
        self.database.as_ref().map_or_else(Vec::new, |database| vec!["--database-url", &database.url])
    }

    /// A command that knows the server and who asks.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = taskloom();
        command.current_dir(self.path()).args(arguments);
        command.env("TASKLOOM_SERVER", self.server.url()).env("TASKLOOM_TOKEN", &self.token);
        command
    }

    /// Runs it to the end: status, output, errors.
    pub(super) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        finish(self.command(arguments).output().unwrap())
    }

    /// Starts it, its output into files.
    pub(super) fn start(&self, arguments: &[&str]) -> Started {
        Started::new(self.command(arguments), self.path())
    }

    /// A file in the folder; its name.
    pub(super) fn file(&self, name: &'static str, text: &str) -> &'static str {
        std::fs::write(self.path().join(name), text).unwrap();
        name
    }

    /// A script that goes on when the file `go` is there.
    pub(super) fn until_told(&self, before: &str, after: &str) -> String {
        let go = self.path().join("go");
        format!("{before}; until test -e '{}'; do sleep 0.05; done; {after}", go.display())
    }

    pub(super) fn tell(&self) {
        self.file("go", "");
    }

    /// The number of the only subtask of a task.
    pub(super) async fn subtask(&self, task: &str) -> String {
        let document = "query($id: ID!) { task(id: $id) { subtasks { databaseId } } }";
        let found = self.server.get(document, json!({"id": task}), "/task/subtasks/0/databaseId").await;
        found.to_string()
    }

    /// The state of the newest task.
    pub(super) async fn state(&self) -> String {
        let document = "{ tasks(first: 1) { nodes { state } } }";
        let found: Value = self.server.get(document, json!({}), "/tasks/nodes/0/state").await;
        found.as_str().unwrap().to_owned()
    }

    /// Waits until the newest task is in this state.
    pub(super) async fn stands(&self, state: &str) {
        until(state, async || (self.state().await == state).then_some(())).await;
    }
}

fn token(folder: &Path, extra: &[&str]) -> String {
    let arguments = ["token", "create", "--user", "admin", "--role", "admin"];
    done(folder, &[&arguments[..], extra].concat()).trim().to_owned()
}

/// A command that runs; it is killed with this value.
pub(super) struct Started {
    child: Child,
    output: PathBuf,
    errors: PathBuf,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Started {
    pub(super) fn new(mut command: Command, folder: &Path) -> Self {
        let name = uuid::Uuid::now_v7();
        let [output, errors] = ["output", "errors"].map(|kind| folder.join(format!("{name}.{kind}")));
        command.stdout(File::create(&output).unwrap()).stderr(File::create(&errors).unwrap());
        Self { child: command.spawn().unwrap(), output, errors }
    }

    pub(super) fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap()
    }

    pub(super) fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap()
    }

    /// Waits until its output has this.
    pub(super) async fn says(&self, text: &str) {
        let came = wait::attempt_within(DEADLINE, async || self.output().contains(text).then_some(())).await;
        assert!(came.is_some(), "{text:?} does not come:\n{}\n{}", self.output(), self.errors());
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Waits for its end: status, output, errors.
    pub(super) async fn ended(mut self) -> (i32, String, String) {
        let status = wait::attempt_within(DEADLINE, async || self.child.try_wait().unwrap()).await;
        let status = status.unwrap_or_else(|| panic!("it does not end:\n{}\n{}", self.output(), self.errors()));
        (status.code().unwrap(), self.output(), self.errors())
    }
}
