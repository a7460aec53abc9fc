//! Lists within lists: what they come to is known only while they are answered. The whole request is refused, early and
//! by name, whoever else asks is answered as if nothing were.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use taskloom::store::open::DatabasePlace;

use super::bench::user_token;
use super::figure::note;
use crate::harness::memory::{measured, status};
use crate::harness::postgres;
use crate::harness::server::Server;
use crate::harness::wide::{self, Wide};

/// Tasks of 300 steps, of which each needs the one before it.
const CHAIN: Wide = Wide { first: 1_001, tasks: 20, subtasks: 300, spec: 0, description: 0, submission: 0 };
/// How long a request that is too much may take on a machine that does other things as well.
const SOON: Duration = Duration::from_secs(5);

/// What must be refused, and what its refusal names.
const TOO_MUCH: [(&str, &str); 6] = [
    (
        "{ task(databaseId: 1001) { subtasks { task { subtasks { task { subtasks { id } } } } } } }",
        "task.subtasks.task.subtasks",
    ),
    ("{ tasks(first: 20) { nodes { subtasks { task { subtasks { id } } } } } }", "tasks.nodes.subtasks.task.subtasks"),
    (
        "{ task(databaseId: 1001) { subtasks { downstreams { task { subtasks { name state } } } } } }",
        "task.subtasks.downstreams.task.subtasks",
    ),
    (
        "{ tasks(first: 20) { edges { node { ...steps } } } } fragment steps on Task { s: subtasks { ...of } } \
         fragment of on Subtask { upstreams { task { subtasks { name } } } }",
        "tasks.edges.node.s.upstreams.task.subtasks",
    ),
    (
        "{ a: task(databaseId: 1001) { subtasks { task { subtasks { id } } } } \
           b: task(databaseId: 1002) { subtasks { task { subtasks { id } } } } }",
        "subtasks.task.subtasks",
    ),
    (
        "{ task(databaseId: 1001) { subtasks { task { subtasks { id databaseId name description state operation skipped \
         progress weight message runs executor prohibitRollback startedAt finishedAt logLines logBytes } } } } }",
        "task.subtasks.task.subtasks",
    ),
];

#[tokio::test]
async fn lists_within_lists_are_refused_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(DatabasePlace::Folder(data.clone())).await;
    let server = Server::start(&data, UNBOUNDED).await;
    lists_within_lists_are_refused(&server, "SQLite").await;
}

#[tokio::test]
async fn lists_within_lists_are_refused_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database().await;
    fill(DatabasePlace::Postgres(database.url.clone())).await;
    let settings = [UNBOUNDED, &[("DATABASE__URL", database.url.as_str())]].concat();
    let server = Server::start(&folder.path().join("data"), &settings).await;
    lists_within_lists_are_refused(&server, "PostgreSQL").await;
}

/// One user asks for all of it here, and attackers never come to the end of their minute.
const UNBOUNDED: &[(&str, &str)] = &[("GRAPHQL__OBJECTS_PER_MINUTE", "1000000000")];

async fn fill(place: DatabasePlace) {
    wide::database(place, async |store| {
        CHAIN.fill(store).await;
        let chain = "UPDATE subtask SET needs = '[' || (seq - 1) || ']' WHERE seq > 0";
        store.write().execute_unprepared(chain).await.unwrap();
    })
    .await;
}

async fn lists_within_lists_are_refused(server: &Server, database: &str) {
    server.get("{ tasks(first: 20) { nodes { name } } }", json!({}), "/tasks").await;
    let idle = status(server, "VmRSS:");
    let (mut longest, mut most) = (Duration::ZERO, 0);
    for (document, path) in TOO_MUCH {
        let begun = Instant::now();
        let answer = measured(server, idle, document, server.ask(document, json!({}))).await;
        longest = longest.max(begun.elapsed());
        most = most.max(status(server, "VmHWM:").saturating_sub(idle));
        assert!(answer["data"].is_null(), "the whole request is refused: {document}\n{answer}");
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "QUERY_TOO_COMPLEX", "{answer}");
        assert!(error["message"].as_str().unwrap().contains(path), "{path}: {error}");
    }
    assert!(longest < SOON, "{longest:?}");
    let found = format!("{} ms, {} MB above idle on {database}", longest.as_millis(), most >> 20);
    let attack = format!("6 documents of lists within lists over 20 tasks of 300 steps, {database}");
    note("lists::lists_within_lists_are_refused", &attack, "refused as a whole, by name, below 64 MB", &found);
    let document = "{ task(databaseId: 1001) { subtasks { id task { name } } } }";
    let whole = server.get(document, json!({}), "/task/subtasks").await;
    assert_eq!(whole.as_array().unwrap().len(), 300, "what is within the limits is answered");
}

