//! A crowd of readers has every connection that readers can have: work goes on, and leases are renewed.

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};
use taskloom::worker::port::{Acceptance, Port};

use super::bench::within;
use super::lab::{LEASE, Lab as Bench, OVER};
use super::recovery::succeeded;
use super::step::{noop, shell};

stories!(a_crowd_of_readers_keeps_nobody_from_work);

async fn a_crowd_of_readers_keeps_nobody_from_work(lab: Bench) {
    lab.submit("long", &[shell("a", "true"), noop("b").needs("a")]).await;
    let worker = lab.worker().await;
    let readers = crowd(&lab).await;
    let work = within("work", worker.take()).await;
    for _ in 0..6 {
        lab.clock.advance(LEASE / 2);
        assert!(within("a renewal", worker.dispatcher.renew(&worker.session)).await.unwrap().is_some());
        assert_eq!(within("a look", lab.recover()).await, 0);
    }
    within("a look at intents", worker.dispatcher.intents(&worker.session, LEASE / 3)).await.unwrap();
    assert_eq!(
        within("an end", worker.dispatcher.finish(succeeded(work.attempt))).await.unwrap(),
        [Acceptance::Accepted]
    );
    let next = within("work", worker.take()).await;
    assert_eq!(
        within("an end", worker.dispatcher.finish(succeeded(next.attempt))).await.unwrap(),
        [Acceptance::Accepted]
    );
    drop(readers);
    lab.clock.advance(OVER);
    assert_eq!(lab.ask("{ tasks { nodes { state } } }").await.0["tasks"]["nodes"][0]["state"], "SUCCESSFUL");
}

/// Takes connections of the readers until there are none.
async fn crowd(lab: &Bench) -> Vec<DatabaseTransaction> {
    let mut crowd = vec![];
    while let Ok(reader) = lab.store().read().begin().await {
        // On SQLite, too, it holds what it sees from here on.
        reader
            .query_all_raw(sea_orm::Statement::from_string(lab.store().backend(), "SELECT id FROM task"))
            .await
            .unwrap();
        crowd.push(reader);
        assert!(crowd.len() < 100, "the pool has an end");
    }
    assert!(!crowd.is_empty());
    crowd
}
