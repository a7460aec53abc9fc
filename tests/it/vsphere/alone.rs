//! Each vCenter on its own: what the database refuses of one stops neither another nor the rest of its own, and why one
//! does not go on is shown until it does.

use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use taskloom::store::migrate;

use super::lab::{Ground, agree, collection, follows, kept, on_both, put, register};
use super::simulator::{PASSWORD, Simulator, USER};
use crate::harness::server::until;

on_both!(what_the_database_refuses_is_one_task_s_own_fault);

/// What of one vCenter the database will not keep: a stand-in for whatever it may refuse.
const REFUSED: &str = "task-1007";

async fn what_the_database_refuses_is_one_task_s_own_fault(ground: Ground) {
    {
        let (store, _guard) = ground.store().await;
        migrate::up(&store).await.unwrap();
        let rule = match store.backend() {
            DbBackend::Postgres => format!("ALTER TABLE vsphere_task ADD CONSTRAINT never CHECK (key <> '{REFUSED}')"),
            _ => format!(
                "CREATE TRIGGER never BEFORE INSERT ON vsphere_task WHEN NEW.key = '{REFUSED}' BEGIN SELECT RAISE(ABORT, \
                 'never'); END"
            ),
        };
        store.write().execute_unprepared(&rule).await.unwrap();
        store.close().await;
    }
    let bad = Simulator::start(&["-history", "40", "-first-id", "1000"]).await;
    let good = Simulator::start(&["-history", "40"]).await;
    let server = ground.server().await;
    let bad_id = register(&server, "bad", &bad.url, &bad).await;
    let good_id = register(&server, "good", &good.url, &good).await;
    follows(&server, "bad").await;
    follows(&server, "good").await;
    for simulator in [&bad, &good] {
        simulator.post("/tasks", json!({"count": 30, "seconds": 1, "steps": 3})).await;
    }
    agree(&server, &good_id, &good).await;
    let all = super::lab::truth(&bad).await;
    assert!(all.contains_key(REFUSED));
    until("all others are kept", async || (kept(&server, &bad_id).await.len() + 1 == all.len()).then_some(())).await;
    let said = collection(&server, "bad").await;
    assert_eq!((&said["state"], &said["reason"]), (&json!("FOLLOWING"), &json!("UNREADABLE_TASKS")), "{said}");
    assert_eq!(
        (&said["unreadable"][0]["key"], &said["unreadable"][0]["isKept"]),
        (&json!(REFUSED), &json!(false)),
        "{said}"
    );
    assert_eq!(collection(&server, "good").await["unreadable"], json!([]));
    let log = server.log();
    let cause = log.lines().find(|line| line.contains("the database refuses a task of a vCenter")).unwrap();
    assert!(cause.contains(REFUSED) && cause.contains("never"), "the cause is in the log: {cause}");
}

/// A try that is under way has not mended anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_reason_stays_until_it_is_mended() {
    let ground = Ground::sqlite();
    let server = ground.server().await;
    let silent = super::hostile::silent().await;
    let simulator = Simulator::start(&[]).await;
    let input = |address: &str| {
        json!({"name": "lab", "uuid": "lab", "address": address, "user": USER, "password": PASSWORD,
            "trust": "THUMBPRINT", "trusted": simulator.sha256})
    };
    put(&server, input(&silent)).await;
    let failing = until("it does not get through", async || {
        let said = collection(&server, "lab").await;
        (said["state"] == "FAILING").then_some(said)
    })
    .await;
    assert_eq!(failing["reason"], "UNREACHABLE");
    let trying = until("it is tried again", async || {
        let said = collection(&server, "lab").await;
        (said["state"] == "CONNECTING").then_some(said)
    })
    .await;
    assert_eq!((&trying["reason"], &trying["message"]), (&failing["reason"], &failing["message"]));
    put(&server, input(&simulator.url)).await;
    follows(&server, "lab").await;
    assert_eq!(collection(&server, "lab").await["reason"], json!(null));
}
