//! The executor `sql`, on a real PostgreSQL and on files of SQLite.

use std::path::PathBuf;

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, Row as _};

use super::bench::{Bench, until};
use super::step::step;

const PUT: &str =
    "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { dataSource { id hasPassword } } }";
const TEST: &str = "mutation($id: ID!) { testDataSource(input: {id: $id}) { ok version message } }";
const SETS: &str = "resultSets { number kind columns { name type } totalRows truncated rows(first: 3) }";

/// A server with two data sources: `pg`, its own database, and `file`.
pub(super) async fn open(settings: &[(&'static str, &str)]) -> (Bench, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let mut all = vec![("executor.sql.sqlite_folder", path.as_str())];
    all.extend(settings);
    let (bench, url) = Bench::postgres_with(&all).await;
    let place = url.strip_prefix("postgres://postgres:private@127.0.0.1:").unwrap();
    let (port, database) = place.split_once('/').unwrap();
    let tenant = bench.tenant().await;
    let pg = json!({"name": "pg", "kind": "POSTGRESQL", "host": "127.0.0.1", "port": port.parse::<i32>().unwrap(),
        "database": database, "user": "postgres", "password": "private", "tenantId": tenant,
        "options": {"application_name": "story"}, "engine": "spark"});
    put(&bench, pg).await;
    let file =
        json!({"name": "file", "kind": "SQLITE", "database": "x.db", "options": {"mode": "rwc"}, "tenantId": tenant});
    put(&bench, file).await;
    (bench, url, folder)
}

async fn put(bench: &Bench, input: Value) -> Value {
    bench.admin.get(PUT, json!({"input": input}), "/putDataSource/dataSource").await
}

pub(super) async fn run(bench: &Bench, source: &str, sql: &str, end: &str) -> Value {
    let task = bench.admin.submit("ask", &[step("a", json!({"sql": sql, "source": source}))]).await;
    bench.admin.wait(&task, end).await;
    bench.admin.subtask(&task, "a", &format!("message progress {SETS} log {{ lines {{ text }} }}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_has_its_rows() {
    let (bench, _url, _folder) = open(&[]).await;
    let sql = "create table t (id int primary key, at timestamptz, price numeric(8,2), ok bool, raw bytea, big bigint);
        insert into t values (1, '2024-02-29 12:00:00.5+02', 1.50, true, '\\x00ff', 5000000000), (2, null, null, false, null, null);
        select id, at, price, ok, raw, big, 'a;b' as \"text\" from t order by id;
        select * from t where false; -- nothing; but with columns";
    let a = run(&bench, "pg", sql, "SUCCESSFUL").await;
    let columns = json!([
        {"name": "id", "type": "INT"}, {"name": "at", "type": "TIMESTAMP"}, {"name": "price", "type": "DECIMAL"},
        {"name": "ok", "type": "BOOLEAN"}, {"name": "raw", "type": "BINARY"}, {"name": "big", "type": "BIGINT"},
        {"name": "text", "type": "STRING"},
    ]);
    let rows = json!([
        ["1", "2024-02-29 10:00:00.500", "1.50", "true", "\\x00ff", "5000000000", "a;b"],
        ["2", null, null, "false", null, null, "a;b"],
    ]);
    let first =
        json!({"number": 0, "kind": "TABLE", "columns": columns, "totalRows": 2, "truncated": false, "rows": rows});
    assert_eq!(a["resultSets"][0], first);
    assert_eq!(a["resultSets"][1]["rows"], json!([]));
    assert_eq!(a["resultSets"][1]["columns"].as_array().unwrap().len(), 6, "columns though no rows");
    assert_eq!(a["resultSets"].as_array().unwrap().len(), 2);
    let log = a["log"]["lines"].to_string();
    assert!(log.contains("statement 2 of 4: 2 rows affected") && log.contains("statement 4 of 4: 0 rows"), "{log}");

    let sql = "create table t (id integer primary key, name text, price real, raw blob, ok boolean);
        insert into t values (1, 'ä', 1.5, x'00ff', 1), (2, null, null, null, 0);
        select * from t order by id";
    let a = run(&bench, "file", sql, "SUCCESSFUL").await;
    let rows = json!([["1", "ä", "1.5", "\\x00ff", "true"], ["2", null, null, null, "false"]]);
    assert_eq!(a["resultSets"][0]["rows"], rows);
    let types: Vec<&str> = a["resultSets"][0]["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["BIGINT", "STRING", "DOUBLE", "BINARY", "BOOLEAN"]);
    let a = run(&bench, "file", "select cast(x'e58d87ff' as text)", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([["升\u{fffd}"]]), "a text of SQLite may be any bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_says_where_and_nothing_follows() {
    let (bench, _url, _folder) = open(&[]).await;
    let a = run(&bench, "pg", "create table u (id int); select * from missing; drop table u", "FAILED").await;
    assert_eq!(a["message"], json!("statement 2 of 3: relation \"missing\" does not exist (42P01)"));
    let a = run(&bench, "pg", "select * from u", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["totalRows"], json!(0));
    let a = run(&bench, "nowhere", "select 1", "FAILED").await;
    assert_eq!(a["message"], json!("data source nowhere does not exist"));
    for sql in ["attach '/etc/passwd' as p; select 1", "select 1; vacuum into 'other.db'"] {
        let a = run(&bench, "file", sql, "FAILED").await;
        assert!(a["message"].as_str().unwrap().contains("not allowed"), "{a}");
    }
    // What is masked is the password that the database would see.
    let a = run(&bench, "pg", "select 'it is private'", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([["it is ***"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_cut_and_pages_turn() {
    let (bench, _url, _folder) = open(&[("result.rows", "2500"), ("result.size", "200KiB")]).await;
    let a = run(&bench, "pg", "select n, repeat('x', 20) as x from generate_series(1, 4000) n; select 1", "SUCCESSFUL")
        .await;
    let set = &a["resultSets"][0];
    assert_eq!((&set["totalRows"], &set["truncated"]), (&json!(2500), &json!(true)));
    assert_eq!(a["resultSets"][1]["rows"], json!([["1"]]), "what follows is whole");
    let task = "{ tasks(first: 1) { nodes { subtasks { resultSets { rows(first: 5, offset: 2498) } } } } }";
    let rows = bench.admin.get(task, json!({}), "/tasks/nodes/0/subtasks/0/resultSets/0/rows").await;
    let x = "x".repeat(20);
    assert_eq!(rows, json!([["2499", x], ["2500", x]]));
    let a = run(&bench, "pg", "select repeat('y', 1000) from generate_series(1, 1000)", "SUCCESSFUL").await;
    let (set, kept) = (&a["resultSets"][0], a["resultSets"][0]["totalRows"].as_i64().unwrap());
    assert!(set["truncated"] == json!(true) && (150..205).contains(&kept), "{kept}");
    let wrong = "{ tasks(first: 1) { nodes { subtasks { resultSets { rows(first: 10001) } } } } }";
    assert_eq!(bench.admin.refused(wrong, json!({})).await["code"], "INVALID_PAGE");
}

/// What runs at the database in the name of stories.
async fn running(url: &str) -> i64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let count = sqlx::query(
        "select count(*) from pg_stat_activity where application_name = 'story' and state = 'active' and query like '%pg_sleep%'",
    );
    count.fetch_one(&mut connection).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_and_a_time_limit_reach_the_database() {
    let (bench, url, _folder) = open(&[]).await;
    let sleep = json!({"sql": "select 1; select pg_sleep(600)", "source": "pg"});
    let task = bench.admin.submit("sleep", &[step("a", sleep.clone())]).await;
    until("it sleeps", async || (running(&url).await == 1).then_some(())).await;
    bench.admin.act("cancelTask", &task).await;
    bench.admin.wait(&task, "CANCELED").await;
    until("nothing runs there", async || (running(&url).await == 0).then_some(())).await;

    let task = bench.admin.submit("late", &[step("a", sleep).with("timeout", json!("300ms"))]).await;
    bench.admin.wait(&task, "FAILED").await;
    until("nothing runs there", async || (running(&url).await == 0).then_some(())).await;
    let a = bench.admin.subtask(&task, "a", "message attempts { state }").await;
    assert_eq!(a["attempts"], json!([{"state": "TIMED_OUT"}]));
    assert_eq!(a["message"], json!("the time limit of 300ms was reached"));

    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
    let task = bench.admin.submit("endless", &[step("a", json!({"sql": endless, "source": "file"}))]).await;
    bench.admin.wait_for(&task, |states| states.contains("a RUNNING")).await;
    bench.admin.act("cancelTask", &task).await;
    bench.admin.wait(&task, "CANCELED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_during_a_pause_begins_nothing_more() {
    let (bench, url, _folder) = open(&[]).await;
    let sql = "select pg_advisory_lock(7); create table after_cancel (id int); select pg_sleep(600)";
    let (task, mut holder) = paused_behind_its_first(&bench, &url, sql).await;
    bench.admin.act("cancelTask", &task).await;
    bench.admin.wait(&task, "CANCELED").await;
    until("its lock is free", async || {
        let taken = sqlx::query("select pg_try_advisory_lock(7)").fetch_one(&mut holder).await.unwrap();
        taken.get::<bool, _>(0).then_some(())
    })
    .await;
    let a = run(&bench, "pg", "select to_regclass('after_cancel')::text", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([[null]]), "nothing has begun after it");
}

/// A task whose first statement waited for a lock, was paused, and has had it since; with who held the lock.
async fn paused_behind_its_first(bench: &Bench, url: &str, sql: &str) -> (String, PgConnection) {
    let mut holder = PgConnection::connect(url).await.unwrap();
    sqlx::query("select pg_advisory_lock(7)").execute(&mut holder).await.unwrap();
    let task = bench.admin.submit("two", &[step("a", json!({"sql": sql, "source": "pg"}))]).await;
    until("the first statement waits", async || (waiting(url).await == 1).then_some(())).await;
    bench.admin.act("pauseTask", &task).await;
    bench.admin.wait(&task, "PAUSED").await;
    sqlx::query("select pg_advisory_unlock(7)").execute(&mut holder).await.unwrap();
    until("the first statement is over", async || (waiting(url).await == 0).then_some(())).await;
    (task, holder)
}

/// How many wait for the lock 7.
async fn waiting(url: &str) -> i64 {
    let waits = "select count(*) from pg_locks join pg_database d on d.oid = database
        where datname = current_database() and locktype = 'advisory' and objid = 7 and not granted";
    sqlx::query(waits).fetch_one(&mut PgConnection::connect(url).await.unwrap()).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_begins_no_further_statement() {
    let (bench, url, _folder) = open(&[]).await;
    let sql = "select pg_advisory_lock(7); select pg_advisory_unlock(7); create table after_pause (id int)";
    let (task, _holder) = paused_behind_its_first(&bench, &url, sql).await;
    let a = run(&bench, "pg", "select to_regclass('after_pause')::text", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([[null]]), "nothing has begun after it");
    bench.admin.act("resumeTask", &task).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let a = run(&bench, "pg", "select to_regclass('after_pause')::text", "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([["after_pause"]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_values() {
    let (bench, _url, _folder) = open(&[]).await;
    let evil = "x'; drop table t; --";
    for (source, sql) in [
        ("pg", "select current_setting('taskloom.name')"),
        ("file", "select value from taskloom_parameter where name = 'name'"),
    ] {
        let spec = json!({"name": "ask", "subtasks": [{"name": "a", "run": {"sql": sql, "source": source}}]});
        let input = json!({"input": {"spec": spec, "parameters": {"name": evil, "not-a-name": 1}}});
        let task = bench.admin.get(super::bench::SUBMIT, input, "/submitTask/task/id").await;
        let task = task.as_str().unwrap();
        bench.admin.wait(task, "SUCCESSFUL").await;
        let a = bench.admin.subtask(task, "a", SETS).await;
        assert_eq!(a["resultSets"][0]["rows"], json!([[evil]]));
        let log = bench.admin.subtask(task, "a", "log { lines { source text } }").await.to_string();
        assert!(log.contains("not readable in statements") && log.contains("not-a-name"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_source_is_tested_and_made_of_fields() {
    let (bench, _, folder) = open(&[]).await;
    let tenant = bench.tenant().await;
    let ids = "{ dataSources { totalCount nodes { id name hasPassword engine } } }";
    let sources = bench.admin.get(ids, json!({}), "/dataSources").await;
    assert_eq!(sources["totalCount"], json!(2));
    assert_eq!(
        (&sources["nodes"][0]["hasPassword"], &sources["nodes"][1]["hasPassword"]),
        (&json!(true), &json!(false))
    );
    let (pg, file) = (sources["nodes"][0]["id"].clone(), sources["nodes"][1]["id"].clone());
    let test = async |id: &Value| bench.admin.get(TEST, json!({"id": id}), "/testDataSource").await;
    let answer = test(&pg).await;
    assert!(answer["version"].as_str().unwrap().starts_with("PostgreSQL 1"), "{answer}");
    assert!(test(&file).await["version"].as_str().unwrap().starts_with("SQLite 3"));
    assert!(folder.path().join("x.db").exists());

    // Changed as a whole, without its password; then with another.
    let node = "query($id: ID!) { node(id: $id) { ... on DataSource { host port database user options } } }";
    let now = bench.admin.get(node, json!({"id": pg}), "/node").await;
    let mut input = now.clone();
    for (key, value) in [("name", json!("pg")), ("kind", json!("POSTGRESQL")), ("tenantId", tenant.clone())] {
        input[key] = value;
    }
    assert_eq!(put(&bench, input.clone()).await["hasPassword"], json!(true));
    assert_eq!(test(&pg).await["ok"], json!(true), "the password stays");
    input["password"] = json!("wrong");
    put(&bench, input.clone()).await;
    let answer = test(&pg).await;
    assert!(answer["message"].as_str().unwrap().contains("password authentication failed"), "{answer}");
    for (key, wrong) in [
        ("host", json!("postgres://elsewhere/x")),
        ("host", json!("/var/run")),
        ("port", json!(70000)),
        ("options", json!({"sslrootcert": "/etc/passwd"})),
        ("options", json!({"sslmode": "off"})),
        ("options", json!({"search_path": "a b"})),
        ("engine", json!("Spark 3")),
        ("user", json!(null)),
    ] {
        let mut input = input.clone();
        input[key] = wrong.clone();
        let refused = bench.admin.refused(PUT, json!({"input": input})).await;
        assert_eq!(refused["code"], "INVALID_INPUT", "{key}: {wrong}");
    }
    for wrong in ["../x.db", "/etc/passwd", "a/../../x"] {
        let input = json!({"name": "out", "kind": "SQLITE", "database": wrong, "tenantId": tenant});
        assert_eq!(bench.admin.refused(PUT, json!({"input": input})).await["code"], "INVALID_INPUT", "{wrong}");
    }
    let other = json!({"name": "two", "kind": "SQLITE", "database": "y.db", "engine": "hive", "tenantId": tenant});
    put(&bench, other.clone()).await;
    let mut again = other;
    again["name"] = json!("three");
    assert_eq!(bench.admin.refused(PUT, json!({"input": again})).await["code"], "NAME_TAKEN");
    std::os::unix::fs::symlink("/etc/passwd", PathBuf::from(folder.path()).join("y.db")).unwrap();
    let a = run(&bench, "two", "select 1", "FAILED").await;
    let message = a["message"].as_str().unwrap();
    assert!(message.contains("is not below executor.sql.sqlite_folder") && !message.contains("/etc"), "{message}");
}
