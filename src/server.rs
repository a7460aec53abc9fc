//! Composition: puts the parts together, runs them, and takes them apart in the right order.
//!
//! At the end: the worker first, whose last words still want a dispatcher; then doors, so that nobody is answered half; then
//! everything that reads; the database last.

mod host;

use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::middleware::from_fn;
use sea_orm::DbBackend;
use taskloom_entity::Role;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Principal, first_start};
use crate::background::retention::Retention;
use crate::clock::{Clock, SystemClock};
use crate::compat::{self, Guest};
use crate::config::{AnonymousRole, Listen, Settings};
use crate::engine::dispatch_loop::DispatchLoop;
use crate::engine::dispatcher::{Dispatcher, DispatcherTools};
use crate::engine::recovery::Recovery;
use crate::error::Language;
use crate::executor::Host;
use crate::gql::transport;
use crate::http::{Door, HttpEntrance, Wall, page};
use crate::lifecycle::Stop;
use crate::readiness::Readiness;
use crate::resolver::{self, App, Request};
use crate::store::open::{DatabasePlace, FolderGuard, Pools, open};
use crate::store::{Store, migrate};
use crate::supervise::{self, Fault, Watch};
use crate::telemetry::RequestId;
use crate::vault::{KeyId, Vault};
use crate::worker::options::{WorkerOptions, WorkerStops};
use crate::worker::port::WorkerRegistration;
use crate::worker::session::Worker;
use crate::worker::shutdown::WorkerEnd;
use crate::{background, demo, descriptors, feed, graphql, secrecy};

/// How long open answers may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// The same where the database does not answer, or somebody is in haste.
const LAST_MOMENT: Duration = Duration::from_millis(1500);

/// Connections that may wait until they are taken, as far as the host allows. The library's 128 are fewer than a crowd of
/// clients that comes back at once, and the kernel may forget who finds no place.
const WAITING: i32 = 4096;

/// A server that answers.
#[derive(Debug)]
pub struct RunningServer {
    /// Where it answers.
    pub address: SocketAddr,
    /// Ask here for its end.
    pub stop: Stop,
    app: Arc<App>,
    made: Option<first_start::Made>,
    watch: Watch,
    ended: JoinHandle<()>,
}

/// Starts a server. It answers when this returns.
///
/// # Errors
/// Whatever keeps it from starting, with the remedy.
pub async fn start(settings: Settings) -> anyhow::Result<RunningServer> {
    descriptors::raise();
    // The port first: whoever cannot have it has changed nothing.
    let listener = listen(&settings.server.listen).await?;
    if settings.database.url.is_some() {
        // On SQLite the database is in it, and it is seen to with that.
        crate::private::folder(&settings.data_dir)
            .with_context(|| format!("cannot use the data folder {}", settings.data_dir.display()))?;
    }
    let (store, guard) = open(&place(&settings), pools(&settings)).await?;
    if settings.database.migrate {
        migrate::up(&store).await?;
    } else {
        migrate::check(&store).await?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let password = secrecy::variable("TASKLOOM_ADMIN_PASSWORD");
    let made = first_start::run(&store, clock.as_ref(), password.as_deref()).await?;
    let vault = vault(&settings, &store).await?;
    let (attempts, host) = host::make(&settings).await?;
    let app = app(&settings, (store.clone(), vault), clock, host.clone()).await?;
    let parts = Parts::new();
    let worker = run_parts(&settings, &app, &parts, (attempts, host)).await?;
    let address = listener.local_addr()?;
    let router = router(&settings, &app, &parts, address);
    // Before it is said that it answers: who reads that finds the demo there.
    if settings.server.demo {
        demo::fill(&system(&app, "demo")).await?;
    }
    let entrance = HttpEntrance::new(&settings.server, app.store.metrics().clone());
    let serving = parts.vital("http", entrance.serve(listener, router, parts.readers.clone()));
    tracing::info!("GraphQL at http://{address}/graphql, GraphiQL at http://{address}/graphiql");
    let (stop, watch, kept) = (parts.stop.clone(), parts.watch.clone(), app.clone());
    let ended = tokio::spawn(end(parts, worker, serving, (store, guard)));
    Ok(RunningServer { address, stop, app: kept, made, watch, ended })
}

/// Takes the port.
async fn listen(at: &Listen) -> anyhow::Result<TcpListener> {
    let bound = match at.host() {
        Some(host) => TcpListener::bind((host, at.port())).await,
        None => match TcpListener::bind((Ipv6Addr::UNSPECIFIED, at.port())).await {
            Err(error) if error.kind() != ErrorKind::AddrInUse && error.kind() != ErrorKind::PermissionDenied => {
                // A machine without version 6.
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, at.port())).await
            }
            bound => bound,
        },
    };
    let listener = bound.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "is another server running there? choose another with --listen",
            ErrorKind::PermissionDenied => "a port below 1024 needs rights; choose another with --listen",
            _ => "name this machine or an address of it with --listen",
        };
        anyhow::Error::new(error).context(format!("cannot listen on {at}; {remedy}"))
    })?;
    // Listening again changes how many wait.
    rustix::net::listen(&listener, WAITING).context("cannot listen")?;
    Ok(listener)
}

