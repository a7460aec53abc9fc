//! A worker that knows its dispatcher by texts alone: each question and each answer goes through JSON on its way, as it
//! will over a connection. It does all that the worker in the server's process does.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use taskloom::clock::Clock;
use taskloom::executor::{Host, HostOptions, TreeChoice};
use taskloom::log::LogChunk;
use taskloom::resolver::secret;
use taskloom::rows::PackedPart;
use taskloom::vault::Hidden;
use taskloom::worker::options::{WorkerOptions, WorkerStops};
use taskloom::worker::port::{
    Acceptance, Assignment, AttemptEnd, AttemptEquipment, AttemptNeeds, AttemptRef, AttemptReport, Intent, Port,
    PortResult, WorkerRegistration, WorkerSession,
};
use taskloom::worker::session::Worker;
use taskloom_entity::Timestamp;

use super::bench::{until, within};
use super::lab::Lab as Bench;
use super::step::shell;

stories!(a_worker_works_through_texts_alone);

/// A dispatcher behind JSON.
struct Wire<P>(P);

/// There and back.
fn sent<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn answered<T: Serialize + DeserializeOwned>(answer: PortResult<T>) -> PortResult<T> {
    match answer {
        Ok(value) => Ok(sent(&value)),
        Err(error) => Err(sent(&error)),
    }
}

#[async_trait]
impl<P: Port> Port for Wire<P> {
    async fn register(&self, worker: WorkerRegistration) -> PortResult<WorkerSession> {
        answered(self.0.register(sent(&worker)).await)
    }

    async fn claim(&self, session: &WorkerSession, free: usize) -> PortResult<Vec<Assignment>> {
        answered(self.0.claim(&sent(session), free).await)
    }

    async fn renew(&self, session: &WorkerSession) -> PortResult<Option<Timestamp>> {
        answered(self.0.renew(&sent(session)).await)
    }

    async fn intents(&self, session: &WorkerSession, within: Duration) -> PortResult<Vec<(AttemptRef, Intent)>> {
        answered(self.0.intents(&sent(session), within).await)
    }

    async fn append(&self, attempt: AttemptRef, first_line: i64, chunks: Vec<LogChunk>) -> PortResult<Acceptance> {
        answered(self.0.append(sent(&attempt), first_line, sent(&chunks)).await)
    }

    async fn trim(&self, attempt: AttemptRef, first_lines: Vec<i64>) -> PortResult<Acceptance> {
        answered(self.0.trim(sent(&attempt), first_lines).await)
    }

    async fn equip(&self, attempt: AttemptRef, needs: &AttemptNeeds) -> PortResult<AttemptEquipment> {
        answered(self.0.equip(sent(&attempt), &sent(needs)).await)
    }

    async fn keep(&self, attempt: AttemptRef, parts: Vec<PackedPart>) -> PortResult<Acceptance> {
        answered(self.0.keep(sent(&attempt), sent(&parts)).await)
    }

    async fn report(&self, attempt: AttemptRef, report: AttemptReport) -> PortResult<()> {
        answered(self.0.report(sent(&attempt), sent(&report)).await)
    }

    async fn finish(&self, ends: Vec<AttemptEnd>) -> PortResult<Vec<Acceptance>> {
        answered(self.0.finish(sent(&ends)).await)
    }

    async fn leave(&self, session: &WorkerSession) -> PortResult<()> {
        answered(self.0.leave(&sent(session)).await)
    }
}

/// A worker with one slot that runs real processes below this folder.
pub(super) fn worker(lab: &Bench, port: Arc<dyn Port>, folder: &Path) -> Worker {
    let options = WorkerOptions {
        registration: WorkerRegistration { name: "w".into(), labels: vec![], slots: 1, isolation: "none".into() },
        renew: Duration::from_millis(50),
        grace: Duration::from_secs(1),
        patience: Duration::from_millis(1),
        folder: folder.join("attempts"),
        log_limit: 1 << 20,
        log_chunk: 1 << 16,
        log_flush: Duration::from_millis(100),
    };
    let host = HostOptions { way: TreeChoice::Best, ..HostOptions::new(folder) };
    Worker {
        port,
        host: Host::detect(&host).unwrap(),
        clock: lab.clock.clone() as Arc<dyn Clock>,
        options,
        observer: lab.store().metrics().clone(),
    }
}

const STANDS: &str =
    "{ tasks { nodes { state subtasks { state output attempts { message state } log { lines { text } } }
    events(first: 100) { nodes { message } } } } }";

async fn a_worker_works_through_texts_alone(lab: Bench) {
    let (request, tenant) = lab.door();
    secret::put(request, Some(tenant), "token", &Hidden::new("by the wire".to_owned())).await.unwrap();
    let code = "echo one; echo ::progress 0.5 half; echo ::warning careful; test \"$TASKLOOM_SECRET_token\" = 'by the wire' || exit 4
        echo ::output key=value";
    let steps = [
        shell("a", code).with("secrets", json!(["token"])),
        shell("b", "test \"$TASKLOOM_PARAM_key\" = value || exit 5; echo two >&2; exit 3").needs("a"),
    ];
    lab.submit("t", &steps).await;
    let folder = tempfile::tempdir().unwrap();
    let port = Arc::new(Wire(lab.dispatcher(lab.clock.clone())));
    let stops = WorkerStops::default();
    let works = tokio::spawn(worker(&lab, port, folder.path()).run(stops.clone()));
    let ended = async || {
        let task = lab.ask(STANDS).await.0["tasks"]["nodes"][0].clone();
        (task["state"] == "FAILED").then_some(task)
    };
    let task = until("it ends", ended).await;
    let (a, b) = (&task["subtasks"][0], &task["subtasks"][1]);
    assert_eq!((&a["state"], &a["output"]), (&json!("SUCCESSFUL"), &json!({"key": "value"})), "{task}");
    assert!(a["log"].to_string().contains("one") && task["events"].to_string().contains("careful"), "{task}");
    assert_eq!(b["attempts"], json!([{"message": "exit status 3: two", "state": "FAILED"}]), "{task}");
    stops.gently.cancel();
    within("the worker ends", works).await.unwrap();
    assert_eq!(lab.count("worker WHERE state = 'STOPPED'").await, 1);
}
