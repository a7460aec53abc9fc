//! Answers that are lost on their way: what is sent again is there once, and what was claimed for nobody is not stuck.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use taskloom::clock::SystemClock;
use taskloom::engine::dispatcher::{Dispatcher, DispatcherTools};
use taskloom::store::open::{DatabasePlace, Pools, beside};
use taskloom::task::command::execute::Outcome;
use taskloom::vault::Vault;
use taskloom::worker::port::{Acceptance, Port, WorkerRegistration, WorkerSession};
use tokio_util::sync::CancellationToken;

use super::bench::{Bench as Server, until, within};
use super::lab::Lab as Bench;
use super::recovery::{said, succeeded};
use super::step::{noop, shell};

stories!(what_is_sent_twice_is_there_once, what_nobody_takes_any_more_is_given_back_at_once);

const STANDS: &str = "{ tasks { nodes { state subtasks { state attempts { state } log { lines { text } } } } } }";

async fn what_is_sent_twice_is_there_once(lab: Bench) {
    lab.submit("t", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let work = worker.take().await;
    let say = async |line, text| worker.dispatcher.append(work.attempt, line, said(text)).await;
    for (line, text) in [(1, "one\n"), (1, "one\n"), (2, "two\n"), (2, "two\n"), (1, "one\n")] {
        assert_eq!(say(line, text).await.unwrap(), Acceptance::Accepted);
    }
    assert_eq!(say(9, "nine\n").await.unwrap_err().code, "INTERNAL", "there is nothing before it");

    assert_eq!(worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(), [Acceptance::Accepted]);
    let told = lab.count("task_event").await;
    assert_eq!(
        worker.dispatcher.finish(succeeded(work.attempt)).await.unwrap(),
        [Acceptance::Accepted],
        "that was this very end"
    );
    let mut other = succeeded(work.attempt);
    other[0].outcome = Outcome::Failed;
    assert_eq!(worker.dispatcher.finish(other).await.unwrap(), [Acceptance::Refused]);
    assert_eq!(lab.count("task_event").await, told);
    let a = json!({"state": "SUCCESSFUL", "attempts": [{"state": "SUCCESSFUL"}],
        "log": {"lines": [{"text": "one"}, {"text": "two"}]}});
    let task = json!({"state": "SUCCESSFUL", "subtasks": [a]});
    assert_eq!(lab.ask(STANDS).await.0, json!({"tasks": {"nodes": [task]}}));
}

async fn what_nobody_takes_any_more_is_given_back_at_once(lab: Bench) {
    lab.submit("t", &[shell("a", "true")]).await;
    let worker = lab.worker().await;
    let held = lab.hold_claims().await;
    let before = lab.statements();
    let seen = until("the work is seen", async || (lab.statements() > before).then_some(()));
    tokio::select! {
        _ = worker.dispatcher.claim(&worker.session, 1) => panic!("nothing can be claimed"),
        () = seen => {}
    }
    // The worker has gone, and its claim comes through.
    held.rollback().await.unwrap();
    until("it is given back", async || {
        let stands = lab.ask(STANDS).await.0;
        (stands.pointer("/tasks/nodes/0/subtasks/0/attempts") == Some(&json!([{"state": "LOST"}]))).then_some(())
    })
    .await;
    let again = worker.take().await;
    assert_eq!(again.number, 2);
    assert_eq!(worker.dispatcher.finish(succeeded(again.attempt)).await.unwrap(), [Acceptance::Accepted]);
}

const SHORT: [(&str, &str); 2] = [("worker.lease", "2s"), ("worker.renew", "500ms")];

#[tokio::test(flavor = "multi_thread")]
async fn what_never_came_to_its_worker_is_lost_on_sqlite() {
    let server = Server::with(&SHORT).await;
    let place = DatabasePlace::Folder(server.settings.data_dir.clone());
    what_never_came_to_its_worker_is_lost(server, place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_came_to_its_worker_is_lost_on_postgres() {
    let (server, url) = Server::postgres_with(&SHORT).await;
    what_never_came_to_its_worker_is_lost(server, DatabasePlace::Postgres(url)).await;
}

/// Another dispatcher claims in the name of the server's worker, which is never told: as if the answer had been lost.
async fn what_never_came_to_its_worker_is_lost(server: Server, place: DatabasePlace) {
    let store =
        beside(&place, Pools { connections: 2, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) })
            .await
            .unwrap();
    let lease = Duration::from_secs(60);
    let (clock, vault) = (Arc::new(SystemClock), Vault::fleeting());
    let name = taskloom::store::worker::alive(store.read()).await.unwrap().remove(0).id;
    let elsewhere = store.clone();
    let (dispatcher, dispatch) = Dispatcher::open(DispatcherTools {
        store,
        clock,
        bell: Default::default(),
        live: Default::default(),
        lease,
        vault,
    });
    tokio::spawn(dispatch.run(CancellationToken::new()));
    let mine = dispatcher
        .register(WorkerRegistration {
            name: "mine".into(),
            labels: vec!["mine".into()],
            slots: 1,
            isolation: "none".into(),
        })
        .await
        .unwrap();

    // Nothing else can be claimed by the wrong dispatcher: the others come once this one is taken.
    let task = server.admin.submit("t", &[shell("a", "true").with("workers", json!(["mine"]))]).await;
    // The other dispatcher reads the labels of a session that it has not begun itself; the server's knows them already.
    let labels = format!("UPDATE worker SET labels = 'mine' WHERE id = '{name}'");
    elsewhere.write().execute_unprepared(&labels).await.unwrap();
    let theirs = WorkerSession { id: name, lease };
    let lost = within("the work is claimed", dispatcher.claim(&theirs, 1)).await.unwrap().remove(0);
    let go = server.file("go");
    let code = format!("until test -e {go}; do sleep 0.02; done");
    let slow = server.admin.submit("slow", &[shell("a", &code)]).await;
    let quick = server.admin.submit("quick", &[noop("a"), noop("b").needs("a")]).await;
    let attempts = async |task: &str| server.admin.subtask(task, "a", "attempts { state }").await["attempts"].clone();
    until("slow is taken", async || (attempts(&slow).await == json!([{"state": "RUNNING"}])).then_some(())).await;
    server.admin.wait(&quick, "SUCCESSFUL").await;
    until("it is given back", async || (attempts(&task).await == json!([{"state": "LOST"}])).then_some(())).await;
    assert_eq!(dispatcher.finish(succeeded(lost.attempt)).await.unwrap(), [Acceptance::Refused]);

    let again = within("it is there again", dispatcher.claim(&mine, 1)).await.unwrap().remove(0);
    assert_eq!(dispatcher.finish(succeeded(again.attempt)).await.unwrap(), [Acceptance::Accepted]);
    server.admin.wait(&task, "SUCCESSFUL").await;
    // What did come is not mistaken for such, though it ran all the time.
    std::fs::write(&go, "").unwrap();
    for task in [&slow, &quick] {
        server.admin.wait(task, "SUCCESSFUL").await;
        assert_eq!(attempts(task).await, json!([{"state": "SUCCESSFUL"}]));
    }
    let end: Value = attempts(&task).await;
    assert_eq!(end, json!([{"state": "LOST"}, {"state": "SUCCESSFUL"}]));
}