#[tokio::test]
async fn four_who_ask_for_all_do_not_slow_the_fifth_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(DatabasePlace::Folder(data.clone())).await;
    four_do_not_slow_the_fifth(&Server::start(&data, UNBOUNDED).await, "SQLite").await;
}

#[tokio::test]
async fn four_who_ask_for_all_do_not_slow_the_fifth_on_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let database = postgres::database().await;
    fill(DatabasePlace::Postgres(database.url.clone())).await;
    let settings = [UNBOUNDED, &[("DATABASE__URL", database.url.as_str())]].concat();
    four_do_not_slow_the_fifth(&Server::start(&folder.path().join("data"), &settings).await, "PostgreSQL").await;
}

/// An honest user's requests while four others ask for as much as they can. This test runs alone (`.config/nextest.toml`).
async fn four_do_not_slow_the_fifth(server: &Server, database: &str) {
    let honest = user_token(server, "hope", "VIEWER").await;
    slow_ones(server, &honest, 50).await;
    let before = slow_ones(server, &honest, 300).await;
    let (mut attackers, is_over) = (vec![], Arc::new(AtomicBool::default()));
    for name in ["eve", "mal", "oscar", "trudy"] {
        let (url, token) = (server.url(), user_token(server, name, "VIEWER").await);
        let (client, is_over) = (reqwest::Client::new(), is_over.clone());
        attackers.push(move || ask_for_all(&client, &url, &token, &is_over));
    }
    // A client takes a while to make: that is no attack.
    let attackers: Vec<_> = attackers.into_iter().map(std::thread::spawn).collect();
    let attacked = slow_ones(server, &honest, 1_000).await;
    is_over.store(true, Ordering::Relaxed);
    attackers.into_iter().for_each(|attacker| attacker.join().unwrap());
    let idle = before.max(slow_ones(server, &honest, 300).await);
    let ratio = attacked.as_secs_f64() / idle.as_secs_f64();
    note(
        "lists::four_who_ask_for_all_do_not_slow_the_fifth",
        &format!("four users who ask for lists within lists without a pause, {database}"),
        "an honest user's p99 at most 3 times that of an idle server",
        &format!("{:.1} times ({} ms, {} ms idle)", ratio, attacked.as_millis(), idle.as_millis()),
    );
    assert!(ratio <= 3.0, "{attacked:?} to {idle:?}");
}

/// In a thread of its own: the honest user's client is not to wait for it.
#[tokio::main(flavor = "current_thread")]
async fn ask_for_all(client: &reqwest::Client, url: &str, token: &str, is_over: &AtomicBool) {
    for (document, _) in TOO_MUCH.iter().cycle().take_while(|_| !is_over.load(Ordering::Relaxed)) {
        let request = client.post(format!("{url}/graphql")).bearer_auth(token).json(&json!({"query": document}));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{answer}");
    }
}

/// The 99th percentile of an honest user's requests.
async fn slow_ones(server: &Server, token: &str, many: usize) -> Duration {
    let mut times = vec![];
    let document = json!({"query": "{ tasks(first: 20) { nodes { name state progress } } }"});
    for _ in 0..many {
        let begun = Instant::now();
        let answer = server.request("POST", "/graphql").bearer_auth(token).json(&document).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        times.push(begun.elapsed());
        assert_eq!(answer["data"]["tasks"]["nodes"].as_array().map(Vec::len), Some(20), "{answer}");
    }
    times.sort();
    times[times.len() * 99 / 100]
}
