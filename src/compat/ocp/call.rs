//! One call of an OCP client: who calls, and the envelope of the answer.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::super::caller::{self, Guest, Trust};
use super::super::{Server, Zone};
use super::error::OcpRefusal;
use super::sign;
use super::time::Time;
use super::wire::OcpFault;
use crate::error::{Error, Kind, Language, code};
use crate::http::language;
use crate::resolver::Request;

/// What every call needs.
#[derive(Clone)]
pub struct Ocp {
    /// What every dialect needs.
    pub server: Server,
    /// Who is let in without credentials.
    pub guest: Guest,
}

/// One call, let in.
pub struct OcpCall {
    /// In whose name.
    pub request: Request,
    context: OcpCallContext,
}

/// What the envelope has whatever the answer is.
struct OcpCallContext {
    began: Instant,
    server: Server,
    id: Arc<str>,
    language: Language,
}

/// The envelope; its keys are in alphabetical order, as the product has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OcpEnvelope<T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<T>,
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<OcpFault>,
    server: Arc<str>,
    status: u16,
    successful: bool,
    timestamp: Time,
    trace_id: Arc<str>,
}

impl FromRequestParts<Ocp> for OcpCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ocp: &Ocp) -> Result<Self, Response> {
        let (request, context) = ocp.stranger(parts);
        let app = &ocp.server.app;
        let entered = async {
            caller::screen(parts, app)?;
            let trust = Trust::by_method(parts, app);
            caller::enter(request, sign::credentials(parts, app)?, (ocp.guest, trust)).await
        };
        match entered.await {
            Ok(request) => Ok(Self { request, context }),
            Err(error) => Err(context.refuse(&error.into())),
        }
    }
}

impl Ocp {
    fn stranger(&self, parts: &Parts) -> (Request, OcpCallContext) {
        let language = language(&parts.headers);
        let request = caller::stranger(&self.server.app, parts, language);
        let (server, id) = (self.server.clone(), request.id.clone());
        (request, OcpCallContext { began: Instant::now(), server, id, language })
    }
}

impl OcpCall {
    /// In which zone instants are written.
    pub fn zone(&self) -> Zone {
        self.context.server.zone
    }

    /// The answer with data.
    pub fn answer<T: Serialize>(&self, found: Result<T, OcpRefusal>) -> Response {
        match found {
            Ok(data) => self.context.wrap(StatusCode::OK, Some(data), None),
            Err(refusal) => self.context.refuse(&refusal),
        }
    }

    /// The text of an answer with data.
    pub fn envelope<T: Serialize>(&self, data: T) -> String {
        let envelope = self.context.envelope(StatusCode::OK, Some(data), None);
        serde_json::to_string(&envelope).expect("invariant: the dialect's JSON has only text keys")
    }

    /// The answer of an operation that returns nothing.
    pub fn done<T>(&self, done: Result<T, OcpRefusal>) -> Response {
        match done {
            Ok(_) => self.context.wrap(StatusCode::OK, None::<()>, None),
            Err(refusal) => self.context.refuse(&refusal),
        }
    }
}

impl OcpCallContext {
    fn envelope<T>(&self, status: StatusCode, data: Option<T>, error: Option<OcpFault>) -> OcpEnvelope<T> {
        OcpEnvelope {
            data,
            duration: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            successful: error.is_none(),
            error,
            server: self.server.name.clone(),
            status: status.as_u16(),
            timestamp: Time(self.server.zone.at(self.server.app.clock.now())),
            trace_id: self.id.clone(),
        }
    }

    fn wrap<T: Serialize>(&self, status: StatusCode, data: Option<T>, error: Option<OcpFault>) -> Response {
        (status, Json(self.envelope(status, data, error))).into_response()
    }

    fn refuse(&self, refusal: &OcpRefusal) -> Response {
        if let OcpRefusal::Of(error) = refusal {
            caller::log(error, &self.id);
        }
        let (status, fault) = refusal.encode(self.language);
        let mut response = self.wrap(status, None::<()>, Some(fault));
        if let OcpRefusal::Of(error) = refusal
            && let Some(pause) = error.pause()
        {
            // Rounded up: a client that waits as told must not come too early.
            let seconds = pause.as_millis().div_ceil(1000) as u64;
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            if error.code().kind == Kind::Limit {
                response.headers_mut().extend(exhausted(seconds));
            }
        }
        response
    }
}

/// The product's headers of a limit that is reached.
fn exhausted(seconds: u64) -> [(HeaderName, HeaderValue); 3] {
    let name = HeaderName::from_static;
    [
        (name("ratelimit-limit"), crate::auth::limit::FAILURES.into()),
        (name("ratelimit-remaining"), 0.into()),
        (name("ratelimit-reset"), seconds.into()),
    ]
}

/// A path below the dialect's that does not exist.
pub async fn no_such_path(State(ocp): State<Ocp>, uri: Uri, parts: Parts) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    ocp.stranger(&parts).1.refuse(&Error::new(&code::PATH_NOT_FOUND).with("path", path).into())
}

/// A path that exists, asked in a way that it does not answer; the router adds `Allow`.
pub async fn wrong_method(State(ocp): State<Ocp>, method: Method, uri: Uri, parts: Parts) -> Response {
    let error = Error::new(&code::METHOD_NOT_ALLOWED).with("path", uri.path()).with("method", method);
    ocp.stranger(&parts).1.refuse(&error.into())
}

/// Writes the ways to sign in into the description.
pub struct OcpSecuritySchemes;

impl utoipa::Modify for OcpSecuritySchemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let http = |scheme| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).build());
        let text = "`OCP-ACCESS-KEY-HMACSHA1 {AK}:{signature}`, with a `Date` header";
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", text)));
        let components = openapi.components.get_or_insert_default();
        for (name, scheme) in
            [("basic", http(HttpAuthScheme::Basic)), ("bearer", http(HttpAuthScheme::Bearer)), ("accessKey", key)]
        {
            components.add_security_scheme(name, scheme);
        }
    }
}
