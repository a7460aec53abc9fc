//! A server of every door on a database of its own, whose clock stands, with the seed's tasks and three people.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use serde_json::{Value, json};
use taskloom::auth::{self, Principal};
use taskloom::clock::HeldClock;
use taskloom::compat::{self, Zone};
use taskloom::config::Settings;
use taskloom::error::Language;
use taskloom::gql::limits::OperationLimits;
use taskloom::gql::transport;
use taskloom::graphql::{self, gate};
use taskloom::http::{Door, Wall};
use taskloom::resolver::{self, App, Request};
use taskloom::store::open::{DatabasePlace, FolderGuard, Pools, open};
use taskloom::store::{Store, migrate};
use taskloom::vault::Vault;
use taskloom_entity::{Role, TenantId, Timestamp};

use super::{seed, seed_vsphere};
use crate::harness::postgres;

pub(in crate::compat) const PASSWORD: &str = "correct horse";
/// 2021-08-25T06:30:27.27Z.
const NOW: Timestamp = Timestamp(1_629_873_027_270_000);

/// Who calls: nobody, a user of the seed's tenant by role, or one of another tenant.
pub(in crate::compat) const PEOPLE: &[(&str, Role, &str)] = &[
    ("admin", Role::Admin, "home"),
    ("viewer", Role::Viewer, "home"),
    ("manager", Role::Manager, "home"),
    ("stranger", Role::Manager, "abroad"),
];

pub(in crate::compat) struct Bench {
    pub(in crate::compat) app: Arc<App>,
    pub(in crate::compat) address: SocketAddr,
    pub(in crate::compat) client: reqwest::Client,
    tokens: Vec<(&'static str, String)>,
    server: tokio::task::JoinHandle<()>,
    _database: (Option<postgres::Database>, Option<tempfile::TempDir>, FolderGuard),
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Tells a story on each database.
pub(in crate::compat) async fn on_both(story: impl AsyncFn(Bench)) {
    story(Bench::sqlite().await).await;
    let database = postgres::database().await;
    story(Bench::start(DatabasePlace::Postgres(database.url.clone()), (Some(database), None)).await).await;
}

impl Bench {
    pub(in crate::compat) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start(DatabasePlace::Folder(folder.path().into()), (None, Some(folder))).await
    }

    async fn start(place: DatabasePlace, kept: (Option<postgres::Database>, Option<tempfile::TempDir>)) -> Self {
        let (store, guard) =
            open(&place, Pools { connections: 5, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) })
                .await
                .unwrap();
        migrate::up(&store).await.unwrap();
        let app = app(&store).await;
        let (tokens, home) = people(&app).await;
        seed::fill(&app.store, home).await;
        seed_vsphere::fill(&app, home).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let client = reqwest::Client::new();
        Self { app, address, client, tokens, server, _database: (kept.0, kept.1, guard) }
    }

    /// The token of one of [`PEOPLE`].
    pub(in crate::compat) fn token(&self, name: &str) -> &str {
        &self.tokens.iter().find(|(is, _)| *is == name).unwrap_or_else(|| panic!("nobody is called {name}")).1
    }

    /// What a route answers to one of [`PEOPLE`], or to `nobody`.
    pub(in crate::compat) async fn call(&self, method: &str, path: &str, who: &str) -> reqwest::Response {
        let method = method.parse().unwrap();
        let mut request = self.client.request(method, format!("http://{}{path}", self.address));
        if who != "nobody" {
            request = request.bearer_auth(self.token(who));
        }
        request.send().await.unwrap()
    }

    /// The whole GraphQL answer, errors and all.
    pub(in crate::compat) async fn answer(&self, document: &str, variables: Value, who: &str) -> Value {
        let request = self.client.post(format!("http://{}/graphql", self.address)).bearer_auth(self.token(who));
        let answer = request.json(&json!({"query": document, "variables": variables})).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The `data` of a GraphQL answer; an error ends the story.
    pub(in crate::compat) async fn ask(&self, document: &str, variables: Value, who: &str) -> Value {
        let mut answer = self.answer(document, variables.clone(), who).await;
        assert!(answer.get("errors").is_none(), "{document}\n{variables}\n{answer}");
        answer["data"].take()
    }

    /// How many rows of the audit log there are.
    pub(in crate::compat) async fn acts(&self) -> u64 {
        resolver::audit::count(&by_system(&self.app), &resolver::audit::AuditFilter::default()).await.unwrap()
    }
}

async fn app(store: &Store) -> Arc<App> {
    let clock = HeldClock::at(NOW);
    let settings = auth::gate::AuthSettings {
        session_idle: Duration::from_secs(3600),
        token_expiry: None,
        origins: Default::default(),
    };
    Arc::new(App::open(store.clone(), clock, Vault::fleeting(), settings).await.unwrap())
}

fn router(app: &Arc<App>) -> Router {
    let schema = graphql::build(app, &OperationLimits::default());
    let gate = gate::GraphqlGate::new(app.clone());
    let graph = transport::router(schema, gate, transport::TransportSettings::default()).layer(from_fn(gate::carry));
    let settings = Settings::defaults("unused").server;
    let body = settings.body_limit.0;
    let pages = Door { paths: &["/docs"], router: taskloom::http::page::router(), body, has_envelope: false };
    let mut doors = vec![Door { paths: &["/graphql"], router: graph, body, has_envelope: true }, pages];
    let zone = Zone(Some(chrono_tz::Asia::Shanghai));
    doors.extend(compat::doors(
        app,
        compat::DialectSettings {
            server: "loom-1".into(),
            instance: "127.0.0.1:8080".into(),
            zone,
            locale: Language::Zh,
            body: settings.body_limit_dialects.0,
            stranger: settings.body_limit_stranger.len(),
            ..Default::default()
        },
    ));
    let ready: taskloom::http::Ready = Arc::new(|| Box::pin(async { Ok(()) }));
    taskloom::http::router(doors, Wall { settings, metrics: app.store.metrics().clone(), ready })
}

/// Makes [`PEOPLE`]; their tokens, and the tenant that is called `home`.
async fn people(app: &Arc<App>) -> (Vec<(&'static str, String)>, TenantId) {
    let system = by_system(app);
    let mut tenants = vec![];
    for name in ["home", "abroad"] {
        tenants.push((name, resolver::tenant::create(&system, name).await.unwrap().id));
    }
    let mut tokens = vec![];
    for (name, role, tenant) in PEOPLE {
        let tenant = tenants.iter().find(|(is, _)| is == tenant).unwrap().1;
        let new = resolver::user::NewUser {
            name: (*name).into(),
            password: Some(PASSWORD.into()),
            role: *role,
            tenants: Some(vec![tenant]),
        };
        let user = resolver::user::create(&system, new).await.unwrap().id;
        let expiry = resolver::token::Expiry::Never;
        let new = resolver::token::NewToken {
            user: Some(user),
            name: "test".into(),
            role: *role,
            expiry,
            access_key: false,
            subscriptions: None,
        };
        tokens.push((*name, resolver::token::create(&system, new).await.unwrap().secret));
    }
    (tokens, tenants[0].1)
}

fn by_system(app: &Arc<App>) -> Request {
    Request {
        app: app.clone(),
        principal: Principal::system("test"),
        language: Language::En,
        id: "0000000000000000".into(),
        address: None,
    }
}
