//! The layers of the wall that are ours. Each does one thing to every request and hands it on.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::{BodyLimit, TooLarge, answer, body};
use crate::error::{Error, Language, code};
use crate::telemetry::metrics::{RequestLabels, Route};
use crate::telemetry::{Metrics, RequestId};
use crate::{asker, config};

/// The header of the request id, both ways.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Gives the request its id and its span, and counts it. Handlers find the [`RequestId`] among the extensions.
pub(super) async fn observe(State(metrics): State<Arc<Metrics>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let brought = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let id = brought.and_then(RequestId::parse).unwrap_or_else(RequestId::random);
    request.extensions_mut().insert(id);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let client = super::client::address(request.extensions());
    let span = tracing::info_span!("request", %id, %method, path, client = client.map(tracing::field::display));
    let mut response = next.run(request).instrument(span.clone()).await;

    let value = HeaderValue::from_str(&id.to_string()).expect("invariant: hexadecimal digits make a header");
    response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), value);
    let status = response.status().as_u16();
    let route = response.extensions_mut().remove::<Pattern>().map(|pattern| pattern.0).unwrap_or_default();
    let labels = RequestLabels { method: known(&method), route: route.clone(), status };
    metrics.http_requests.get_or_create(&labels).inc();
    metrics.http_request_duration.get_or_create(&Route { route }).observe(began.elapsed());
    let milliseconds = began.elapsed().as_millis();
    span.in_scope(|| tracing::debug!(status, milliseconds, "answered"));
    response
}

/// The pattern of the route that answered, carried outward for the metrics.
#[derive(Clone)]
struct Pattern(String);

/// The method as a label: a caller must not be able to make new ones.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

/// Headers that keep a browser from guessing, framing, leaking and storing. A handler that knows better sets its own.
pub(super) async fn careful(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (CACHE_CONTROL, "no-store"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Writes the pattern of the route on the answer, where [`observe`] finds it.
pub(super) async fn name(request: Request, next: Next) -> Response {
    let pattern = request.extensions().get::<MatchedPath>().map(|path| Pattern(path.as_str().to_owned()));
    let mut response = next.run(request).await;
    if let Some(pattern) = pattern {
        response.extensions_mut().insert(pattern);
    }
    response
}

/// Bounds the time, and sees to what nobody has read of a body. The time runs until the head of the answer: streams go on
/// for as long as they like.
pub(super) async fn limit(State(settings): State<config::Server>, mut request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let rest = body::lend(&mut request);
    let response = match tokio::time::timeout(settings.request_timeout, asker::wait_for(next.run(request))).await {
        Ok(response) if is_bare_405(&response) => answer::explain(&method, &uri, response.headers()),
        Ok(response) => response,
        Err(_) => {
            let seconds = settings.request_timeout.as_secs_f64();
            answer::respond(&Error::new(&code::TIMED_OUT).with("seconds", seconds), Language::En)
        }
    };
    if let Some(rest) = rest {
        rest.drain().await;
    }
    response
}

/// Takes out a body that says itself that it is too large. Its door says so in its own words, where it has some.
pub(super) async fn measure(most: BodyLimit, has_envelope: bool, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(most);
    if body::length(request.headers()).is_some_and(|length| length > most.0) {
        if !has_envelope {
            return answer::too_large(most.0);
        }
        request.extensions_mut().insert(TooLarge(most.0));
        request.headers_mut().remove(CONTENT_LENGTH);
        *request.body_mut() = Body::empty();
    }
    next.run(request).await
}

fn is_bare_405(response: &Response) -> bool {
    response.status() == StatusCode::METHOD_NOT_ALLOWED && !response.headers().contains_key(CONTENT_TYPE)
}
