//! Who calls a dialect: the credentials of its own scheme or ours, proved, or a guest where the settings let one in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::http::StatusCode;
use axum::http::request::Parts;
use taskloom_entity::Role;

use crate::auth::{Credentials, Principal};
use crate::error::{Error, Kind, Language, Result, code};
use crate::http::{BodyLimit, TooLarge, client};
use crate::resolver::{App, Request, session};
use crate::telemetry::RequestId;

/// What somebody without credentials may do; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guest(pub Option<Role>);

/// A request of nobody yet.
pub(super) fn stranger(app: &Arc<App>, parts: &Parts, language: Language) -> Request {
    let id = parts.extensions.get::<RequestId>().copied().unwrap_or_else(RequestId::random);
    Request {
        app: app.clone(),
        principal: Principal::anonymous(),
        language,
        id: id.to_string().into(),
        address: client::address(&parts.extensions),
    }
}

/// The request in the name of who sent `credentials`; of a guest when nobody did.
pub(super) async fn enter(request: Request, credentials: &Credentials, guest: Guest) -> Result<Request> {
    let request = session::authenticate(request, credentials).await?;
    match (guest.0, credentials) {
        (Some(role), Credentials::Nothing) => session::as_guest(request, role).await,
        _ => Ok(request),
    }
}

/// A body that says itself that it is too large; it was left out.
pub(super) fn measure(parts: &Parts) -> Result<()> {
    match parts.extensions.get::<TooLarge>() {
        Some(TooLarge(most)) => Err(too_large(*most)),
        None => Ok(()),
    }
}

/// The body of a request.
///
/// # Errors
/// `BODY_TOO_LARGE` when it is found to be while it is read; `BAD_REQUEST` when it breaks off.
pub(super) async fn body(request: axum::extract::Request) -> Result<Bytes> {
    let most = request.extensions().get::<BodyLimit>().map_or(0, |limit| limit.0);
    Bytes::from_request(request, &()).await.map_err(|refused| match refused.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(most),
        _ => Error::new(&code::BAD_REQUEST).with("reason", "the body breaks off").source(refused),
    })
}

fn too_large(most: u64) -> Error {
    Error::new(&code::BODY_TOO_LARGE).with("limit", most)
}

/// Logs what the caller is not told. Once, here, where the error leaves.
pub(super) fn log(error: &Error, request_id: &str) {
    let code = error.code().name;
    match error.code().kind {
        Kind::Internal => tracing::error!(code, request_id, cause = error.chain(), "request failed"),
        Kind::Unavailable => tracing::warn!(code, request_id, cause = error.chain(), "request put off"),
        Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Unauthenticated | Kind::Forbidden | Kind::Limit => {
            tracing::debug!(code, request_id, "request refused");
        }
    }
}
