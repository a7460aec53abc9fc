//! Statements that ask for more memory or time than they may have, on a real server: the step fails by name, and the
//! server's own memory stays where it was.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figure;
use crate::harness::mariadb;
use crate::harness::memory;
use crate::harness::postgres::{self, Database};
use crate::harness::server::{Server, until};

const PUT: &str = "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { __typename } }";
/// A step of theirs is over by then, whatever it asks for.
const SOON: Duration = Duration::from_secs(30);

async fn start(folder: &Path, more: &[(&str, &str)]) -> (Server, Value) {
    let files = folder.join("files");
    std::fs::create_dir(&files).unwrap();
    let files = files.display().to_string();
    let settings: Vec<_> = [("EXECUTOR__SQL__SQLITE_FOLDER", files.as_str()), ("WORKER__GRACE", "1s")]
        .iter()
        .chain(more)
        .copied()
        .collect();
    let server = Server::start(&folder.join("data"), &settings).await;
    let tenant = server.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes/0/id").await;
    let file = json!({"name": "file", "kind": "SQLITE", "database": "x.db", "options": {"mode": "rwc"},
        "tenantId": tenant});
    server.get(PUT, json!({"input": file}), "").await;
    (server, tenant)
}

async fn put_postgres(server: &Server, tenant: &Value, database: &Database) {
    let place = database.url.strip_prefix("postgres://postgres:private@127.0.0.1:").unwrap();
    let (port, name) = place.split_once('/').unwrap();
    let input = json!({"name": "pg", "kind": "POSTGRESQL", "host": "127.0.0.1", "port": port.parse::<i32>().unwrap(),
        "database": name, "user": "postgres", "password": "private", "tenantId": tenant});
    server.get(PUT, json!({"input": input}), "").await;
}

/// Runs it to its failure; the state of its attempt, its message, and the most memory of the server above idle.
async fn fails(server: &Server, source: &str, sql: &str, limits: Value) -> (String, String, u64) {
    let idle = memory::begin(server);
    let mut step = json!({"name": "a", "run": {"sql": sql, "source": source}});
    for (key, value) in limits.as_object().unwrap() {
        step[key] = value.clone();
    }
    let begun = Instant::now();
    let task = server.submit(json!([step])).await;
    server.wait(&task, "FAILED: a FAILED").await;
    assert!(begun.elapsed() < SOON, "{sql}: {:?}", begun.elapsed());
    let document = "query($id: ID!) { task(id: $id) { subtasks { message attempts { state } } } }";
    let a = server.get(document, json!({"id": task}), "/task/subtasks/0").await;
    let above = memory::above(server, idle);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&a["attempts"][0]["state"]), text(&a["message"]), above)
}

async fn warm(server: &Server, sources: &[&str]) {
    for source in sources {
        let task = server.submit(json!([{"name": "a", "run": {"sql": "select 1", "source": source}}])).await;
        server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_fail_by_name_and_cost_the_server_nothing() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::database().await);
    let (server, tenant) = start(folder.path(), &[]).await;
    put_postgres(&server, &tenant, &database).await;
    let maria = mariadb::start().await;
    let my = json!({"name": "my", "kind": "MYSQL", "host": "127.0.0.1", "port": maria.port, "database": "story",
        "user": "story", "password": mariadb::PASSWORD, "tenantId": tenant});
    server.get(PUT, json!({"input": my}), "").await;
    warm(&server, &["file", "pg", "my"]).await;
    let cell = "executor.sql.cell";
    let either = "executor.sql.";
    for (source, sql, setting) in [
        ("file", "select replace(hex(zeroblob(100000000)), '0', 'abcdefgh')", cell),
        ("file", "select zeroblob(1000000000)", cell),
        ("file", "select group_concat(hex(randomblob(1000000)), '') from (values (1), (2), (3), (4), (5), (6))", cell),
        ("file", "create table t (a, b); insert into t values (zeroblob(6000000), zeroblob(6000000))", cell),
        ("file", "select printf('%.*c', 7000000, 'x'), printf('%.*c', 7000000, 'x')", cell),
        ("pg", "select repeat('x', 300000000)", either),
        ("pg", "select repeat('x', 20000000)", cell),
        ("pg", "select repeat('x', 5000000), repeat('y', 5000000)", cell),
        ("my", "select repeat('x', 12000000)", cell),
    ] {
        let (state, message, above) = fails(&server, source, sql, json!({})).await;
        eprintln!("{sql}: {message}; {} MB above idle", above >> 20);
        assert_eq!(state, "FAILED", "{sql}: {message}");
        assert!(message.contains(setting) && message.contains("MiB"), "{sql}: {message}");
        assert!(above < memory::MOST, "{sql}: {} MB above idle", above >> 20);
    }
    // What fits is as it was.
    let whole = json!([{"name": "a", "run": {"sql": "select repeat('x', 4000000)", "source": "pg"}}]);
    let task = server.submit(whole).await;
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    figure::note(
        "statements::large_values_fail_by_name_and_cost_the_server_nothing",
        "statements whose one value has 12 MB to 1 GB, on SQLite, PostgreSQL and MariaDB",
        "the step fails and names the limit; the server < 64 MB above idle",
        "9 of 9 failed by name, each < 64 MB",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_the_process_of_the_statements_own() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("EXECUTOR__SQL__CELL", "1GiB"), ("EXECUTOR__SQL__MEMORY", "96MiB")];
    let (server, _) = start(folder.path(), &settings).await;
    warm(&server, &["file"]).await;
    let many = "select replace(hex(zeroblob(60000000)), '0', 'ab')";
    let (state, message, above) = fails(&server, "file", many, json!({})).await;
    assert_eq!(state, "FAILED");
    assert!(message.contains("96 MiB") && message.contains("executor.sql.memory"), "{message}");
    assert!(above < memory::MOST, "{} MB above idle", above >> 20);
    // A step's own limit is the smaller one.
    let limits = json!({"limits": {"memory": "48MiB"}});
    let (_, message, _) = fails(&server, "file", "select hex(zeroblob(30000000))", limits).await;
    assert!(message.contains("48 MiB"), "{message}");
    figure::note(
        "statements::memory_is_the_process_of_the_statements_own",
        "statements that need more than `executor.sql.memory`",
        "the step fails and names the limit; the server < 64 MB above idle",
        "failed by name",
    );
}

