//! The outer wall of the HTTP server: what is true of every request, whichever door it goes to.
//!
//! From the outside in: the client's address, request id and span, foreign origins, headers that keep browsers careful, a caught panic, the
//! limits of body and time. A door brings its routes and their names; it repeats nothing of this.

mod accept;
mod answer;
pub mod body;
pub mod client;
mod connection;
mod crowd;
mod language;
mod origin;
pub mod page;
mod probe;
mod wall;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

pub use accept::HttpEntrance;
pub use answer::respond;
pub use connection::Inlet;
pub use language::{language, take_language};
pub use probe::Ready;

use crate::config;
use crate::telemetry::Metrics;

/// The routes of one door.
#[derive(Debug)]
pub struct Door {
    /// The paths as a person would type them, for the answer to a path that does not exist.
    pub paths: &'static [&'static str],
    /// Their handlers.
    pub router: Router,
    /// The bytes that a body may have here, whoever sends it.
    pub body: u64,
    /// Whether it says in an envelope of its own what is refused below its paths: its handlers look for a [`TooLarge`].
    pub has_envelope: bool,
}

/// Among the extensions of a request: its body has more than so many bytes, and is left out.
#[derive(Clone, Copy, Debug)]
pub struct TooLarge(pub u64);

/// Among the extensions of every request: the bytes that a body may have.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub u64);

/// What the wall needs.
pub struct Wall {
    /// Limits and foreign origins.
    pub settings: config::Server,
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Whether the server can work: `Err` says why not.
    pub ready: Ready,
}

impl std::fmt::Debug for Wall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wall").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Puts the doors into the wall, with `/healthz`, `/readyz` and `/metrics` beside them.
pub fn router(doors: impl IntoIterator<Item = Door>, wall: Wall) -> Router {
    let Wall { settings, metrics, ready } = wall;
    let probes = probe::door(Arc::clone(&metrics), ready, settings.body_limit_stranger.0);
    let mut paths = vec![];
    let mut router = Router::new();
    for door in doors.into_iter().chain([probes]) {
        paths.extend(door.paths);
        let (most, has_envelope) = (BodyLimit(door.body), door.has_envelope);
        let measure = move |request, next| wall::measure(most, has_envelope, request, next);
        let bytes = usize::try_from(door.body).unwrap_or(usize::MAX);
        router = router.merge(door.router.layer(DefaultBodyLimit::max(bytes)).layer(from_fn(measure)));
    }
    let paths: Arc<[&'static str]> = paths.into();
    let cors = origin::layer(&settings.external_origins);
    let trusted: Arc<[ipnet::IpNet]> = settings.trusted_proxies.0.clone().into();
    let inside = router
        .fallback(move |uri| answer::no_such_path(uri, paths))
        .method_not_allowed_fallback(answer::wrong_method)
        .layer(from_fn(wall::name));
    // A router of its own around it: `Allow` is added when the inner one has finished, after all of its layers.
    Router::new()
        .fallback_service(inside)
        .layer(from_fn_with_state(settings, wall::limit))
        .layer(CatchPanicLayer::custom(answer::panicked))
        .layer(from_fn(wall::careful))
        .layer(cors)
        .layer(from_fn_with_state(metrics, wall::observe))
        .layer(from_fn_with_state(trusted, client::find))
}

#[cfg(test)]
mod tests;
