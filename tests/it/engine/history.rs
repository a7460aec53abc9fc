//! The latest steps of the schema's history, up, down and up again with rows in their tables: what a former version knows
//! of them stays as it was, whatever a later one has written.

use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Statement};
use sea_orm_migration::MigratorTrait;
use taskloom::store::open::{DatabasePlace, Pools, open};
use taskloom::store::{Store, migrate};
use taskloom_migration::Migrator;

use crate::harness::postgres;

/// The step before them.
const BEFORE: &str = "m0018_audit_address";
/// What the former version knows of its rows.
const KNOWN: [(&str, &str); 3] = [
    ("audit", "id || ' ' || at || ' ' || actor || ' ' || action || ' ' || object || ' ' || outcome || ' ' || address"),
    ("api_token", "id || ' ' || user_id || ' ' || name || ' ' || digest || ' ' || role || ' ' || created_at"),
    ("worker", "id || ' ' || name || ' ' || labels || ' ' || slots || ' ' || state || ' ' || lease_ms"),
];
/// What the later one adds, and writes.
const ADDED: [(&str, &str, &str); 3] =
    [("audit", "token_id", "7"), ("api_token", "subscriptions", "900"), ("worker", "isolation", "'landlock'")];

#[tokio::test]
async fn rows_stay_on_the_way_down_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    rows_stay_on_the_way_down(&DatabasePlace::Folder(folder.path().into())).await;
}

#[tokio::test]
async fn rows_stay_on_the_way_down_on_postgres() {
    let database = postgres::database().await;
    rows_stay_on_the_way_down(&DatabasePlace::Postgres(database.url.clone())).await;
}

async fn rows_stay_on_the_way_down(place: &DatabasePlace) {
    let pools = Pools { connections: 2, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, _guard) = open(place, pools).await.unwrap();
    let all = Migrator::migrations();
    let former = all.iter().position(|step| step.name() == BEFORE).unwrap() + 1;
    let [former, later] = [former, all.len() - former].map(|steps| u32::try_from(steps).unwrap());
    Migrator::up(store.write(), Some(former)).await.unwrap();
    fill(&store).await;
    let kept = known(&store).await;
    assert_eq!(kept.len(), 4);

    migrate::up(&store).await.unwrap();
    assert_eq!(known(&store).await, kept);
    assert_eq!(added(&store).await, ["null"; 4], "of rows that are there nobody knows it");
    for (table, column, value) in ADDED {
        run(&store, &format!("UPDATE {table} SET {column} = {value}")).await;
    }
    run(&store, "UPDATE pulse SET beats = beats + 5").await;
    assert_eq!(texts(&store, "SELECT '' || beats AS text FROM pulse").await, ["5"], "there is one row to write");
    assert_eq!(added(&store).await, ["7", "7", "900", "landlock"]);

    migrate::down(&store, Some(later)).await.unwrap();
    assert_eq!(known(&store).await, kept);
    for (table, column, _) in ADDED {
        assert!(query(&store, &format!("SELECT {column} FROM {table}")).await.is_err(), "{table}.{column} is gone");
    }
    assert!(query(&store, "SELECT beats FROM pulse").await.is_err());

    migrate::up(&store).await.unwrap();
    assert_eq!(known(&store).await, kept);
    assert_eq!(added(&store).await, ["null"; 4], "what was taken back is not there again");
    assert_eq!(texts(&store, "SELECT '' || beats AS text FROM pulse").await, ["0"]);
}

async fn fill(store: &Store) {
    for sql in [
        "INSERT INTO app_user (id, name, role, disabled, created_at) VALUES (1, 'ada', 'ADMIN', FALSE, 1)",
        "INSERT INTO api_token (id, user_id, name, digest, role, created_at) VALUES (1, 1, 't', 'd', 'VIEWER', 2)",
        "INSERT INTO worker (id, name, labels, slots, state, lease_until, started_at, seen_at, renewals, lease_ms) \
         VALUES ('w', 'host', 'gpu,linux', 4, 'ALIVE', 9, 3, 4, 2, 15000)",
        "INSERT INTO audit (id, at, actor, action, object, outcome, request_id, address) VALUES \
         (1, 5, 'ada', 'task.retry', 'task:1', 'DONE', 'r', '10.0.0.1'), \
         (2, 6, 'ann', 'tenant.create', 'tenant:red', 'REFUSED', 'q', '10.0.0.2')",
    ] {
        run(store, sql).await;
    }
}

async fn known(store: &Store) -> Vec<String> {
    let mut rows = vec![];
    for (table, columns) in KNOWN {
        rows.extend(texts(store, &format!("SELECT {columns} AS text FROM {table} ORDER BY id")).await);
    }
    rows
}

async fn added(store: &Store) -> Vec<String> {
    let mut rows = vec![];
    for (table, column, _) in ADDED {
        let sql = format!("SELECT COALESCE('' || {column}, 'null') AS text FROM {table} ORDER BY id");
        rows.extend(texts(store, &sql).await);
    }
    rows
}

async fn texts(store: &Store, sql: &str) -> Vec<String> {
    let rows = query(store, sql).await.unwrap();
    rows.iter().map(|row| row.try_get("", "text").unwrap()).collect()
}

async fn query(store: &Store, sql: &str) -> Result<Vec<QueryResult>, sea_orm::DbErr> {
    store.write().query_all_raw(Statement::from_string(store.backend(), sql)).await
}

async fn run(store: &Store, sql: &str) {
    store.write().execute_unprepared(sql).await.unwrap();
}
