//! The engine without its worker: a clock that stands, dispatchers of which a story itself is the worker, and a count of
//! statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::Executor as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use serde_json::Value;
use taskloom::auth::{self, Principal};
use taskloom::background::retention::Retention;
use taskloom::clock::HeldClock;
use taskloom::engine::dispatcher::{Dispatcher, DispatcherTools};
use taskloom::engine::recovery::Recovery;
use taskloom::error::Language;
use taskloom::gql::limits::OperationLimits;
use taskloom::graphql::{self, schema::GraphqlSchema};
use taskloom::lease::Lives;
use taskloom::resolver::task::submit::{Submission, SubmissionSource, TargetOf};
use taskloom::resolver::{self, App, Request};
use taskloom::store::open::{DatabasePlace, FolderGuard, Pools, open};
use taskloom::store::{Own, Store, Tx, migrate};
use taskloom::vault::Vault;
use taskloom::worker::port::{Assignment, Port, WorkerRegistration, WorkerSession};
use taskloom_entity::{TaskId, TaskType, TenantId, Timestamp};
use tokio_util::sync::CancellationToken;

use super::bench::within;
use super::metric::{Samples, parse};
use super::step::{Step, spec};
use crate::harness::postgres;

/// How long a worker's lease holds.
pub(super) const LEASE: Duration = Duration::from_secs(1);
/// How long a worker must be seen silent until it is given up.
pub(super) const OVER: Duration = Duration::from_secs(2);

/// An engine on a database of its own.
pub(super) struct Lab {
    pub(super) clock: Arc<HeldClock>,
    request: Request,
    schema: GraphqlSchema,
    tenant: TenantId,
    statements: Arc<AtomicUsize>,
    recovery: Recovery,
    _kept: (FolderGuard, Option<tempfile::TempDir>, Option<postgres::Database>),
}

