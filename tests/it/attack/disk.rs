//! Steps that fill the disk of the data folder. A small file system of the server's own, where this host lets us mount.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::figure;
use crate::harness::disk;
use crate::harness::server::{Server, until};

/// The disk's size.
const SIZE: &str = "64m";
const SETTINGS: [(&str, &str); 3] =
    [("DATA__RESERVE", "16MiB"), ("DATABASE__ACQUIRE_TIMEOUT", "1s"), ("WORKER__GRACE", "1s")];
struct Scene {
    server: Server,
    place: PathBuf,
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn start(settings: &[(&str, &str)]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("disk");
        std::fs::create_dir(&place).unwrap();
        let Some(command) = disk::command(SIZE, &place) else {
            eprintln!("this host lets nobody mount: no disk can be filled");
            return None;
        };
        let all: Vec<(&str, &str)> = SETTINGS.iter().chain(settings).copied().collect();
        let server = Server::start_within(command, &place.join("data"), &all).await;
        let scene = Self { server, place, _folder: folder };
        until("the reserve is there", async || scene.seen("data/reserve").exists().then_some(())).await;
        Some(scene)
    }

    /// A path on the disk as the server sees it.
    fn seen(&self, path: &str) -> PathBuf {
        disk::seen(&self.server, &self.place).join(path)
    }

    async fn step(&self, subtask: Value) -> Value {
        let task = self.server.submit(json!([subtask])).await;
        let document = "query($id: ID!) { task(id: $id) { state subtasks { attempts { state message } } } }";
        let ended = until("the task ends", async || {
            // While the disk is full it may be answered later.
            let answer = self.server.ask(document, json!({"id": task})).await;
            let task = answer.pointer("/data/task")?;
            ["SUCCESSFUL", "FAILED"].iter().any(|end| task["state"] == *end).then(|| task.clone())
        });
        ended.await["subtasks"][0]["attempts"][0].clone()
    }

    /// It works as before, without a restart.
    async fn works(&self) {
        until("it is ready", async || (self.server.probe("/readyz").await.0 == 200).then_some(())).await;
        let after = until("work is accepted", async || self.server.try_submit("after").await.ok()).await;
        self.server.wait(&after, "SUCCESSFUL: a SUCCESSFUL").await;
        until("the reserve is back", async || self.seen("data/reserve").exists().then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_fills_the_disk_and_ends() {
    let Some(scene) = Scene::start(&[]).await else { return };
    let attempt = scene.step(json!({"name": "a", "run": {"shell": "dd if=/dev/zero of=big bs=1M"}})).await;
    assert_eq!(attempt["state"], "FAILED", "{attempt}\n{}", scene.server.log());
    scene.works().await;
    let found = format!("{}; work goes on", attempt["message"]);
    figure::note(
        "disk",
        "a step fills the data disk",
        "its end is recorded, and work goes on without a restart",
        &found,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_fills_the_disk_and_goes_on_trying() {
    let Some(scene) = Scene::start(&[]).await else { return };
    let code = "while :; do dd if=/dev/zero bs=64k count=1 >> big 2>/dev/null; done";
    let attempt = scene.step(json!({"name": "a", "run": {"shell": code}})).await;
    assert_eq!(attempt["state"], "FAILED", "{attempt}");
    assert!(attempt["message"].as_str().unwrap().starts_with("DISK_FULL"), "{attempt}\n{}", scene.server.log());
    scene.works().await;
    let found = attempt["message"].as_str().unwrap();
    figure::note("disk", "a step fills the data disk and never ends", "it is ended by name; work goes on", found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_takes_more_than_its_folder_may() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[("WORKER__FOLDER_LIMIT", "2MiB")]).await;
    let code = "mkdir -p a/b; chmod 0 a; chmod 700 a; dd if=/dev/zero of=a/b/big bs=1M count=8; chmod 0 a; sleep 60";
    let limited =
        json!({"name": "b", "limits": {"fileSize": "1MiB"}, "run": {"shell": "dd if=/dev/zero of=big bs=1M count=2"}});
    let task = server.submit(json!([{"name": "a", "run": {"shell": code}}, limited])).await;
    server.wait(&task, "FAILED: a FAILED, b FAILED").await;
    let document = "query($id: ID!) { task(id: $id) { subtasks { attempts { message } } } }";
    let task = server.get(document, json!({"id": task}), "/task/subtasks").await;
    let message = task[0]["attempts"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("FOLDER_TOO_LARGE"), "{task}");
    assert!(task[1]["attempts"][0]["message"].as_str().unwrap().contains("File size limit"), "{task}");
    figure::note(
        "disk",
        "a step writes more than `worker.folder_limit`",
        "it is ended by name within seconds",
        message,
    );
}
