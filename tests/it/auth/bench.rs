//! A server of these tests with the graph's part that is about people, and callers of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware::from_fn;
use serde_json::{Value, json};
use taskloom::auth::{self, Principal};
use taskloom::clock::HeldClock;
use taskloom::error::Language;
use taskloom::gql::limits::OperationLimits;
use taskloom::gql::transport;
use taskloom::graphql::{self, gate};
use taskloom::resolver::{self, App, Request};
use taskloom::store::open::{DatabasePlace, FolderGuard, Pools, open};
use taskloom::store::{Store, migrate};
use taskloom::vault::Vault;
use taskloom_entity::{Role, TenantId, Timestamp, UserId};

use crate::harness::postgres;

pub(super) const PASSWORD: &str = "correct horse";
pub(super) const IDLE: Duration = Duration::from_secs(3600);

/// A server on a database of its own, whose clock stands until it is moved.
pub(super) struct Bench {
    pub(super) app: Arc<App>,
    pub(super) clock: Arc<HeldClock>,
    pub(super) address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
    _database: (Option<postgres::Database>, Option<tempfile::TempDir>, FolderGuard),
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Tells a story on each database.
pub(super) async fn on_both(story: impl AsyncFn(Bench)) {
    let folder = tempfile::tempdir().unwrap();
    story(Bench::start(DatabasePlace::Folder(folder.path().into()), (None, Some(folder))).await).await;
    let database = postgres::database().await;
    story(Bench::start(DatabasePlace::Postgres(database.url.clone()), (Some(database), None)).await).await;
}

impl Bench {
    async fn start(place: DatabasePlace, kept: (Option<postgres::Database>, Option<tempfile::TempDir>)) -> Self {
        // Enough for several who change something at the same time.
        let pools = Pools { connections: 24, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
        let (store, guard) = open(&place, pools).await.unwrap();
        migrate::up(&store).await.unwrap();
        let clock = HeldClock::at(Timestamp(1_700_000_000_000_000));
        let app = app(&store, &clock).await;
        let schema = graphql::build(&app, &OperationLimits::default());
        let settings = transport::TransportSettings::default();
        let router =
            transport::router(schema, gate::GraphqlGate::new(app.clone()), settings).layer(from_fn(gate::carry));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { app, clock, address, server, _database: (kept.0, kept.1, guard) }
    }

    /// What another process on the same database would be.
    pub(super) async fn other_process(&self) -> Arc<App> {
        app(&self.app.store, &self.clock).await
    }

    /// The system, for what a story needs before it begins.
    pub(super) fn system(&self) -> Request {
        by_system(&self.app)
    }

    pub(super) async fn tenant(&self, name: &str) -> TenantId {
        resolver::tenant::create(&self.system(), name).await.unwrap().id
    }

    /// A user with [`PASSWORD`].
    pub(super) async fn user(&self, name: &str, role: Role, tenants: &[TenantId]) -> UserId {
        let (password, tenants) = (Some(PASSWORD.into()), Some(tenants.to_vec()));
        let new = resolver::user::NewUser { name: name.into(), password, role, tenants };
        resolver::user::create(&self.system(), new).await.unwrap().id
    }

    /// A token of a user, for ever.
    pub(super) async fn token(&self, user: UserId, role: Role) -> resolver::token::Created {
        let expiry = resolver::token::Expiry::Never;
        let new = resolver::token::NewToken {
            user: Some(user),
            name: "test".into(),
            role,
            expiry,
            access_key: false,
            subscriptions: None,
        };
        resolver::token::create(&self.system(), new).await.unwrap()
    }

    /// A user with a token of its own role, and a caller that sends it.
    pub(super) async fn caller(&self, name: &str, role: Role, tenants: &[TenantId]) -> Caller {
        let user = self.user(name, role, tenants).await;
        self.with(&[("authorization", &format!("Bearer {}", self.token(user, role).await.secret))])
    }

    pub(super) fn anonymous(&self) -> Caller {
        self.with(&[])
    }

    pub(super) fn basic(&self, name: &str, password: &str) -> Caller {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        self.with(&[("authorization", &format!("Basic {encoded}"))])
    }

    pub(super) fn bearer(&self, token: &str) -> Caller {
        self.with(&[("authorization", &format!("Bearer {token}"))])
    }

    /// A caller that sends these headers.
    pub(super) fn with(&self, headers: &[(&str, &str)]) -> Caller {
        let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Caller { url: format!("http://{}/graphql", self.address), headers, client: reqwest::Client::new() }
    }

    /// The rows of the log for one action, oldest first: `done user:3` or `FORBIDDEN user:3`, with the actor.
    pub(super) async fn acts(&self, action: &str) -> Vec<String> {
        let filter = resolver::audit::AuditFilter { action: Some(action.into()), ..Default::default() };
        let page = taskloom::store::page::Page { after: None, before: None, limit: 1000, backward: false };
        let acts = resolver::audit::list(&self.system(), &filter, page).await.unwrap().rows;
        let line = |act: &taskloom_entity::audit::Model| {
            format!("{} {} by {}", act.code.as_deref().unwrap_or("done"), act.object, act.actor)
        };
        acts.iter().rev().map(line).collect()
    }
}

async fn app(store: &Store, clock: &Arc<HeldClock>) -> Arc<App> {
    let settings =
        auth::gate::AuthSettings { session_idle: IDLE, token_expiry: Some(IDLE * 24), origins: Default::default() };
    Arc::new(App::open(store.clone(), clock.clone(), Vault::fleeting(), settings).await.unwrap())
}

pub(super) fn by_system(app: &Arc<App>) -> Request {
    Request {
        app: app.clone(),
        principal: Principal::system("test"),
        language: Language::En,
        id: "0000000000000000".into(),
        address: None,
    }
}

/// Somebody who calls the server.
pub(super) struct Caller {
    url: String,
    headers: Vec<(String, String)>,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) cookie: Option<String>,
    pub(super) body: Value,
}

impl Caller {
    pub(super) async fn ask(&self, document: &str) -> Answer {
        let mut request = self.client.post(&self.url).json(&json!({"query": document}));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = request.send().await.unwrap();
        let cookie = response.headers().get("set-cookie").map(|line| line.to_str().unwrap().to_owned());
        Answer { status: response.status().as_u16(), cookie, body: response.json().await.unwrap() }
    }

    /// The name of who it is taken for.
    pub(super) async fn name(&self) -> Option<String> {
        let answer = self.ask("{ me { name } }").await;
        answer.body.pointer("/data/me/name").and_then(Value::as_str).map(str::to_owned)
    }

    /// The code it is refused with; none when it is not.
    pub(super) async fn refused(&self, document: &str) -> Option<String> {
        self.ask(document).await.code()
    }
}

impl Answer {
    pub(super) fn code(&self) -> Option<String> {
        self.body.pointer("/errors/0/extensions/code").and_then(Value::as_str).map(str::to_owned)
    }

    #[track_caller]
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", self.body))
    }
}

/// The opaque id of a row.
pub(super) fn id(kind: &str, number: impl std::fmt::Display) -> String {
    taskloom::gql::id::encode(kind, number).to_string()
}
