//! Answers that no door gave, as JSON: `{"error": {"code", "message", "remedy"}}`. They name what exists and say
//! nothing that the caller did not send.

use std::any::Any;
use std::sync::Arc;

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::{Error, Language, code};

/// The answer for an application error where a door has no envelope of its own.
#[must_use]
pub fn respond(error: &Error, language: Language) -> Response {
    envelope(error, language, error.code().remedy)
}

/// `remedy` is the code's own, or one that knows more.
fn envelope(error: &Error, language: Language, remedy: &str) -> Response {
    let code = error.code();
    let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "error": { "code": code.name, "message": error.message(language), "remedy": remedy } });
    let mut response = (status, Json(body)).into_response();
    if let Some(pause) = error.pause() {
        response.headers_mut().insert(RETRY_AFTER, pause.as_secs().max(1).into());
    }
    response
}

/// A path that no door has.
pub(super) async fn no_such_path(uri: Uri, paths: Arc<[&'static str]>) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let nearest = paths.iter().max_by(|a, b| strsim::jaro(a, &path).total_cmp(&strsim::jaro(b, &path)));
    let remedy = match nearest {
        Some(near) if strsim::jaro(near, &path) > 0.8 => {
            format!("Did you mean {near}? There are: {}.", paths.join(", "))
        }
        _ => format!("There are: {}.", paths.join(", ")),
    };
    envelope(&Error::new(&code::PATH_NOT_FOUND).with("path", path), Language::En, &remedy)
}

/// A path that exists, asked in a way that it does not answer. The router adds `Allow`, which [`explain`] repeats.
pub(super) async fn wrong_method() -> Response {
    StatusCode::METHOD_NOT_ALLOWED.into_response()
}

/// Writes what `Allow` says into the body of a 405 that has none.
pub(super) fn explain(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    let allowed = headers.get(ALLOW).and_then(|value| value.to_str().ok()).unwrap_or("another").replace(',', ", ");
    let error = Error::new(&code::METHOD_NOT_ALLOWED).with("path", uri.path()).with("method", method);
    let mut response = envelope(&error, Language::En, &format!("Use {allowed}."));
    response.headers_mut().extend(headers.get(ALLOW).map(|value| (ALLOW, value.clone())));
    response
}

/// A body that says itself that it is too large.
pub(super) fn too_large(limit: u64) -> Response {
    respond(&Error::new(&code::BODY_TOO_LARGE).with("limit", limit), Language::En)
}

/// A bug of ours: logged here once, under the span of its request.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text");
    tracing::error!(panic = text, "a handler panicked");
    respond(&Error::new(&code::INTERNAL), Language::En)
}