struct Parts {
    stop: Stop,
    watch: Watch,
    tasks: TaskTracker,
    readers: CancellationToken,
}

impl Parts {
    fn new() -> Self {
        let stop = Stop::new();
        let watch = Watch::new(stop.clone());
        Self { stop, watch, tasks: TaskTracker::new(), readers: CancellationToken::new() }
    }

    /// A loop of the process itself: without it the process ends.
    fn vital<T: Send + 'static>(
        &self,
        part: &'static str,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        tokio::spawn(self.watch.clone().vital(part, work))
    }

    fn dispatch(&self, dispatch: DispatchLoop) -> (JoinHandle<Option<()>>, CancellationToken) {
        let stop = CancellationToken::new();
        (self.vital("dispatcher", dispatch.run(stop.clone())), stop)
    }

    /// The same, of those that end with `readers`.
    fn read(&self, part: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.watch.clone().vital(part, work));
    }
}

/// The keys of what lies sealed. The first start makes one; where something lies sealed already it must not.
async fn vault(settings: &Settings, store: &Store) -> anyhow::Result<Vault> {
    let sealed = crate::store::sealed::keys(store.read()).await?;
    let Some(vault) = find_vault(settings)? else {
        anyhow::ensure!(
            sealed.is_empty(),
            "the database has secrets sealed with the key {}, which is not here; copy secret.key from the data folder of \
             the server that made them, or set TASKLOOM_SECRET_KEY",
            sealed.join(", ")
        );
        return Ok(Vault::create(&settings.data_dir)?);
    };
    for id in sealed.iter().filter(|id| !KeyId::parse(id).is_some_and(|id| vault.knows(&id))) {
        tracing::warn!(
            "secrets that are sealed with the key {id} cannot be opened here; docs/secrets.md says how to bring it"
        );
    }
    Ok(vault)
}

/// The keys of the environment or of the data folder.
pub(crate) fn find_vault(settings: &Settings) -> anyhow::Result<Option<Vault>> {
    let environment = secrecy::variable("TASKLOOM_SECRET_KEY");
    Ok(Vault::find(environment.as_deref(), &settings.data_dir)?)
}

async fn app(
    settings: &Settings,
    (store, vault): (Store, Vault),
    clock: Arc<dyn Clock>,
    host: Host,
) -> anyhow::Result<Arc<App>> {
    let app = App::open(store, clock, vault, proofs(settings)).await?;
    let time_zone = settings.server.time_zone.0.map_or_else(|| app.time_zone.clone(), |zone| zone.name().to_owned());
    let (policy, page, host) = (host::policy(settings), settings.server.page_bytes.len(), Some(host));
    Ok(Arc::new(App { policy, page, time_zone, host, ..app }))
}

/// How long proofs last, by the settings.
pub(crate) fn proofs(settings: &Settings) -> crate::auth::gate::AuthSettings {
    crate::auth::gate::AuthSettings {
        session_idle: settings.auth.session_idle,
        token_expiry: settings.auth.token_expiry,
        origins: settings.server.external_origins.clone(),
    }
}

