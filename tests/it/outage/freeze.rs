//! A server is frozen while it works, and another takes over. When it wakes it writes nothing any more, and what it had
//! started is gone.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use taskloom::error::{Error, code};
use taskloom::store::open::{DatabasePlace, Pools, open};

use crate::harness::postgres;
use crate::harness::server::{Server, until};

const LEASE: (&str, &str) = ("WORKER__LEASE", "2s");
const RENEW: (&str, &str) = ("WORKER__RENEW", "500ms");

/// Talks until it is told to end, beside a child that stays and one that goes a way of its own.
const TALK: &str = r#"
    sleep 1000 & a=$!
    setsid sleep 1000 & b=$!
    echo $$ $a $b > pids.new && mv pids.new "FOLDER/$TASKLOOM_SUBTASK.$TASKLOOM_RUN"
    until test -e FOLDER/go; do echo "run $TASKLOOM_RUN"; sleep 0.05; done
    kill $a $b
"#;

const STANDS: &str = "query($id: ID!) { task(id: $id) { subtasks { name attempts { number state startedAt finishedAt \
                      exitCode message usage { cpuSeconds } } log(from: 1, limit: 10000) { lines { text } } } } }";

#[tokio::test(flavor = "multi_thread")]
async fn who_was_frozen_writes_nothing() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let settings = [LEASE, RENEW, ("DATABASE_URL", &database.url)];
    let first = Server::start(&at.join("first"), &settings).await;
    let talk = TALK.replace("FOLDER", &at.display().to_string());
    let task = first
        .submit(json!([
            {"name": "again", "run": {"shell": talk}},
            {"name": "once", "run": {"shell": talk}, "onLost": "fail"},
        ]))
        .await;
    let mut mine = pids(at, "again.1").await;
    mine.extend(pids(at, "once.1").await);
    assert!(mine.iter().all(|pid| lives(*pid)), "{mine:?}");
    let says = async || (stands(&first, &task).await["again"]["log"]["lines"] != json!([])).then_some(());
    until("it has said something", says).await;

    first.signal(Signal::SIGSTOP);
    let second = Server::start(&at.join("second"), &settings).await;
    let others = pids(at, "again.2").await;
    second.wait(&task, "RUNNING: again RUNNING, once FAILED").await;
    assert!(mine.iter().all(|pid| lives(*pid)), "nobody could stop them: {mine:?}");
    let before = stands(&second, &task).await;
    assert_eq!(before["again"]["attempts"][0]["state"], "LOST", "{before}");
    assert_eq!(before["once"]["attempts"][0]["state"], "LOST", "{before}");

    first.signal(Signal::SIGCONT);
    until("its children are gone", async || mine.iter().all(|pid| !lives(*pid)).then_some(())).await;
    let refused = |write: &str| format!("taskloom_engine_refused_writes_total{{write=\"{write}\"}}");
    until("its outcomes are refused", async || (first.metric(&refused("outcome")).await == 2.0).then_some(())).await;
    assert!(first.metric(&refused("log")).await >= 1.0, "it had lines to write\n{}", first.log());
    let said = || first.log().matches("the end of a lost attempt was refused").count();
    until("both are said", async || (said() == 2).then_some(())).await;
    assert_eq!(second.metric(&refused("outcome")).await, 0.0);
    assert!(others.iter().all(|pid| lives(*pid)), "what the other one runs goes on: {others:?}");

    std::fs::write(at.join("go"), "").unwrap();
    second.wait(&task, "FAILED: again SUCCESSFUL, once FAILED").await;
    let after = stands(&second, &task).await;
    assert_eq!(after["again"]["attempts"][0], before["again"]["attempts"][0], "nothing was written to it");
    assert_eq!(after["once"], before["once"], "nor to this one, not even a line");
    let lines: Vec<&str> = after["again"]["log"]["lines"].as_array().unwrap().iter().map(text).collect();
    let second_run = lines.iter().position(|line| *line == "run 2").unwrap();
    assert!(lines[..second_run].contains(&"run 1") && !lines[second_run..].contains(&"run 1"), "{lines:?}");

    // It lives again, under a new lease.
    drop(second);
    let next = first.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    first.wait(&next, "SUCCESSFUL: a SUCCESSFUL").await;
}

fn text(line: &Value) -> &str {
    line["text"].as_str().unwrap()
}

/// The subtasks by their names.
async fn stands(server: &Server, task: &str) -> Value {
    let subtasks = server.get(STANDS, json!({"id": task}), "/task/subtasks").await;
    subtasks.as_array().unwrap().iter().map(|subtask| (subtask["name"].as_str().unwrap(), subtask.clone())).collect()
}

/// The processes that an attempt has told of.
async fn pids(folder: &Path, name: &str) -> Vec<i32> {
    let file = folder.join(name);
    let text = until(name, async || std::fs::read_to_string(&file).ok()).await;
    let pids: Vec<i32> = text.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 3, "{text}");
    pids
}

/// Whether a process runs; one that nobody has buried yet does not.
fn lives(pid: i32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    state.is_ok_and(|stat| !stat.rsplit_once(") ").unwrap().1.starts_with(['Z', 'X']))
}

/// A server may be frozen in the middle of a transaction, too: what it has locked is let go.
#[tokio::test]
async fn what_a_frozen_server_has_locked_is_let_go() {
    let database = postgres::database().await;
    // Two of these write.
    let pools = Pools { connections: 16, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, _guard) = open(&DatabasePlace::Postgres(database.url.clone()), pools).await.unwrap();
    let frozen = store.begin().await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(1)";
    // As after the ten seconds that every connection begins with.
    let limit = Statement::from_string(DbBackend::Postgres, "SHOW idle_in_transaction_session_timeout");
    let limit: String = frozen.query_one_raw(limit).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(limit, "10s");
    frozen.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = '100ms'").await.unwrap();
    frozen.execute_unprepared(lock).await.unwrap();
    let other = store.begin().await.unwrap();
    other.execute_unprepared(lock).await.unwrap();
    other.commit().await.unwrap();
    let error: Error = frozen.commit().await.unwrap_err().into();
    assert_eq!(error.code(), &code::DATABASE_UNAVAILABLE, "{error:?}");
}
