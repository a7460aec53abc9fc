//! What the stories of collection have in common: a vCenter is registered, and in the end both sides agree.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use taskloom::store::Store;
use taskloom::store::open::{DatabasePlace, FolderGuard, Pools, open};

use super::simulator::{PASSWORD, Simulator, USER};
use crate::harness::postgres;
use crate::harness::server::{Server, until};
use crate::harness::wait;

/// How a task stands on either side: state, cancelled, object, fault.
pub(super) type Standing = (String, bool, String, String);

/// Registers a vCenter by its pinned certificate; its id.
pub(super) async fn register(server: &Server, name: &str, address: &str, simulator: &Simulator) -> String {
    put(
        server,
        json!({
            "name": name, "uuid": name, "address": address, "user": USER, "password": PASSWORD, "trust": "THUMBPRINT",
            "trusted": simulator.sha256,
        }),
    )
    .await
}

/// Where a story takes place: a data folder, and a database of its own beside it where that is not in the folder.
pub(super) struct Ground {
    folder: tempfile::TempDir,
    database: Option<postgres::Database>,
}

impl Ground {
    pub(super) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: None }
    }

    pub(super) async fn postgres() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: Some(postgres::database().await) }
    }

    /// Starts a server, or starts it again.
    pub(super) async fn server(&self) -> Server {
        let mut settings = vec![("VSPHERE__ALLOW_HTTP", "true")];
        settings.extend(self.database.as_ref().map(|database| ("DATABASE_URL", database.url.as_str())));
        Server::start(&self.folder.path().join("data"), &settings).await
    }

    /// The database itself, beside no server.
    pub(super) async fn store(&self) -> (Store, FolderGuard) {
        let place = match &self.database {
            Some(database) => DatabasePlace::Postgres(database.url.clone()),
            None => {
                std::fs::create_dir_all(self.folder.path().join("data")).unwrap();
                DatabasePlace::Folder(self.folder.path().join("data"))
            }
        };
        let pools = Pools {
            connections: 2,
            acquire: std::time::Duration::from_secs(5),
            statement: std::time::Duration::from_secs(30),
        };
        open(&place, pools).await.unwrap()
    }
}

/// A test of each story on each database.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story($crate::vsphere::lab::Ground::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story($crate::vsphere::lab::Ground::postgres().await).await;
            })+
        }
    };
}
pub(super) use on_both;

/// Registers a vCenter without TLS; its id.
pub(super) async fn register_plain(server: &Server, name: &str, url: &str) -> String {
    put(server, json!({"name": name, "uuid": name, "address": url, "user": USER, "password": PASSWORD})).await
}

/// What is said of the collection of a vCenter.
pub(super) async fn collection(server: &Server, name: &str) -> Value {
    let document = "query($uuid: String!) { vcenter(uuid: $uuid) { collection { state reason message seenAt
        clockOffset clockJump clockJumpedAt unreadableCount unreadable { key why isKept } } } }";
    server.get(document, json!({"uuid": name}), "/vcenter/collection").await
}

/// Registers a vCenter; its id.
pub(super) async fn put(server: &Server, input: Value) -> String {
    let document = "mutation($input: PutVcenterInput!) { putVcenter(input: $input) { vcenter { id } } }";
    let id = server.get(document, json!({"input": input}), "/putVcenter/vcenter/id").await;
    id.as_str().unwrap().to_owned()
}

/// How the collection of a vCenter stands: state and reason.
pub(super) async fn stands(server: &Server, name: &str) -> (String, String) {
    let document = "query($uuid: String!) { vcenter(uuid: $uuid) { collection { state reason } } }";
    let stands = server.get(document, json!({"uuid": name}), "/vcenter/collection").await;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (word(&stands["state"]), word(&stands["reason"]))
}

/// Waits until a vCenter is followed.
pub(super) async fn follows(server: &Server, name: &str) {
    until("the vCenter is followed", async || (stands(server, name).await.0 == "FOLLOWING").then_some(())).await;
}

/// Every task that a server keeps of a vCenter; a key twice ends the story.
pub(super) async fn kept(server: &Server, id: &str) -> BTreeMap<String, Standing> {
    let document =
        "query($id: ID!, $after: String) { vsphereTasks(first: 1000, after: $after, filter: {vcenterId: $id}) {
        pageInfo { hasNextPage endCursor } nodes { key vsphereState cancelled entity fault } } }";
    let (mut kept, mut after) = (BTreeMap::new(), Value::Null);
    loop {
        let page = server.get(document, json!({"id": id, "after": after}), "/vsphereTasks").await;
        for task in page["nodes"].as_array().unwrap() {
            let text = |name: &str| task[name].as_str().unwrap_or_default().to_owned();
            let standing =
                (text("vsphereState").to_lowercase(), task["cancelled"] == json!(true), text("entity"), text("fault"));
            let before = kept.insert(text("key"), standing);
            assert!(before.is_none(), "{} is kept twice", task["key"]);
        }
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return kept;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Every task that a simulator remembers.
pub(super) async fn truth(simulator: &Simulator) -> BTreeMap<String, Standing> {
    let tasks = simulator.get("/tasks").await;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let standing = |task: &Value| {
        (text(&task["state"]), task["cancelled"] == json!(true), text(&task["entity"]), text(&task["fault"]))
    };
    tasks.as_array().unwrap().iter().map(|task| (text(&task["key"]), standing(task))).collect()
}

/// Waits until both sides say the same, and nothing is at work any more.
pub(super) async fn agree(server: &Server, id: &str, simulator: &Simulator) {
    until("everything has ended there", async || {
        let truth = truth(simulator).await;
        truth.values().all(|(state, ..)| state == "success" || state == "error").then_some(())
    })
    .await;
    let truth = truth(simulator).await;
    let agrees = async || (kept(server, id).await == truth).then_some(());
    if wait::attempt_within(std::time::Duration::from_secs(60), agrees).await.is_none() {
        let kept = kept(server, id).await;
        let differs = |(key, standing): &(&String, &Standing)| kept.get(*key) != Some(*standing);
        let wrong: Vec<_> =
            truth.iter().filter(differs).map(|(key, standing)| (key, standing, kept.get(key))).collect();
        let more: Vec<_> = kept.keys().filter(|key| !truth.contains_key(*key)).collect();
        panic!(
            "they do not agree: {} and {} of {}: {wrong:?} {more:?}\n{}",
            wrong.len(),
            more.len(),
            truth.len(),
            server.log()
        );
    }
}