/// Starts everything behind the doors; the worker's own end is waited for apart.
async fn run_parts(
    settings: &Settings,
    app: &Arc<App>,
    parts: &Parts,
    (attempts, host): (PathBuf, Host),
) -> anyhow::Result<Work> {
    // No request can take a connection of these.
    let (store, clock, bell) = (app.store.engine(), app.clock.clone(), app.bell.clone());
    let recovery = Recovery::new(store.clone(), clock.clone(), bell.clone(), app.lives.clone());
    let lost = recovery.at_start().await?;
    if lost > 0 {
        tracing::info!(lost, "attempts of an earlier run were given back");
    }
    parts.read("recovery", recovery.run(parts.readers.clone()));
    parts.read("refused reads", resolver::refused::run(Arc::clone(app), parts.readers.clone()));
    parts.read("events", app.hub.clone().run(parts.readers.clone()));
    parts.read("vsphere events", app.vsphere_hub.clone().run(parts.readers.clone()));
    if store.backend() == DbBackend::Postgres {
        let listen = feed::event::listen::run(store.clone(), bell.clone(), app.live.clone(), parts.readers.clone());
        parts.read("notifications", listen);
    }
    let retention = Retention { settings: settings.retention.clone(), attempts: attempts.clone() };
    let room = host::room(settings, &attempts, host.folders());
    let ends = parts.readers.clone();
    parts.tasks.spawn(supervise::again("room", parts.readers.clone(), move || room.clone().keep(ends.clone())));
    background::start(retention, system(app, "retention"), &parts.tasks, parts.readers.clone()).await?;
    if settings.vsphere.collect {
        let own = Arc::new(App { store: store.clone(), ..App::clone(app) });
        let request = system(&own, "vsphere").speaking(settings.vsphere.locale.0);
        let ends = parts.readers.clone();
        let collect = move || background::vsphere::run(request.clone(), ends.clone());
        parts.tasks.spawn(supervise::again("vsphere", parts.readers.clone(), collect));
    }
    let (lease, metrics) = (settings.worker.lease, store.metrics().clone());
    let (dispatcher, dispatch) = Dispatcher::open(DispatcherTools {
        store,
        clock: clock.clone(),
        bell,
        live: app.live.clone(),
        lease,
        vault: app.vault.clone(),
    });
    let options = WorkerOptions {
        registration: WorkerRegistration {
            name: settings.worker.name.0.clone(),
            labels: settings.worker.labels.clone(),
            slots: settings.worker.slots.0 as usize,
            isolation: host.isolation().to_owned(),
        },
        renew: settings.worker.renew,
        grace: settings.worker.grace,
        patience: settings.worker.shutdown_grace.0,
        folder: attempts,
        log_limit: settings.log.limit.0,
        log_chunk: settings.log.chunk.len(),
        log_flush: settings.log.flush,
    };
    let stops = WorkerStops { gently: parts.stop.token(), now: parts.stop.haste() };
    let worker = Worker { port: Arc::new(dispatcher), host, clock, options, observer: metrics }.run(stops);
    Ok(Work { worker: parts.vital("worker", worker), dispatch: parts.dispatch(dispatch) })
}

/// The worker, and the loop that records what it says.
struct Work {
    worker: JoinHandle<Option<WorkerEnd>>,
    dispatch: (JoinHandle<Option<()>>, CancellationToken),
}

fn router(settings: &Settings, app: &Arc<App>, parts: &Parts, address: SocketAddr) -> Router {
    let limits = graphql::limits::of(settings);
    let schema = graphql::build(app, &limits);
    let transport = transport::TransportSettings {
        bodies: bodies(&settings.server),
        time: settings.server.request_timeout,
        subscriptions: settings.server.max_subscriptions as usize,
        own_subscriptions: settings.server.user_subscriptions as usize,
        own_sockets: settings.server.user_sockets as usize,
        origins: settings.server.external_origins.clone(),
        stop: parts.readers.clone(),
        ..transport::TransportSettings::default()
    };
    let gate = graphql::gate::GraphqlGate::new(app.clone());
    let graph = transport::router(schema, gate, transport).layer(from_fn(graphql::gate::carry));
    let stranger = settings.server.body_limit_stranger.0;
    let mut doors = vec![
        Door { paths: &["/graphql"], router: graph, body: settings.server.body_limit.0, has_envelope: true },
        Door { paths: &["/graphiql", "/docs"], router: page::router(), body: stranger, has_envelope: false },
    ];
    doors.extend(compat::doors(app, dialects(settings, address)));
    let ready = Arc::new(Readiness::new(app.store.clone(), (parts.stop.clone(), parts.watch.clone())));
    let ready: crate::http::Ready = Arc::new(move || {
        let ready = ready.clone();
        Box::pin(async move { ready.ask().await })
    });
    crate::http::router(doors, Wall { settings: settings.server.clone(), metrics: app.store.metrics().clone(), ready })
}

/// Where clients find this server, in its own words: an address that stands for all of them says nothing.
fn instance(settings: &Settings, address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("{}:{}", settings.worker.name.0, address.port()),
        false => address.to_string(),
    }
}

fn dialects(settings: &Settings, address: SocketAddr) -> compat::DialectSettings {
    let guest = |role, dialect| {
        let role = match role {
            AnonymousRole::None => return Guest::default(),
            AnonymousRole::Viewer => Role::Viewer,
            AnonymousRole::Manager => Role::Manager,
        };
        tracing::warn!(dialect, %role, "this dialect is open to everyone who reaches the port");
        Guest(Some(role))
    };
    compat::DialectSettings {
        server: settings.worker.name.0.clone(),
        zone: compat::Zone(settings.server.time_zone.0),
        instance: instance(settings, address),
        ocp: guest(settings.ocp.anonymous_role, "ocp"),
        linkis: guest(settings.linkis.anonymous_role, "linkis"),
        vsphere: guest(settings.vsphere_dialect.anonymous_role, "vsphere"),
        locale: settings.vsphere.locale.0,
        body: settings.server.body_limit_dialects.0,
        stranger: settings.server.body_limit_stranger.len(),
    }
}

