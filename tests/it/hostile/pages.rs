//! Whatever is asked for, one request needs less than 64 MB beside what the server needs anyhow: measured at a real
//! process, by the kernel's own mark of the most that it had.

use std::time::Duration;

use serde_json::{Value, json};
use taskloom::store::open::{DatabasePlace, Pools, open};
use taskloom::store::{Store, migrate};
use taskloom_entity::{Timestamp, subtask, tenant};

use crate::harness::memory::{measured, status};
use crate::harness::postgres;
use crate::harness::server::{PASSWORD, Server};
use crate::harness::wide::{self, Wide, long_lines, say};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, Set, Statement};

/// The talker's task, and its subtask.
const TALKER: i64 = 9_001;

#[tokio::test]
async fn no_request_needs_more_than_its_share_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(DatabasePlace::Folder(data.clone())).await;
    let server = Server::start(&data, &[]).await;
    no_request_needs_more_than_its_share(&server).await;
}

#[tokio::test]
async fn no_request_needs_more_than_its_share_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database().await;
    fill(DatabasePlace::Postgres(database.url.clone())).await;
    let server = Server::start(&folder.path().join("data"), &[("DATABASE__URL", &database.url)]).await;
    no_request_needs_more_than_its_share(&server).await;
}

/// 100 tasks with definitions of 1 MiB and as much that was sent, 2,000 with 17 subtasks, and a log of 4,000 long lines.
async fn fill(place: DatabasePlace) {
    wide::database(place, rows).await;
}

async fn rows(store: &Store) {
    Wide { first: 1_001, tasks: 2_000, subtasks: 17, ..Wide::default() }.fill(store).await;
    Wide { first: 5_001, tasks: 100, spec: 1 << 20, submission: 1 << 20, ..Wide::default() }.fill(store).await;
    let talker = Wide { first: TALKER, ..Wide::default() };
    talker.fill(store).await;
    // Two thousand in small chunks, two thousand in one.
    let lines = long_lines(4_000);
    say(store, TALKER, talker.subtask(TALKER), &lines, 250).await;
}

async fn no_request_needs_more_than_its_share(server: &Server) {
    // Sign-in and the first statements are behind us then.
    server.get("{ tasks(first: 20) { nodes { name } } }", json!({}), "/tasks").await;
    let idle = status(server, "VmRSS:");
    let subtask = TALKER * 1_000 + 1;
    let log = format!(
        "subtask(databaseId: {subtask}) {{ log(limit: 10000) {{ nextLine lines {{ number time source text }} }} }}"
    );
    let documents = [
        ("a page of a log", format!("{{ {log} }}")),
        ("four of them", format!("{{ a: {log} b: {log} c: {log} d: {log} }}")),
        (
            "ranges of a log",
            format!(
                "{{ a: subtask(databaseId: {subtask}) {{ logText(length: 4194304) logTail {{ lines {{ text }} }} }} }}"
            ),
        ),
        ("a list with names", "{ tasks(first: 1000) { nodes { name subtasks { name } } } }".to_owned()),
        ("a page by number", "{ taskPage(size: 2000) { nodes { name subtasks { name state } } } }".to_owned()),
        ("a list with documents", "{ tasks(first: 60) { nodes { subtasks { spec } submission } } }".to_owned()),
    ];
    for (what, document) in &documents {
        let answer = measured(server, idle, what, server.ask(document, json!({}))).await;
        match answer.get("errors") {
            None => assert!(answer["data"].is_object(), "{what}"),
            Some(errors) => assert_eq!(errors[0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{what}"),
        }
    }
    let paths = [
        ("a log of Linkis", format!("/api/rest_j/v1/entrance/{TALKER}/log?size=10000"), 200),
        ("a whole log of Linkis", format!("/api/rest_j/v1/filesystem/openLog?path=taskloom:/jobs/{TALKER}/log"), 200),
        (
            "a result of Linkis",
            format!(
                "/api/rest_j/v1/filesystem/openFile?path=taskloom:/jobs/{TALKER}/result/_0.dolphin&pageSize=60&page=60"
            ),
            200,
        ),
        (
            "a result too large",
            format!("/api/rest_j/v1/filesystem/openFile?path=taskloom:/jobs/{TALKER}/result/_0.dolphin&pageSize=5000"),
            400,
        ),
        (
            "a history of Linkis",
            "/api/rest_j/v1/jobhistory/list?pageSize=3&startDate=0&isAdminView=true".to_owned(),
            200,
        ),
        (
            "a history too large",
            "/api/rest_j/v1/jobhistory/list?pageSize=1000&startDate=0&isAdminView=true".to_owned(),
            400,
        ),
        ("a log of OCP", format!("/api/v2/tasks/instances/{TALKER}/subtasks/{subtask}/log"), 200),
        ("a list of OCP", "/api/v2/tasks/instances?size=2000".to_owned(), 200),
    ];
    for (what, path, status) in &paths {
        let ask = async {
            let answer = server.request("GET", path).basic_auth("admin", Some(PASSWORD)).send().await.unwrap();
            (answer.status().as_u16(), answer.bytes().await.unwrap())
        };
        let (is, body) = measured(server, idle, what, ask).await;
        assert_eq!(is, *status, "{what}: {}", String::from_utf8_lossy(&body[..body.len().min(300)]));
        assert!(serde_json::from_slice::<Value>(&body).unwrap().is_object(), "{what}");
    }
}

/// On SQLite a list would walk through what lies before the columns that it shows.
#[tokio::test]
async fn long_columns_are_the_last_of_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    let pools = Pools { connections: 1, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, _guard) = open(&DatabasePlace::Folder(folder.path().into()), pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    let home = tenant::ActiveModel { name: Set("home".into()), created_at: Set(Timestamp(0)), ..Default::default() };
    home.insert(store.write()).await.unwrap();
    Wide { first: 1, tasks: 3, spec: 5_000, ..Wide::default() }.fill(&store).await;
    // Moved once more, they are what they were.
    migrate::down(&store, Some(1)).await.unwrap();
    migrate::up(&store).await.unwrap();
    let rows = subtask::Entity::find().all(store.read()).await.unwrap();
    let lengths: Vec<_> = rows.iter().map(|row| (row.spec.as_str().len() > 5_000, row.outputs.as_str())).collect();
    assert_eq!(lengths, [(true, "{}"); 3]);
    for (table, long) in [("subtask", "outputs,spec"), ("definition", "spec")] {
        let sql = format!("SELECT group_concat(name) AS names FROM pragma_table_info('{table}')");
        let row = store.read().query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap().unwrap();
        let names: String = row.try_get("", "names").unwrap();
        assert!(names.ends_with(long), "{table}: {names}");
    }
}
