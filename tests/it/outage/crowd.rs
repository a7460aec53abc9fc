//! Questions that never end take every connection that questions can have. What runs goes on, keeps its lease, and ends.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use serde_json::json;

use super::{attempts, talker};
use crate::harness::postgres;
use crate::harness::server::{Server, until};

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_never_end_keep_nobody_from_work() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("DATABASE_URL", database.url.as_str()),
        ("DATABASE__ACQUIRE_TIMEOUT", "1s"),
        ("WORKER__LEASE", "3s"),
        ("WORKER__RENEW", "500ms"),
    ];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    let go = folder.path().join("go");
    let slow = talker(&server, &go).await;
    let mut options = ConnectOptions::new(&database.url);
    options.max_connections(2);
    let outside = Database::connect(options).await.unwrap();

    let lock = outside.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE data_source IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let crowd: Vec<_> = (0..40)
        .map(|_| {
            let request =
                server.request("POST", "/graphql").basic_auth("admin", Some(crate::harness::server::PASSWORD));
            tokio::spawn(request.json(&json!({"query": "{ dataSources { nodes { id } } }"})).send())
        })
        .collect();
    until("no question is answered any more", async || {
        let answer = server.ask("{ tasks { totalCount } }", json!({})).await;
        (answer.pointer("/errors/0/extensions/code") == Some(&json!("DATABASE_UNAVAILABLE"))).then_some(())
    })
    .await;
    // Twice its lease.
    let before = number(&outside, "SELECT MAX(renewals) AS number FROM worker").await;
    until("it is renewed", async || {
        (number(&outside, "SELECT MAX(renewals) AS number FROM worker").await >= before + 9).then_some(())
    })
    .await;
    std::fs::write(&go, "").unwrap();
    let ended = "SELECT COUNT(*) AS number FROM attempt WHERE state = 'SUCCESSFUL'";
    until("its end is recorded meanwhile", async || (number(&outside, ended).await == 1).then_some(())).await;
    assert!(crowd.iter().any(|question| !question.is_finished()), "some wait still");

    lock.rollback().await.unwrap();
    for question in crowd {
        question.await.unwrap().unwrap();
    }
    server.wait(&slow, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&server, &slow).await, json!(["SUCCESSFUL"]), "it did not run again");
}

async fn number(outside: &DatabaseConnection, sql: &str) -> i64 {
    let row = outside.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.unwrap().try_get("", "number").unwrap()
}

/// Two servers on clocks of their own: a step that runs at one is left alone by the other for as long as it renews.
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_leaves_alone_what_is_renewed() {
    let database = postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let short = [("DATABASE_URL", database.url.as_str()), ("WORKER__LEASE", "2s"), ("WORKER__RENEW", "500ms")];
    let first = Server::start(&folder.path().join("first"), &short).await;
    let go = folder.path().join("go");
    let slow = talker(&first, &go).await;
    let second = Server::start(&folder.path().join("second"), &short).await;
    let outside = Database::connect(&database.url).await.unwrap();
    // What a server writes whose clock is an hour behind, or ahead: nobody decides by it.
    for shift in ["-3600000000", "7200000000"] {
        let set = format!("UPDATE worker SET lease_until = lease_until + {shift}, seen_at = seen_at + {shift}");
        outside.execute_unprepared(&set).await.unwrap();
        let before = number(&outside, "SELECT SUM(renewals)::bigint AS number FROM worker").await;
        until("they renew", async || {
            let now = number(&outside, "SELECT SUM(renewals)::bigint AS number FROM worker").await;
            (now >= before + 16).then_some(())
        })
        .await;
    }
    std::fs::write(&go, "").unwrap();
    second.wait(&slow, "SUCCESSFUL: talk SUCCESSFUL").await;
    assert_eq!(attempts(&second, &slow).await, json!(["SUCCESSFUL"]));
    assert_eq!(number(&outside, "SELECT COUNT(*) AS number FROM worker WHERE state = 'LOST'").await, 0);
    drop(first);
}
