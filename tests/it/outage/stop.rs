//! A server is told to stop while its database does not answer, or while a step stands still. It ends in time, says what
//! it had to leave, and after the restart nothing is missing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use serde_json::json;

use super::attempts;
use crate::harness::cut::Proxy;
use crate::harness::postgres;
use crate::harness::server::{Server, until};

/// `worker.grace` and five seconds.
const IN_TIME: Duration = Duration::from_secs(6);
const SETTINGS: [(&str, &str); 4] =
    [("WORKER__GRACE", "1s"), ("WORKER__LEASE", "5s"), ("WORKER__RENEW", "500ms"), ("DATABASE__ACQUIRE_TIMEOUT", "1s")];

/// What keeps the database from answering.
enum Away {
    /// It is stopped: connections are refused.
    Stopped(postgres::Own),
    /// It says nothing, on connections that stay.
    Silent(Proxy, #[expect(dead_code, reason = "it is dropped with this value")] postgres::Database),
    /// Its file is locked.
    Locked(PathBuf, Option<DatabaseConnection>),
}

impl Away {
    async fn stopped() -> Self {
        Self::Stopped(postgres::own().await)
    }

    async fn silent() -> Self {
        let database = postgres::database().await;
        Self::Silent(Proxy::before(&database.url).await, database)
    }

    fn locked(data: &Path) -> Self {
        Self::Locked(data.join("taskloom.db"), None)
    }

    fn settings(&self) -> Vec<(&str, &str)> {
        let url = match self {
            Self::Stopped(cluster) => Some(cluster.url.as_str()),
            Self::Silent(proxy, _) => Some(proxy.url.as_str()),
            Self::Locked(..) => None,
        };
        SETTINGS.into_iter().chain(url.map(|url| ("DATABASE_URL", url))).collect()
    }

    async fn begin(&mut self) {
        match self {
            Self::Stopped(cluster) => cluster.stop(),
            Self::Silent(proxy, _) => proxy.be_silent(true),
            Self::Locked(file, held) => {
                let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", file.display()));
                options.max_connections(1).map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(10)));
                let other = Database::connect(options).await.unwrap();
                other.execute_unprepared("BEGIN EXCLUSIVE").await.unwrap();
                *held = Some(other);
            }
        }
    }

    async fn end(&mut self) {
        match self {
            Self::Stopped(cluster) => cluster.start(),
            Self::Silent(proxy, _) => proxy.be_silent(false),
            Self::Locked(_, held) => held.take().unwrap().execute_unprepared("ROLLBACK").await.map(drop).unwrap(),
        }
    }
}

/// What waits for the database when the signal comes.
#[derive(Clone, Copy, PartialEq)]
enum Waits {
    /// The end of a step that is over.
    End,
    /// Lines of one that goes on talking, and ends by force alone.
    Lines,
    /// One that stands still.
    Paused,
}

async fn story(mut away: Away, data: &Path, waits: Waits, signals: usize) {
    let at = data.with_extension("files");
    std::fs::create_dir(&at).unwrap();
    let mut server = Server::start(data, &away.settings()).await;
    let code = format!(
        "trap 'test -e {0}/go || echo no' TERM
         until test -e {0}/go; do echo still here; sleep 0.05; done; touch {0}/done.$TASKLOOM_RUN",
        at.display()
    );
    let task = server.submit(json!([{"name": "talk", "run": {"shell": code}}])).await;
    let stream = server.request("POST", "/graphql").basic_auth("admin", Some(crate::harness::server::PASSWORD));
    let stream = stream.header("accept", "text/event-stream");
    let _open = stream.json(&json!({"query": "subscription { taskChanged { __typename } }"})).send().await.unwrap();
    server.wait(&task, "RUNNING: talk RUNNING").await;
    if waits == Waits::Paused {
        act(&server, "pauseTask", &task).await;
        server.wait(&task, "PAUSED: talk RUNNING").await;
    }

    away.begin().await;
    if waits == Waits::End {
        std::fs::write(at.join("go"), "").unwrap();
        let done = at.join("done.1");
        until("it is over", async || done.exists().then_some(())).await;
    }
    for _ in 0..signals {
        server.signal(Signal::SIGTERM);
        until("it is heard", async || server.log().contains("nothing new is started").then_some(())).await;
    }
    let took = server.ended().await;
    assert!(took < IN_TIME, "it took {took:?}\n{}", server.log());
    assert!(server.log().contains("what is not recorded is lost and runs again"), "{}", server.log());

    drop(server);
    away.end().await;
    let server = Server::start(data, &away.settings()).await;
    std::fs::write(at.join("go"), "").unwrap();
    if waits == Waits::Paused {
        act(&server, "resumeTask", &task).await;
    }
    server.wait(&task, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &task).await, json!(["LOST", "SUCCESSFUL"]));
}

