//! What machines ask: is the process alive, can it work, how is it; and under which licences it came. Open to everyone
//! who reaches the port: nothing here tells of anybody's work.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use serde_json::json;

use super::Door;
use crate::licenses::NOTICES;
use crate::telemetry::Metrics;

/// Asks whether the server can work; `Err` says why not, in words for an operator.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn door(metrics: Arc<Metrics>, ready: Ready, body: u64) -> Door {
    let router = Router::new()
        .route("/healthz", get(async || Json(json!({ "status": "alive" }))))
        .route("/readyz", get(move || answer(ready())))
        .route("/licenses.txt", get(async || NOTICES))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.render())));
    Door { paths: &["/healthz", "/readyz", "/metrics", "/licenses.txt"], router, body, has_envelope: false }
}

/// Whether a machine asks here how the server is: it is answered when nobody else is.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

async fn answer(ready: BoxFuture<'static, Result<(), String>>) -> impl IntoResponse {
    match ready.await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "reason": reason }))),
    }
}
