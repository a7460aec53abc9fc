//! Who calls a dialect: the credentials of its own scheme or ours, proved, or a guest where the settings let one in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use taskloom_entity::Role;

use crate::auth::{Credentials, Principal, origin};
use crate::error::{Error, Kind, Language, Result, code};
use crate::http::{self, BodyLimit, TooLarge, client};
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
pub(super) async fn enter(
    request: Request,
    credentials: Credentials,
    (guest, trust): (Guest, Trust),
) -> Result<Request> {
    let credentials = match credentials {
        Credentials::Session(_) if !trust.cookie => Credentials::Nothing,
        other => other,
    };
    let request = session::authenticate(request, &credentials).await?;
    match (guest.0, credentials) {
        (Some(role), Credentials::Nothing) if trust.guest => session::as_guest(request, role).await,
        _ => Ok(request),
    }
}

/// What nobody is asked for: a body that says itself that it is too large, which was left out, or one that is no JSON.
///
/// A page of another site can have a browser send a form or plain text without asking first, and JSON only by not naming
/// it; then the browser says where it comes from.
pub(super) fn screen(parts: &Parts, app: &App) -> Result<()> {
    if let Some(TooLarge(most)) = parts.extensions.get::<TooLarge>() {
        return Err(Error::new(&code::BODY_TOO_LARGE).with("limit", *most));
    }
    if parts.method.is_safe() {
        return Ok(());
    }
    let mut types = parts.headers.get_all(CONTENT_TYPE).iter();
    let is_json = match (types.next(), types.next()) {
        (None, _) => origin::is_own(&parts.headers, &app.gate.settings().origins),
        (Some(one), None) => one.to_str().is_ok_and(is_json),
        (Some(_), Some(_)) => false,
    };
    if is_json { Ok(()) } else { Err(Error::new(&code::UNSUPPORTED_MEDIA_TYPE)) }
}

/// `application/json`, or one of its kin such as `application/problem+json`.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.strip_prefix("application/").is_some_and(|rest| rest.ends_with("+json"))
}

/// What of a caller counts that a page of another site can have a browser bring along.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trust {
    /// A cookie.
    pub(super) cookie: bool,
    /// Who needs no credentials.
    guest: bool,
}

impl Trust {
    /// A request that changes something counts when a page of ours meant it, or no page at all.
    pub(super) fn in_change(parts: &Parts, app: &App) -> Self {
        let is_meant = origin::is_meant(&parts.headers, &app.gate.settings().origins);
        Self { cookie: is_meant, guest: is_meant }
    }

    /// The same where the method says that something changes; else what is read is read by whom it is sent to.
    pub(super) fn by_method(parts: &Parts, app: &App) -> Self {
        match parts.method.is_safe() {
            true => Self { cookie: origin::is_own(&parts.headers, &app.gate.settings().origins), guest: true },
            false => Self::in_change(parts, app),
        }
    }
}

/// The body of a request.
///
/// # Errors
/// `BODY_TOO_LARGE` when it is found to be while it is read; `BAD_REQUEST` when it breaks off.
pub(super) async fn body(request: axum::extract::Request) -> Result<Bytes> {
    let most = request.extensions().get::<BodyLimit>().map_or(0, |limit| limit.0);
    let (parts, body) = request.into_parts();
    http::body::read(&parts.headers, body, usize::try_from(most).unwrap_or(usize::MAX)).await
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
