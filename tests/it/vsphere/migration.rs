//! What the schema's history makes of rows that are there: up, down, and up again.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;
use taskloom::store::{Store, migrate};
use taskloom_migration::Migrator;

use super::lab::{Ground, on_both};

on_both!(tasks_that_are_kept_twice_become_one);

/// A moment, in microseconds.
const AT: i64 = 1_700_000_000_000_000;

async fn tasks_that_are_kept_twice_become_one(ground: Ground) {
    let (store, _guard) = ground.store().await;
    Migrator::up(store.write(), Some(11)).await.unwrap();
    fill(&store).await;
    migrate::up(&store).await.unwrap();
    let once = rows(&store).await;
    let expected = [
        // Microseconds live, milliseconds with an error of rounding from the history: the end is kept, exactly.
        (2, format!("task-1 SUCCESS {}", AT + 713_742)),
        // Three precisions; the guess of ours says least.
        (4, format!("task-2 RUNNING {}", AT + 500_001_234)),
        // A second apart, another vCenter, another key: others.
        (6, format!("task-3 SUCCESS {AT}")),
        (7, format!("task-3 SUCCESS {}", AT + 1_000_000)),
        (8, format!("task-3 SUCCESS {}", AT + 1_000)),
        // A chain: its ends are further apart than a second, and its middle goes to the better of them.
        (9, format!("task-4 SUCCESS {}", AT + 100_500)),
        (11, format!("task-4 RUNNING {}", AT + 1_800_000)),
    ];
    assert_eq!(once, expected.into());
    assert_eq!(events(&store).await, "1:2 2:2 3:4 4:4 5:4 6:6 7:9");
    assert_eq!(seen(&store, 2).await, 10, "it was seen when the first of them was");
    let (name, object) = texts(&store).await;
    let is_clean = if store.backend() == DbBackend::Postgres { "a b" } else { "a\u{fffd}b" };
    assert_eq!((name.as_str(), object.as_str()), (is_clean, is_clean));
    let later = u32::try_from(Migrator::migrations().len()).unwrap() - 11;
    migrate::down(&store, Some(later)).await.unwrap();
    assert!(!has_columns(&store).await);
    assert_eq!(rows(&store).await, once, "what is one stays one");
    migrate::up(&store).await.unwrap();
    assert!(has_columns(&store).await);
    assert_eq!(rows(&store).await, once);
}

async fn fill(store: &Store) {
    let tasks: [(i64, &str, &str, bool, i64, i64); 11] = [
        (1, "task-1", "RUNNING", false, AT + 713_742, 10),
        (2, "task-1", "SUCCESS", false, AT + 713_999, 20),
        (3, "task-2", "ERROR", true, AT + 500_001_234, 10),
        (4, "task-2", "RUNNING", false, AT + 500_001_000, 10),
        (5, "task-2", "QUEUED", false, AT + 500_000_000, 10),
        (6, "task-3", "SUCCESS", false, AT, 10),
        (7, "task-3", "SUCCESS", false, AT + 1_000_000, 10),
        (8, "task-3", "SUCCESS", false, AT + 1_000, 10),
        (9, "task-4", "SUCCESS", false, AT + 100_500, 10),
        (10, "task-4", "SUCCESS", false, AT + 900_000, 10),
        (11, "task-4", "RUNNING", false, AT + 1_800_000, 10),
    ];
    let run = async |sql: String| store.write().execute_unprepared(&sql).await.unwrap();
    for (id, key, state, is_lost, queued_at, seen_at) in tasks {
        let instance = if id == 8 { 2 } else { 1 };
        run(format!(
            "INSERT INTO vsphere_task (id, tenant_id, vcenter_id, instance_id, key, state, is_lost, cancelled, cancelable, \
             description_id, reason, event_chain_id, queued_at, seen_at, changed_at) VALUES ({id}, 1, 1, {instance}, \
             '{key}', '{state}', {is_lost}, FALSE, FALSE, 'x', 'USER', 1, {queued_at}, {seen_at}, 1)"
        ))
        .await;
    }
    for (id, task) in [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 10)] {
        run(format!(
            "INSERT INTO vsphere_event (id, at, tenant_id, vcenter_id, task_id, state) VALUES ({id}, 1, 1, 1, {task}, \
             'RUNNING')"
        ))
        .await;
    }
    run("INSERT INTO tenant (id, name, created_at) VALUES (1, 'home', 1)".to_owned()).await;
    run("INSERT INTO vcenter (id, uuid, tenant_id, name, address, username, trust, collect, revision, creator, created_at, \
         updated_at) VALUES (1, 'u', 1, 'n', 'a', 'u', 'SYSTEM', FALSE, 1, 'c', 1, 1)"
        .to_owned())
    .await;
    let dirty = if store.backend() == DbBackend::Postgres { "'a b'" } else { "'a' || char(0) || 'b'" };
    run(format!("UPDATE vsphere_task SET entity_name = {dirty} WHERE id = 6")).await;
    run(format!(
        "INSERT INTO vsphere_object (vcenter_id, reference, name, seen_at) VALUES (1, 'Folder:group-1', {dirty}, 1)"
    ))
    .await;
}

async fn query(store: &Store, sql: &str) -> Vec<sea_orm::QueryResult> {
    store.write().query_all_raw(Statement::from_string(store.backend(), sql)).await.unwrap()
}

async fn rows(store: &Store) -> BTreeMap<i64, String> {
    let rows = query(store, "SELECT id, key, state, queued_at FROM vsphere_task").await;
    let row = |row: &sea_orm::QueryResult| {
        let text = |name: &str| row.try_get::<String>("", name).unwrap();
        let at: i64 = row.try_get("", "queued_at").unwrap();
        (row.try_get("", "id").unwrap(), format!("{} {} {at}", text("key"), text("state")))
    };
    rows.iter().map(row).collect()
}

/// Which event is of which task.
async fn events(store: &Store) -> String {
    let rows = query(store, "SELECT id, task_id FROM vsphere_event ORDER BY id").await;
    let number = |row: &sea_orm::QueryResult, name: &str| row.try_get::<i64>("", name).unwrap();
    let pairs: Vec<String> =
        rows.iter().map(|row| format!("{}:{}", number(row, "id"), number(row, "task_id"))).collect();
    pairs.join(" ")
}

async fn seen(store: &Store, id: i64) -> i64 {
    let rows = query(store, &format!("SELECT seen_at FROM vsphere_task WHERE id = {id}")).await;
    rows[0].try_get("", "seen_at").unwrap()
}

async fn texts(store: &Store) -> (String, String) {
    let task = query(store, "SELECT entity_name AS text FROM vsphere_task WHERE id = 6").await;
    let object = query(store, "SELECT name AS text FROM vsphere_object").await;
    (task[0].try_get("", "text").unwrap(), object[0].try_get("", "text").unwrap())
}

async fn has_columns(store: &Store) -> bool {
    let sql = "SELECT unreadable, clock_jump, clock_jumped_at FROM vcenter_collection";
    store.write().query_all_raw(Statement::from_string(store.backend(), sql)).await.is_ok()
}
