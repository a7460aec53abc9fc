//! `/graphql`: POST and GET as the GraphQL-over-HTTP specification says, server-sent events, and WebSockets that
//! speak `graphql-transport-ws`. Each decodes, asks the [`TransportGate`] who calls, executes, and encodes; none knows a
//! field.
//!
//! What a request may cost is the schema's own ([`super::limits`]); what a connection may cost is here.

mod answer;
mod gate;
mod http;
mod negotiate;
mod operation;
mod origin;
mod parameters;
mod sse;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Executor;
use axum::Router;
use axum::routing::get;
use taskloom_core::Role;
use tokio_util::sync::CancellationToken;

use super::limits::Places;
use crate::config::Origins;

pub use gate::{Admission, TransportGate, authorization};
pub use ws::PROTOCOL;

/// What connections may cost, and who may open a socket.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// Bytes of a POST body, and of a message on a WebSocket.
    pub bodies: Bodies,
    /// How long a query or mutation may run, whichever way it came.
    pub time: Duration,
    /// Subscriptions that may be open at a time, over all sockets and streams.
    pub subscriptions: usize,
    /// Those of one caller.
    pub own_subscriptions: usize,
    /// WebSockets of one caller.
    pub own_sockets: usize,
    /// Origins besides the server's own whose pages may open a WebSocket.
    pub origins: Origins,
    /// Silence after which an event stream sends a comment, so that proxies keep it.
    pub keep_alive: Duration,
    pub socket: SocketSettings,
    /// Cancelled when the server stops: streams and sockets end, and clients come back to another server.
    pub stop: CancellationToken,
}

/// What one WebSocket may cost.
#[derive(Clone, Debug)]
pub struct SocketSettings {
    /// Operations under way at one time.
    pub operations: usize,
    /// How long a client may take to send `connection_init`.
    pub init: Duration,
    /// Between two pings; a client that has sent nothing since the last one is gone.
    pub ping: Duration,
    /// How long the client may take to read what it was sent.
    pub send: Duration,
}

/// How much callers may send at a time, by their role.
#[derive(Clone, Copy, Debug)]
pub struct Bodies {
    /// With the role MANAGER or ADMIN.
    pub manager: usize,
    /// With the role VIEWER.
    pub viewer: usize,
    /// Not signed in.
    pub stranger: usize,
}

impl Bodies {
    fn of(self, role: Option<Role>) -> usize {
        let most = match role {
            Some(Role::Manager | Role::Admin) => self.manager,
            Some(Role::Viewer) => self.viewer,
            None => self.stranger,
        };
        most.min(self.manager)
    }
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            bodies: Bodies { manager: 6 << 20, viewer: 256 << 10, stranger: 64 << 10 },
            time: Duration::from_secs(30),
            subscriptions: 20_000,
            own_subscriptions: 500,
            own_sockets: 50,
            origins: Origins::default(),
            keep_alive: Duration::from_secs(12),
            socket: SocketSettings {
                operations: 100,
                init: Duration::from_secs(10),
                ping: Duration::from_secs(20),
                send: Duration::from_secs(10),
            },
            stop: CancellationToken::new(),
        }
    }
}

/// What every transport needs.
struct TransportState<E, G> {
    executor: E,
    gate: G,
    places: Places,
    sockets: Places,
    settings: Arc<TransportSettings>,
}

// Derived, it would ask `E: Clone` through an `Arc`'s back door; all are cheap handles.
impl<E: Clone, G: Clone> Clone for TransportState<E, G> {
    fn clone(&self) -> Self {
        let (executor, gate, settings) = (self.executor.clone(), self.gate.clone(), self.settings.clone());
        Self { executor, gate, places: self.places.clone(), sockets: self.sockets.clone(), settings }
    }
}

/// The route `/graphql`. The executor must be a schema behind its limits ([`super::limits::guard`]).
pub fn router<E: Executor, G: TransportGate>(executor: E, gate: G, settings: TransportSettings) -> Router {
    let places = Places::of_subscriptions(settings.subscriptions, settings.own_subscriptions);
    let sockets = Places::of_sockets(settings.own_sockets);
    let door = TransportState { executor, gate, places, sockets, settings: Arc::new(settings) };
    Router::new().route("/graphql", get(http::get::<E, G>).post(http::post::<E, G>)).with_state(door)
}
