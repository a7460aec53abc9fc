//! The command line before a graph that answers as no right one does: how it asks, and what it makes of refusals.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::stage::Started;
use super::taskloom;
use crate::harness::wait;

/// What the graph answers to the document of this name, and what it was asked with.
#[derive(Clone)]
struct Fake {
    answers: Arc<Answers>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// By the document's name, and how often it was asked before.
type Answers = dyn Fn(&str, usize) -> Value + Send + Sync;

/// A document's name, and each `Accept` that came with it.
type Asked = (String, Vec<String>);

impl Fake {
    fn times(&self, operation: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == operation).count()
    }
}

async fn answer(State(fake): State<Fake>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let query = body["query"].as_str().unwrap();
    let operation = query.split_whitespace().nth(1).unwrap().split('(').next().unwrap().to_owned();
    let accept: Vec<String> =
        headers.get_all(header::ACCEPT).iter().map(|value| value.to_str().unwrap().to_owned()).collect();
    let time = fake.times(&operation);
    fake.asked.lock().unwrap().push((operation.clone(), accept));
    if query.contains("subscription ") {
        let silence = futures::stream::pending::<Result<axum::response::sse::Event, std::convert::Infallible>>();
        return axum::response::Sse::new(silence).into_response();
    }
    (StatusCode::OK, Json((fake.answers)(&operation, time))).into_response()
}

/// Starts `run --follow --cancel-on-interrupt` before it.
async fn follow(answers: impl Fn(&str, usize) -> Value + Send + Sync + 'static) -> (Fake, Started, tempfile::TempDir) {
    let fake = Fake { answers: Arc::new(answers), asked: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/graphql", post(answer)).with_state(fake.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), "{name: a, subtasks: [{name: a, run: {noop: {}}}]}").unwrap();
    let mut command = taskloom();
    command.current_dir(folder.path()).args(["run", "a.yaml", "--follow", "--cancel-on-interrupt", "--server", &url]);
    let started = Started::new(command, folder.path());
    (fake, started, folder)
}

fn submitted() -> Value {
    json!({"data": {"submitTask": {"task": {"id": "VGFzazo3", "databaseId": 7, "state": "RUNNING"}}}})
}

fn stands(state: &str) -> Value {
    json!({"data": {"node": {"databaseId": 7, "name": "a", "state": state, "progress": 0.0, "message": null, "subtasks": []}}})
}

fn refused(code: &str) -> Value {
    json!({"data": null, "errors": [{"message": format!("it is {code}"), "extensions": {"code": code}}]})
}

async fn is_asked(fake: &Fake, operation: &str) {
    let asked = async || (fake.times(operation) > 0).then_some(());
    wait::until_within(Duration::from_secs(40), operation, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_says_once_what_it_takes() {
    let (fake, started, _folder) = follow(|operation, time| match (operation, time) {
        ("Submit", _) => submitted(),
        ("Watch", 0) => stands("RUNNING"),
        _ => stands("SUCCESSFUL"),
    })
    .await;
    assert_eq!(started.ended().await, (0, "task 7 (a) successful\n".into(), String::new()));
    let asked = fake.asked.lock().unwrap().clone();
    let kinds: std::collections::BTreeSet<_> =
        asked.iter().map(|(name, accept)| format!("{name}: {accept:?}")).collect();
    let wanted = ["Bell: [\"text/event-stream\"]", "Submit: [\"application/json\"]", "Watch: [\"application/json\"]"];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_cancellation_is_no_success() {
    let (fake, started, _folder) = follow(|operation, _| match operation {
        "Submit" => submitted(),
        "Cancel" => refused("FORBIDDEN"),
        _ => stands("RUNNING"),
    })
    .await;
    is_asked(&fake, "Watch").await;
    started.signal(Signal::SIGINT);
    let (status, output, errors) = started.ended().await;
    assert_eq!((status, output.as_str()), (1, ""));
    assert!(errors.ends_with("error: it is FORBIDDEN\n"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_is_asked_for_again_while_the_server_is_away_and_needless_when_the_task_has_ended() {
    let (fake, started, _folder) = follow(|operation, time| match (operation, time) {
        ("Submit", _) => submitted(),
        ("Cancel", 0 | 1) => refused("DATABASE_UNAVAILABLE"),
        ("Cancel", _) => refused("OPERATION_NOT_ALLOWED"),
        ("Watch", 0) => stands("RUNNING"),
        _ => stands("SUCCESSFUL"),
    })
    .await;
    is_asked(&fake, "Bell").await;
    is_asked(&fake, "Watch").await;
    started.signal(Signal::SIGINT);
    let (status, output, errors) = started.ended().await;
    assert_eq!((status, output.as_str()), (0, "task 7 (a) successful\n"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_waits_for_nothing() {
    let (fake, started, _folder) = follow(|operation, _| match operation {
        "Submit" => submitted(),
        "Cancel" => refused("DATABASE_UNAVAILABLE"),
        _ => stands("RUNNING"),
    })
    .await;
    is_asked(&fake, "Watch").await;
    started.signal(Signal::SIGINT);
    is_asked(&fake, "Cancel").await;
    started.signal(Signal::SIGINT);
    let (status, output, errors) = started.ended().await;
    assert_eq!((status, output.as_str()), (130, ""));
    assert!(errors.ends_with("task 7 is left to the server\n"), "{errors}");
}
