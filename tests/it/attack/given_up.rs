//! Statements of requests end with their requests: by their time, and as soon as nobody waits for them.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use taskloom::asker;
use taskloom::store::Store;
use taskloom::store::open::{DatabasePlace, Pools, open};
use tokio::time::timeout;

use super::figure::note;
use crate::harness::postgres;

/// How long what was given up may go on.
const SOON: Duration = Duration::from_secs(1);
/// How long a statement of a request may work here.
const TIME: Duration = Duration::from_secs(2);

#[tokio::test]
async fn what_is_given_up_stops_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    what_is_given_up_stops(DatabasePlace::Folder(folder.path().into()), "SQLite").await;
}

#[tokio::test]
async fn what_is_given_up_stops_on_postgres() {
    let database = postgres::database().await;
    what_is_given_up_stops(DatabasePlace::Postgres(database.url.clone()), "PostgreSQL").await;
}

async fn what_is_given_up_stops(place: DatabasePlace, database: &str) {
    let pools = Pools { connections: 7, acquire: Duration::from_secs(10), statement: TIME };
    let (store, _guard) = open(&place, pools).await.unwrap();
    for pool in [store.read(), store.write()] {
        let begun = Instant::now();
        timeout(Duration::from_millis(200), asker::wait_for(endless(pool))).await.unwrap_err();
        let given_up = Instant::now();
        while let Some(at_work) = at_work(&store).await {
            assert!(given_up.elapsed() < SOON, "it still works: {at_work}");
        }
        // The one connection that writes is free again.
        asker::wait_for(pool.query_one_raw(Statement::from_string(pool.get_database_backend(), "SELECT 1")))
            .await
            .unwrap();
        let stopped = given_up.elapsed();
        assert!(stopped < SOON, "{stopped:?}");
        assert!(begun.elapsed() < TIME, "it was not its time that ended it");
        let attack = format!("a statement without end, whose request is given up after 200 ms, {database}");
        note(
            "given_up::what_is_given_up_stops",
            &attack,
            "it stops within 1 s",
            &format!("{} ms", stopped.as_millis()),
        );

        let begun = Instant::now();
        asker::wait_for(endless(pool)).await.unwrap_err();
        assert!(begun.elapsed() >= TIME && begun.elapsed() < TIME + SOON, "{:?}", begun.elapsed());
    }
    // What nobody asked for may take its time.
    let engine = &store.own().read;
    timeout(TIME + SOON, endless(engine)).await.unwrap_err();
}

async fn endless(pool: &sea_orm::DatabaseConnection) -> Result<(), sea_orm::DbErr> {
    let sql = match pool.get_database_backend() {
        DbBackend::Postgres => "SELECT pg_sleep(3600)::text",
        _ => "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    };
    pool.query_one_raw(Statement::from_string(pool.get_database_backend(), sql)).await.map(drop)
}

/// What PostgreSQL still works at; SQLite tells by the connection that is not free.
async fn at_work(store: &Store) -> Option<String> {
    if store.backend() != DbBackend::Postgres {
        return None;
    }
    let sql = "SELECT query FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' \
               AND pid <> pg_backend_pid() AND datname = current_database()";
    let row = store.lease().query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    row.map(|row| row.try_get("", "query").unwrap())
}
