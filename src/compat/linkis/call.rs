//! One call of a Linkis client: who calls, and its envelope.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OriginalUri, State};
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::super::caller::{self, Guest, Trust};
use super::super::{Server, Zone};
use super::envelope::{LinkisAnswer, LinkisRefusal, Message, http, send};
use crate::auth::{Credentials, cookie};
use crate::config::Origins;
use crate::error::{Error, Result, code};
use crate::http::{BodyLimit, language};
use crate::resolver::Request;

/// The cookie of a session.
pub const COOKIE: &str = "linkis_user_session_ticket_id_v1";

/// What every call needs.
#[derive(Clone)]
pub struct Linkis {
    /// What every dialect needs.
    pub server: Server,
    /// Who is let in without credentials.
    pub guest: Guest,
}

/// One call, let in; by nobody, where a route is open.
pub struct LinkisCall {
    /// In whose name.
    pub request: Request,
    context: LinkisCallContext,
}

/// The body of a call, whatever its type is called.
pub struct Sent(pub Bytes);

impl FromRequest<Linkis> for Sent {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, linkis: &Linkis) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let context = linkis.stranger(&parts).1;
        let read = caller::body(axum::extract::Request::from_parts(parts, body)).await;
        read.map(Self).map_err(|error| context.refuse(&error.into()))
    }
}

/// A call that changes something: on GET, a cookie is enough only on a request of our own pages.
pub struct LinkisChangeCall(pub LinkisCall);

struct LinkisCallContext {
    server: Server,
    id: Arc<str>,
    method: String,
}

impl FromRequestParts<Linkis> for LinkisCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, linkis: &Linkis) -> Result<Self, Response> {
        linkis.enter(parts, Trust::by_method(parts, &linkis.server.app)).await
    }
}

impl FromRequestParts<Linkis> for LinkisChangeCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, linkis: &Linkis) -> Result<Self, Response> {
        linkis.enter(parts, Trust::in_change(parts, &linkis.server.app)).await.map(Self)
    }
}

impl Linkis {
    async fn enter(&self, parts: &mut Parts, trust: Trust) -> Result<LinkisCall, Response> {
        let (request, context) = self.stranger(parts);
        let entered = async {
            caller::screen(parts, &self.server.app)?;
            let foreign = &self.server.app.gate.settings().origins;
            let (credentials, named) = read(&parts.headers, foreign, trust.cookie)?;
            let request = caller::enter(request, credentials, (self.guest, trust)).await?;
            // A token is bound to its user: who names another is nobody.
            match named {
                Some(name) if name != request.principal.name() => Err(Error::new(&code::TOKEN_REFUSED)),
                _ => Ok(request),
            }
        };
        match entered.await {
            Ok(request) => {
                if request.principal.role().is_none() {
                    parts.extensions.insert(BodyLimit(self.server.stranger as u64));
                }
                Ok(LinkisCall { request, context })
            }
            Err(error) => Err(context.refuse(&error.into())),
        }
    }

    fn stranger(&self, parts: &Parts) -> (Request, LinkisCallContext) {
        let request = caller::stranger(&self.server.app, parts, language(&parts.headers));
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0);
        let method = uri.path().replacen("/rest_j/v1", "", 1);
        let (server, id) = (self.server.clone(), request.id.clone());
        (request, LinkisCallContext { server, id, method })
    }
}

/// The credentials of a call, and whose they must be. A header decides over a cookie; neither is read from the other.
fn read(headers: &HeaderMap, foreign: &Origins, cookie_counts: bool) -> Result<(Credentials, Option<String>)> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(token) = text("token-code") {
        let user = text("token-user").ok_or_else(|| Error::new(&code::TOKEN_REFUSED))?;
        return Ok((Credentials::Token(token), Some(user)));
    }
    if headers.contains_key("token-user") {
        return Err(Error::new(&code::TOKEN_REFUSED));
    }
    match Credentials::read(headers, foreign)? {
        Credentials::Nothing if cookie_counts => {
            Ok((cookie::find_named(headers, COOKIE).map_or(Credentials::Nothing, Credentials::Session), None))
        }
        other => Ok((other, None)),
    }
}