/// A function that never looks whether it is to stop is ended with its process, however process trees are held.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_ends_what_never_yields() {
    // Each comparison goes over all that is left, and matches at its last letter only: hours within one call.
    let endless = "select instr(printf('%.*c', 200000000, 'a'), printf('%.*c', 1000000, 'a') || 'b')";
    let mut longest = Duration::ZERO;
    for tree in ["auto", "subreaper"] {
        let folder = tempfile::tempdir().unwrap();
        let large = [("EXECUTOR__SQL__CELL", "512MiB"), ("EXECUTOR__SQL__MEMORY", "4GiB")];
        let settings: Vec<_> = large.into_iter().chain([("WORKER__PROCESS_TREE", tree)]).collect();
        let (server, _) = start(folder.path(), &settings).await;
        warm(&server, &["file"]).await;
        let begun = Instant::now();
        let (state, message, _) = fails(&server, "file", endless, json!({"timeout": "1s"})).await;
        longest = longest.max(begun.elapsed());
        assert_eq!((state.as_str(), message.as_str()), ("TIMED_OUT", "the time limit of 1s was reached"), "{tree}");
        assert!(longest < Duration::from_secs(10), "{tree}: {longest:?}");
        until("no process of it is left", async || processes(&server).is_empty().then_some(())).await;
    }
    figure::note(
        "statements::a_time_limit_ends_what_never_yields",
        "one call within SQLite that takes hours, with a time limit of 1 s and a grace of 1 s",
        "ended within 10 s, no process left",
        &format!("{:.1} s", longest.as_secs_f64()),
    );
}

/// The processes of statements that the server has: their folders, with their arguments and their environment, which
/// only root may read.
fn processes(server: &Server) -> Vec<(PathBuf, String)> {
    let started = |folder: PathBuf| {
        let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
        let (_, rest) = stat.rsplit_once(')')?;
        let parent: i32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        let arguments = std::fs::read(folder.join("cmdline")).ok()?;
        let environment = std::fs::read(folder.join("environ")).unwrap_or_default();
        let is_one = parent == server.pid().as_raw() && arguments.ends_with(b"\0statements\0");
        let told = String::from_utf8_lossy(&[arguments, environment].concat()).into_owned();
        is_one.then_some((folder, told))
    };
    std::fs::read_dir("/proc").unwrap().filter_map(|entry| started(entry.ok()?.path())).collect()
}

/// The password is nowhere where another user of the machine, or another step, could read it.
#[tokio::test(flavor = "multi_thread")]
async fn a_password_reaches_the_process_by_a_pipe_alone() {
    let (folder, database) = (tempfile::tempdir().unwrap(), postgres::database().await);
    let (server, tenant) = start(folder.path(), &[]).await;
    put_postgres(&server, &tenant, &database).await;
    let task = server.submit(json!([{"name": "a", "run": {"sql": "select pg_sleep(600)", "source": "pg"}}])).await;
    let (_, told) = until("its process is there", async || processes(&server).pop()).await;
    assert!(!told.contains("private"), "{told}");
    assert!(!told.contains("TASKLOOM_ADMIN_PASSWORD"), "nothing of the server's own environment: {told}");
    let document = "mutation($id: ID!) { cancelTask(input: {id: $id}) { __typename } }";
    server.get(document, json!({"id": task}), "").await;
    server.wait(&task, "CANCELED: a FAILED").await;
    until("no process of it is left", async || processes(&server).is_empty().then_some(())).await;
}

/// A server that is killed takes the statements with it.
#[tokio::test(flavor = "multi_thread")]
async fn no_process_outlives_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = start(folder.path(), &[]).await;
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    server.submit(json!([{"name": "a", "run": {"sql": endless, "source": "file"}}])).await;
    let (process, _) = until("its process is there", async || processes(&server).pop()).await;
    server.signal(nix::sys::signal::Signal::SIGKILL);
    let is_gone = || match std::fs::read(process.join("cmdline")) {
        Ok(arguments) => !arguments.ends_with(b"\0statements\0"),
        Err(_) => true,
    };
    until("it is gone", async || is_gone().then_some(())).await;
}