impl Lab {
    pub(super) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(DatabasePlace::Folder(folder.path().into()), Some(folder), None).await
    }

    pub(super) async fn postgres() -> Self {
        let database = postgres::database().await;
        Self::start(DatabasePlace::Postgres(database.url.clone()), None, Some(database)).await
    }

    async fn start(
        place: DatabasePlace,
        folder: Option<tempfile::TempDir>,
        database: Option<postgres::Database>,
    ) -> Self {
        let pools = Pools { connections: 5, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
        let (store, guard) = open(&place, pools).await.unwrap();
        migrate::up(&store).await.unwrap();
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = |pool: &DatabaseConnection| {
            let (mut pool, statements) = (pool.clone(), statements.clone());
            pool.set_metric_callback(move |_| {
                statements.fetch_add(1, Ordering::SeqCst);
            });
            pool
        };
        let own = store.own();
        let own = Own { write: counted(&own.write), read: counted(&own.read), lease: own.lease.clone() };
        let store = Store::new(counted(store.write()), counted(store.read())).with(own);
        let clock = HeldClock::at(Timestamp(1_700_000_000_000_000));
        let request = request(store.clone(), clock.clone()).await;
        let tenant = resolver::tenant::create(&request, "t").await.unwrap().id;
        let schema = graphql::build(&request.app, &OperationLimits::default());
        let recovery = recovery(&request, clock.clone(), request.lives.clone());
        Self { clock, request, schema, tenant, statements, recovery, _kept: (guard, folder, database) }
    }

    /// Accepts a task of these steps.
    pub(super) async fn submit(&self, name: &str, steps: &[Step]) {
        self.submit_before(name, steps, None).await;
    }

    /// Accepts a task of this priority.
    pub(super) async fn submit_before(&self, name: &str, steps: &[Step], priority: Option<i32>) {
        let new = Submission { priority, ..self.submission(name, steps) };
        resolver::task::submit(&self.request, new).await.unwrap();
    }

    /// A task of these steps, not yet submitted.
    pub(super) fn submission(&self, name: &str, steps: &[Step]) -> Submission {
        Submission {
            source: SubmissionSource::Spec(spec(name, steps)),
            name: None,
            parameters: None,
            idempotency_key: None,
            target: TargetOf::default(),
            labels: vec![],
            priority: None,
            tenant_id: Some(self.tenant),
            task_type: TaskType::Manual,
            submission: None,
        }
    }

    /// Who asks here.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// What the graph answers, and how many statements it took.
    pub(super) async fn ask(&self, document: &str) -> (Value, usize) {
        let before = self.statements.load(Ordering::SeqCst);
        let answer = self.schema.execute(async_graphql::Request::new(document).data(self.request.clone())).await;
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        (answer.data.into_json().unwrap(), self.statements.load(Ordering::SeqCst) - before)
    }

    /// The graph itself.
    pub(super) fn schema(&self) -> &GraphqlSchema {
        &self.schema
    }

    /// How many statements there were so far.
    pub(super) fn statements(&self) -> usize {
        self.statements.load(Ordering::SeqCst)
    }

    /// A worker that has just begun its life.
    pub(super) async fn worker(&self) -> Worker {
        self.worker_with(&[]).await
    }

    /// A worker with labels.
    pub(super) async fn worker_with(&self, labels: &[&str]) -> Worker {
        self.worker_by(labels, self.clock.clone()).await
    }

    /// A worker of a server whose clock is this one.
    pub(super) async fn worker_by(&self, labels: &[&str], clock: Arc<HeldClock>) -> Worker {
        Worker::register(self.dispatcher(clock), labels).await
    }

    /// The dispatcher of another server whose clock is this one.
    pub(super) fn dispatcher(&self, clock: Arc<HeldClock>) -> Dispatcher {
        let App { store, bell, live, vault, .. } = &*self.request.app;
        let (store, bell, live, vault) = (store.engine(), bell.clone(), live.clone(), vault.clone());
        let tools = DispatcherTools { store, clock, bell, live, lease: LEASE, vault };
        let (dispatcher, dispatch) = Dispatcher::open(tools);
        tokio::spawn(dispatch.run(CancellationToken::new()));
        dispatcher
    }

    /// A worker for each set of labels, all of one dispatcher.
    pub(super) async fn workers<const N: usize>(&self, labels: [&[&str]; N]) -> [Worker; N] {
        let dispatcher = self.dispatcher(self.clock.clone());
        let mut workers = vec![];
        for labels in labels {
            workers.push(Worker::register(dispatcher.clone(), labels).await);
        }
        workers.try_into().ok().unwrap()
    }

    /// Holds a task as somebody who decides over it does, until the transaction ends.
    pub(super) async fn lock(&self, id: TaskId) -> Tx {
        let tx = self.request.store.begin().await.unwrap();
        taskloom::store::snapshot::lock(&tx, id).await.unwrap().unwrap();
        tx
    }

    /// Holds all that begins an attempt, until the transaction ends.
    pub(super) async fn hold_claims(&self) -> Tx {
        let tx = self.request.store.begin().await.unwrap();
        // On SQLite there is one writer, and this is it.
        if self.request.store.backend() == DbBackend::Postgres {
            tx.execute_unprepared("LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE").await.unwrap();
        }
        tx
    }

    /// Wants a task to be paused.
    pub(super) async fn pause(&self, id: TaskId) {
        resolver::task::pause(&self.request, id).await.unwrap();
    }

    /// Wants a task to be cancelled.
    pub(super) async fn cancel(&self, id: TaskId) {
        resolver::task::cancel(&self.request, id).await.unwrap();
    }

    pub(super) fn is_on_postgres(&self) -> bool {
        self._kept.2.is_some()
    }

    /// What this process has counted.
    pub(super) fn metrics(&self) -> Samples {
        parse(&self.request.store.metrics().render())
    }

    /// One round of the hourly job.
    pub(super) async fn retain(&self, retention: &Retention) {
        retention.run(&self.request).await;
    }

    /// What a dialect's door has: a request, and the tenant of everything here.
    pub(super) fn door(&self) -> (&Request, TenantId) {
        (&self.request, self.tenant)
    }

    /// Changes rows past everything.
    pub(super) async fn execute(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        self.request.store.write().execute_unprepared(sql).await.unwrap();
    }

    /// The database.
    pub(super) fn store(&self) -> &Store {
        &self.request.store
    }

    /// How many rows a table has.
    pub(super) async fn count(&self, table: &str) -> i64 {
        use sea_orm::Statement;
        let conn = self.request.store.read();
        let sql = format!("SELECT COUNT(*) AS rows FROM {table}");
        let row = conn.query_one_raw(Statement::from_string(conn.get_database_backend(), sql)).await.unwrap();
        row.unwrap().try_get("", "rows").unwrap()
    }

    /// One look for lost workers, by a server that looks again and again.
    pub(super) async fn recover(&self) -> usize {
        self.recovery.sweep().await.unwrap()
    }

    /// What another server looks with: it has a clock of its own, and has seen nothing yet.
    pub(super) fn other_server(&self, clock: Arc<HeldClock>) -> Recovery {
        recovery(&self.request, clock, Lives::default())
    }
}

fn recovery(request: &Request, clock: Arc<HeldClock>, lives: Lives) -> Recovery {
    Recovery::new(request.store.engine(), clock, request.bell.clone(), lives)
}

async fn request(store: Store, clock: Arc<HeldClock>) -> Request {
    let settings = auth::gate::AuthSettings {
        session_idle: Duration::from_secs(60),
        token_expiry: None,
        origins: Default::default(),
    };
    Request {
        app: Arc::new(App::open(store, clock, Vault::fleeting(), settings).await.unwrap()),
        principal: Principal::system("test"),
        language: Language::En,
        id: "0000000000000000".into(),
        address: None,
    }
}

/// A worker that a story plays.
pub(super) struct Worker {
    pub(super) dispatcher: Dispatcher,
    pub(super) session: WorkerSession,
}

impl Worker {
    async fn register(dispatcher: Dispatcher, labels: &[&str]) -> Self {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let worker = WorkerRegistration { name: "w".into(), labels, slots: 4, isolation: "none".into() };
        let session = dispatcher.register(worker).await.unwrap();
        Self { dispatcher, session }
    }

    /// The one attempt that there is to take.
    pub(super) async fn take(&self) -> Assignment {
        let mut taken = within("work", self.dispatcher.claim(&self.session, 1)).await.unwrap();
        assert_eq!(taken.len(), 1, "{taken:?}");
        taken.remove(0)
    }
}