impl LinkisCall {
    /// In which zone instants are written.
    pub fn zone(&self) -> Zone {
        self.context.server.zone
    }

    /// `host:port` of this server.
    pub fn instance(&self) -> &str {
        &self.context.server.instance
    }

    pub fn answer<T: Serialize>(&self, said: Result<LinkisAnswer<T>, LinkisRefusal>) -> Response {
        match self.message(&self.context.method, said) {
            Ok(message) => send(StatusCode::OK, &message),
            Err(refusal) => self.context.refuse(&refusal),
        }
    }

    /// The envelope of one of several calls in one.
    pub fn part<T: Serialize>(
        &self,
        method: &str,
        said: Result<LinkisAnswer<T>, LinkisRefusal>,
    ) -> Message<serde_json::Value> {
        match self.message(method, said) {
            Ok(Message { method, status, message, data }) => {
                Message { method, status, message, data: serde_json::to_value(data).unwrap_or_default() }
            }
            Err(refusal) => {
                let (status, message, data) = refusal.encode(self.instance());
                Message { method: method.to_owned(), status, message, data }
            }
        }
    }

    fn message<T>(
        &self,
        method: &str,
        said: Result<LinkisAnswer<T>, LinkisRefusal>,
    ) -> Result<Message<T>, LinkisRefusal> {
        let LinkisAnswer(message, data) = said?;
        Ok(Message { method: method.to_owned(), status: 0, message: message.to_owned(), data })
    }
}

impl LinkisCallContext {
    fn refuse(&self, refusal: &LinkisRefusal) -> Response {
        if let LinkisRefusal::Of(error) = refusal {
            caller::log(error, &self.id);
        }
        let (status, message, data) = refusal.encode(&self.server.instance);
        let mut response = send(http(status), &Message { method: self.method.clone(), status, message, data });
        if let LinkisRefusal::Of(error) = refusal
            && let Some(pause) = error.pause()
        {
            // Not its fault and not for ever: the one status that the product does not know, and every client does.
            *response.status_mut() = StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::BAD_REQUEST);
            response.headers_mut().insert(RETRY_AFTER, (pause.as_millis().div_ceil(1000) as u64).into());
        }
        if let LinkisRefusal::Of(error) = refusal
            && (error.code() == &code::BODY_TOO_LARGE || error.code() == &code::UNSUPPORTED_MEDIA_TYPE)
        {
            // A proxy and a library of HTTP know these by their statuses.
            *response.status_mut() = StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::BAD_REQUEST);
        }
        response
    }

    fn bare(&self, http: StatusCode, message: String) -> Response {
        send(http, &Message { method: self.method.clone(), status: 1, message, data: json!({}) })
    }
}

/// A path below the dialect's that does not exist.
pub async fn no_such_path(State(linkis): State<Linkis>, parts: Parts) -> Response {
    let context = linkis.stranger(&parts).1;
    let message = format!("{} does not exist(不存在)", context.method);
    context.bare(StatusCode::NOT_FOUND, message)
}

/// A path that exists, asked in a way that it does not answer; the router adds `Allow`.
pub async fn wrong_method(State(linkis): State<Linkis>, method: Method, uri: Uri, parts: Parts) -> Response {
    let message = format!("{} does not answer {method}(不支持该方法)", uri.path());
    linkis.stranger(&parts).1.bare(StatusCode::METHOD_NOT_ALLOWED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_needs_its_user_and_is_not_read_from_a_cookie() {
        let of = |headers: &[(&str, &str)]| {
            let mut request = axum::http::Request::builder().uri("/");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            read(request.body(()).unwrap().headers(), &Origins::default(), true)
        };
        let (credentials, user) = of(&[("token-user", "ann"), ("token-code", "tl_x")]).unwrap();
        assert_eq!((credentials, user.as_deref()), (Credentials::Token("tl_x".into()), Some("ann")));
        of(&[("token-code", "tl_x")]).unwrap_err();
        of(&[("token-user", "ann")]).unwrap_err();
        let (credentials, _) = of(&[("cookie", "Token-User=ann; Token-Code=tl_x")]).unwrap();
        assert_eq!(credentials, Credentials::Nothing);
    }
}
