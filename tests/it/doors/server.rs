//! A schema, a gate and a server of these tests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, Object, Result, Schema, Subscription};
use axum::http::HeaderMap;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use taskloom::error::{Error, Language, code};
use taskloom::gql::limits::{self, OperationLimits};
use taskloom::gql::transport::{self, Admission, TransportGate, TransportSettings, authorization};
use taskloom::http::HttpEntrance;
use taskloom::telemetry::Metrics;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

pub(super) struct Query;

/// A task that leads to itself, as deep as anyone asks.
struct Task(u32);

#[Object]
impl Task {
    async fn id(&self) -> u32 {
        self.0
    }

    async fn next(&self) -> Task {
        Task(self.0 + 1)
    }

    #[graphql(complexity = "first as usize * (child_complexity + 1)")]
    async fn list(&self, first: u32) -> Vec<Task> {
        (0..first).map(Task).collect()
    }
}

#[Object]
impl Query {
    async fn task(&self, #[graphql(default)] id: u32) -> Task {
        Task(id)
    }

    async fn whoami(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_opt::<User>().map(|user| user.0.clone())
    }

    async fn language(&self, ctx: &Context<'_>) -> Result<&'static str> {
        Ok(match ctx.data::<Language>()? {
            Language::En => "en",
            Language::Zh => "zh",
        })
    }

    async fn echo(&self, text: String) -> String {
        text
    }

    /// The same, after others had their turn.
    async fn late(&self, text: String) -> String {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        text
    }

    /// Takes whatever JSON is nested into it.
    async fn swallow(&self, any: Option<async_graphql::Json<serde_json::Value>>) -> bool {
        any.is_some()
    }

    async fn refused(&self) -> Result<bool> {
        Err(Error::new(&code::TASK_NOT_FOUND).with("id", 7).into())
    }

    async fn internal(&self) -> Result<bool> {
        Err(Error::internal("the secret cause").into())
    }

    async fn forever(&self) -> bool {
        std::future::pending().await
    }

    async fn cookie(&self, ctx: &Context<'_>) -> bool {
        ctx.insert_http_header("set-cookie", "session=1");
        true
    }
}

pub(super) struct Mutation;

#[Object]
impl Mutation {
    async fn change(&self) -> bool {
        true
    }
}

pub(super) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    async fn count(&self, to: u32) -> impl Stream<Item = u32> {
        stream::iter(1..=to)
    }

    async fn events(&self, ctx: &Context<'_>) -> Result<BoxStream<'static, u32>> {
        let receiver = ctx.data::<broadcast::Sender<u32>>()?.subscribe();
        let events = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await.ok()?, receiver)));
        Ok(events.boxed())
    }

    /// Always has more, for as long as it listens to events.
    async fn flood(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = String> + use<>> {
        let receiver = ctx.data::<broadcast::Sender<u32>>()?.subscribe();
        Ok(stream::unfold(receiver, async |receiver| Some(("x".repeat(1000), receiver))))
    }

    async fn quiet(&self) -> impl Stream<Item = u32> {
        stream::pending()
    }

    /// Goes on after its error, if it is let.
    async fn stumbles(&self) -> impl Stream<Item = Result<u32>> {
        let error = Error::new(&code::DATABASE_UNAVAILABLE).retry_after(Duration::from_secs(2));
        stream::iter([Ok(1), Err(error.into()), Ok(3)]).chain(stream::pending())
    }

    async fn panics(&self) -> impl Stream<Item = u32> {
        stream::iter(1..=2).map(|n| if n == 2 { panic!("as the test wants it") } else { n })
    }
}

#[derive(Clone)]
struct User(String);

/// Knows `Bearer good`; turns `Bearer bad` away; cannot say who `Bearer down` is; `Bearer short` lapses with the token.
#[derive(Clone, Default)]
pub(super) struct Doorman {
    pub(super) lapse: CancellationToken,
}

impl TransportGate for Doorman {
    async fn admit(&self, headers: &HeaderMap, init: Option<&serde_json::Value>) -> taskloom::error::Result<Admission> {
        let mut entry = Admission::default();
        match authorization(headers, init) {
            None => return Ok(entry),
            Some("Bearer good") => {}
            Some("Bearer short") => entry.lapse = Some(Box::pin(self.lapse.clone().cancelled_owned())),
            Some("Bearer down") => {
                return Err(Error::new(&code::DATABASE_UNAVAILABLE).retry_after(Duration::from_secs(2)));
            }
            Some(_) => return Err(Error::new(&code::UNAUTHENTICATED)),
        }
        entry.data.insert(User("ada".into()));
        Ok(entry)
    }
}

pub(super) type TestSchema = limits::SchemaGuard<Schema<Query, Mutation, Subscriptions>>;

pub(super) fn schema(limits: &OperationLimits) -> TestSchema {
    let events = broadcast::channel::<u32>(1024).0;
    limits::guard(|| Schema::build(Query, Mutation, Subscriptions).data(events.clone()), limits)
}

/// A server on a port of its own, until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) gate: Doorman,
    pub(super) events: broadcast::Sender<u32>,
    pub(super) stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut TransportSettings)) -> Self {
        let mut settings = TransportSettings::default();
        change(&mut settings);
        let schema = schema(&OperationLimits::default());
        let (gate, stop, patience) = (Doorman::default(), settings.stop.clone(), settings.socket.send);
        let events = schema.schema().data::<broadcast::Sender<u32>>().expect("the schema has it").clone();
        let app = transport::router(schema, gate.clone(), settings).merge(taskloom::http::page::router());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = taskloom::config::Settings::defaults("/nowhere").server;
        let entrance = HttpEntrance::new(&server, Arc::new(Metrics::new())).unread(patience);
        let task = tokio::spawn(entrance.serve(listener, app, CancellationToken::new()));
        Self { address, gate, events, stop, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// Waits until so many subscribers listen to `events`.
    pub(super) async fn listeners(&self, count: usize) {
        let reached = async {
            while self.events.receiver_count() != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reached).await.expect("subscribers come and go in time");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