async fn act(server: &Server, verb: &str, task: &str) {
    let document = format!("mutation($id: ID!) {{ {verb}(input: {{id: $id}}) {{ __typename }} }}");
    server.get(&document, json!({"id": task}), "").await;
}

/// A test of each: how the database is away, what waits, how many signals there are.
macro_rules! stories {
    ($($name:ident: $away:ident, $waits:ident, $signals:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("data");
            story(stories!(@away $away, data), &data, Waits::$waits, $signals).await;
        }
    )+};
    (@away locked, $data:ident) => { Away::locked(&$data) };
    (@away $away:ident, $data:ident) => { Away::$away().await };
}

stories! {
    an_end_that_waits_for_a_stopped_database: stopped, End, 1;
    lines_that_wait_for_a_stopped_database: stopped, Lines, 2;
    a_paused_step_over_a_stopped_database: stopped, Paused, 2;
    an_end_that_waits_for_a_silent_database: silent, End, 1;
    an_end_that_waits_for_a_silent_database_and_two_signals: silent, End, 2;
    lines_that_wait_for_a_silent_database: silent, Lines, 1;
    a_paused_step_over_a_silent_database: silent, Paused, 1;
    an_end_that_waits_for_a_locked_file: locked, End, 1;
    lines_that_wait_for_a_locked_file: locked, Lines, 1;
    a_paused_step_over_a_locked_file: locked, Paused, 2;
}

/// With its lease gone, the worker waits for nothing but the database; so it is told to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heard_when_the_lease_is_gone() {
    let cluster = postgres::own().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let settings: Vec<_> = SETTINGS.into_iter().chain([("DATABASE_URL", cluster.url.as_str())]).collect();
    let mut server = Server::start(&data, &settings).await;
    let task = super::talker(&server, &folder.path().join("go")).await;
    cluster.stop();
    until("it gives up", async || server.log().contains("the lease is about to end").then_some(())).await;
    server.signal(Signal::SIGTERM);
    let took = server.ended().await;
    assert!(took < IN_TIME, "it took {took:?}\n{}", server.log());
    cluster.start();
    std::fs::write(folder.path().join("go"), "").unwrap();
    let server = Server::start(&data, &settings).await;
    server.wait(&task, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &task).await, json!(["LOST", "SUCCESSFUL"]));
}

/// With the database there, a gentle stop waits for what runs (30 s), but not for what stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_step_is_given_back_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &SETTINGS).await;
    let go = folder.path().join("go");
    let task = super::talker(&server, &go).await;
    act(&server, "pauseTask", &task).await;
    server.wait(&task, "PAUSED: talk RUNNING").await;
    server.signal(Signal::SIGTERM);
    let took = server.ended().await;
    assert!(took < IN_TIME, "it took {took:?}\n{}", server.log());

    let server = Server::start(&data, &SETTINGS).await;
    assert_eq!(server.states(&task).await, "PAUSED: talk READY");
    assert_eq!(attempts(&server, &task).await, json!(["LOST"]));
    std::fs::write(&go, "").unwrap();
    act(&server, "resumeTask", &task).await;
    server.wait(&task, "SUCCESSFUL: talk SUCCESSFUL").await;
}

/// What is paused while the server waits for its end is not waited for either.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_paused_during_the_stop_is_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = Server::start(&data, &SETTINGS).await;
    let task = super::talker(&server, &folder.path().join("go")).await;
    server.signal(Signal::SIGTERM);
    until("it waits", async || server.log().contains("the worker takes nothing new").then_some(())).await;
    act(&server, "pauseTask", &task).await;
    let took = server.ended().await;
    assert!(took < IN_TIME, "it took {took:?}\n{}", server.log());
}
