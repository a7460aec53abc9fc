//! Lists of vCenter tasks go by an index, whatever the length of the history: the plans of the very statements that are
//! sent, on a history that is long enough for the databases to care.

use sea_orm::{ConnectionTrait, DbBackend, QueryTrait, Statement};
use taskloom::auth::Scope;
use taskloom::store::keyset::{Key, Part};
use taskloom::store::open::{DatabasePlace, Pools, open};
use taskloom::store::vsphere::list::{VsphereTaskFilter, VsphereTaskOrder, keyed};
use taskloom::store::{Store, migrate};
use taskloom_entity::{TenantId, VcenterId, VsphereTaskState};

use crate::harness::postgres;

/// Tasks, a tenth of them of the vCenter that is asked about.
const ROWS: i64 = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_by_an_index_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    lists_go_by_an_index(DatabasePlace::Folder(folder.path().into())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_by_an_index_on_postgresql() {
    let database = postgres::database().await;
    lists_go_by_an_index(DatabasePlace::Postgres(database.url.clone())).await;
}

async fn lists_go_by_an_index(place: DatabasePlace) {
    let pools = Pools {
        connections: 2,
        acquire: std::time::Duration::from_secs(5),
        statement: std::time::Duration::from_secs(30),
    };
    let (store, _guard) = open(&place, pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    fill(&store).await;
    let of = |filter: VsphereTaskFilter| VsphereTaskFilter { vcenter_id: Some(VcenterId(3)), ..filter };
    let unfinished = vec![VsphereTaskState::Queued, VsphereTaskState::Running];
    let machine = || Some("VirtualMachine:vm-77".to_owned());
    for (name, filter, order) in [
        ("everything", VsphereTaskFilter::default(), VsphereTaskOrder::QueuedAt),
        ("everything by its end", VsphereTaskFilter::default(), VsphereTaskOrder::CompletedAt),
        ("a vCenter's", of(VsphereTaskFilter::default()), VsphereTaskOrder::QueuedAt),
        ("a vCenter's by their end", of(VsphereTaskFilter::default()), VsphereTaskOrder::CompletedAt),
        (
            "a machine's",
            of(VsphereTaskFilter { entity: machine(), ..VsphereTaskFilter::default() }),
            VsphereTaskOrder::QueuedAt,
        ),
        (
            "unfinished ones",
            of(VsphereTaskFilter { states: Some(unfinished), ..VsphereTaskFilter::default() }),
            VsphereTaskOrder::QueuedAt,
        ),
    ] {
        for after in [None, Some(Key { value: Some((ROWS / 2 * 1_000_000).into()), id: ROWS / 2 })] {
            let part = Part { limit: 20, after, ..Part::default() };
            for scope in [Scope::All, Scope::Tenants([TenantId(1)].into())] {
                let plan = plan(&store, (&scope, &filter), order, &part).await;
                let walks =
                    plan.contains("Seq Scan on vsphere") || plan.lines().any(|line| line.trim() == "SCAN vsphere_task");
                assert!(!walks && plan.contains("vsphere_task_"), "{name}, {scope:?}:\n{plan}");
            }
        }
    }
}

async fn plan(store: &Store, which: (&Scope, &VsphereTaskFilter), order: VsphereTaskOrder, part: &Part) -> String {
    let backend = store.backend();
    let Statement { sql, values, .. } = keyed(backend, which, (order, true), part).build(backend);
    let (explain, column) = match backend {
        DbBackend::Postgres => ("EXPLAIN", "QUERY PLAN"),
        _ => ("EXPLAIN QUERY PLAN", "detail"),
    };
    let statement = Statement { sql: format!("{explain} {sql}"), values, db_backend: backend };
    let rows = store.read().query_all_raw(statement).await.unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
    lines.join("\n")
}

async fn fill(store: &Store) {
    let numbers = match store.backend() {
        DbBackend::Postgres => format!("SELECT CAST(n AS bigint) AS n FROM generate_series(1, {ROWS}) AS g(n)"),
        _ => {
            format!("WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {ROWS}) SELECT n FROM g")
        }
    };
    let sql = format!(
        "INSERT INTO vsphere_task (tenant_id, vcenter_id, instance_id, key, state, is_lost, cancelled, cancelable, \
         description_id, entity, reason, event_chain_id, queued_at, started_at, completed_at, seen_at, changed_at) \
         SELECT 1, n % 10, n % 10, 'task-' || n, CASE WHEN n % 5000 = 3 THEN 'RUNNING' ELSE 'SUCCESS' END, FALSE, FALSE, \
         FALSE, 'VirtualMachine.powerOn', 'VirtualMachine:vm-' || (n % 500), 'USER', 1, n * 1000000, n * 1000000, \
         CASE WHEN n % 5000 = 3 THEN NULL ELSE n * 1000000 + 5 END, 1, 1 FROM ({numbers}) AS numbers"
    );
    store.write().execute_unprepared(&sql).await.unwrap();
    store.write().execute_unprepared("ANALYZE").await.unwrap();
}