fn bodies(settings: &crate::config::Server) -> transport::Bodies {
    transport::Bodies {
        manager: settings.body_limit.len(),
        viewer: settings.body_limit_viewer.len(),
        stranger: settings.body_limit_stranger.len(),
    }
}

async fn end(parts: Parts, work: Work, serving: JoinHandle<Option<()>>, (store, guard): (Store, FolderGuard)) {
    parts.stop.requested().await;
    tracing::info!("stopping: nothing new is started");
    // Its own end: its attempts' time, or the second signal's.
    let answers = matches!(work.worker.await, Ok(Some(WorkerEnd::Recorded)));
    parts.readers.cancel();
    let (dispatch, stop) = work.dispatch;
    let dispatch_at_last = dispatch.abort_handle();
    parts.tasks.close();
    let rest = async {
        let _ = serving.await;
        stop.cancel();
        let _ = tokio::join!(dispatch, parts.tasks.wait());
        store.close().await;
    };
    tokio::select! {
        () = rest => {}
        () = last_moment(answers, &parts.stop) => tracing::warn!("what does not come to its end is left: answers, or the database"),
    }
    // While the database is away it would try for ever.
    dispatch_at_last.abort();
    drop(guard);
    tracing::info!("stopped");
}

/// Returns when nothing is waited for any longer.
async fn last_moment(answers: bool, stop: &Stop) {
    if answers {
        tokio::select! {
            () = tokio::time::sleep(LAST_ANSWERS - LAST_MOMENT) => {}
            () = stop.hurried() => {}
        }
    }
    tokio::time::sleep(LAST_MOMENT).await;
}

fn place(settings: &Settings) -> DatabasePlace {
    match &settings.database.url {
        Some(url) => DatabasePlace::Postgres(url.expose().into()),
        None => DatabasePlace::Folder(settings.data_dir.clone()),
    }
}

fn pools(settings: &Settings) -> Pools {
    Pools {
        connections: settings.database.max_connections,
        acquire: settings.database.acquire_timeout,
        statement: settings.server.request_timeout,
    }
}

/// A request of a part of the server itself.
fn system(app: &Arc<App>, part: &'static str) -> Request {
    Request {
        app: app.clone(),
        principal: Principal::system(part),
        language: Language::En,
        id: RequestId::random().to_string().into(),
        address: None,
    }
}

/// The graph's schema, sorted, as `schema.graphql` has it.
#[must_use]
pub fn schema() -> String {
    graphql::schema::text()
}

impl RunningServer {
    /// Says on standard error who may sign in, when this start has made the first user.
    pub fn introduce(&self) {
        match self.made.as_ref().map(|made| made.password.as_deref()) {
            // Not through the log: a password does not belong into files that are kept.
            Some(Some(password)) => say(&format!("\n  user      admin\n  password  {password}   (shown once)\n")),
            Some(None) => say("\n  user      admin\n  password  that of TASKLOOM_ADMIN_PASSWORD\n"),
            None => {}
        }
    }

    /// Runs what listens to signals as one of the server's own loops.
    pub fn heed(&self, signals: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.watch.clone().vital("signals", signals));
    }

    /// A token of the process itself, for an embedded client: an administrator's, for a day.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn token(&self) -> anyhow::Result<String> {
        use resolver::token::{Expiry, NewToken};
        let request = system(&self.app, "run");
        let admin = resolver::user::get_by_name(&request, first_start::ADMIN).await?;
        let expiry = Expiry::At(request.clock.now().after(Duration::from_secs(24 * 3600)));
        let name = "taskloom run".to_owned();
        let new = NewToken {
            user: Some(admin.id),
            name,
            role: taskloom_entity::Role::Admin,
            expiry,
            access_key: false,
            subscriptions: None,
        };
        Ok(resolver::token::create(&request, new).await?.secret)
    }

    /// Returns when the server has ended after [`RunningServer::stop`] was asked.
    ///
    /// # Errors
    /// When it was one of its own loops that ended it.
    pub async fn ended(self) -> Result<(), Fault> {
        if let Err(error) = self.ended.await {
            tracing::error!(%error, "the server did not end as it should");
        }
        self.watch.fault().cloned().map_or(Ok(()), Err)
    }
}

/// `eprintln!` panics when nobody can be told.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
