//! Sign-in at the graph's doors: reads the credentials of a request or socket, has them proved, and lets the caller
//! in with its [`Request`]. A socket or stream ends when what let it in was revoked.

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::Data;
use axum::extract::Request as HttpRequest;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::Value;

use crate::auth::cookie::Bound;
use crate::auth::{Credentials, Principal, Subject, origin};
use crate::error::Error;
use crate::gql::error;
use crate::gql::limits::{Caller, Payer};
use crate::gql::transport::{self, Admission};
use crate::http::{client, language};
use crate::resolver::{App, Request, session};
use crate::telemetry::RequestId;

/// Carries the client's address from [`carry`] to the gate; nobody outside can set it.
const PEER: HeaderName = HeaderName::from_static("x-taskloom-peer");

/// The gate of every transport.
#[derive(Clone, Debug)]
pub struct GraphqlGate(Arc<App>);

/// How a mutation can answer beside its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// With headers.
    Http {
        /// To what a cookie is bound.
        bound: Bound,
    },
    /// With nothing else: the headers of a socket are long sent.
    Socket,
}

impl GraphqlGate {
    /// A gate of this process.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self(app)
    }
}

impl transport::TransportGate for GraphqlGate {
    async fn admit(&self, headers: &HeaderMap, init: Option<&Value>) -> Result<Admission, Error> {
        let stated = init.map(Credentials::from_payload).transpose()?.flatten();
        let credentials = match stated {
            Some(credentials) => credentials,
            None => Credentials::read(headers, &self.0.gate.settings().origins)?,
        };
        let id = error::ResponseContext::of(headers).request_id.unwrap_or_else(|| RequestId::random().to_string());
        let request = Request {
            app: self.0.clone(),
            principal: Principal::anonymous(),
            language: language(headers),
            id: id.into(),
            address: headers.get(PEER).and_then(|peer| peer.to_str().ok()?.parse::<IpAddr>().ok()),
        };
        let request = session::authenticate(request, &credentials).await?;
        let mut entry = Admission { data: Data::default(), role: request.principal.role(), lapse: None };
        if request.principal.user_id().is_some() {
            let request = request.clone();
            entry.lapse = Some(Box::pin(async move { session::until_changed(&request, &credentials).await }));
        }
        let socket = headers.contains_key(header::UPGRADE);
        let reach = if socket {
            Reach::Socket
        } else {
            Reach::Http { bound: origin::bound(headers, &self.0.gate.settings().origins) }
        };
        entry.data.insert(reach);
        if let Some(payer) = payer(&request) {
            entry.data.insert(payer);
        }
        entry.data.insert(request);
        Ok(entry)
    }
}

/// On whose account a request's operations go; the server's own go on none.
fn payer(request: &Request) -> Option<Payer> {
    let caller = match request.principal.subject() {
        Subject::User { id, .. } => Caller::User(id.0),
        Subject::Anonymous => Caller::Stranger(request.address),
        Subject::System(_) => return None,
    };
    Some(Payer { caller, subscriptions: request.principal.subscriptions() })
}

/// Writes into the request's headers what the wall knows of it, since that is all a gate is shown: the request's id
/// and the client's address. To be put around the routes of every door with a gate.
pub async fn carry(mut request: HttpRequest, next: Next) -> Response {
    let peer = client::address(request.extensions()).map(|address| address.to_string());
    let id = request.extensions().get::<RequestId>().map(RequestId::to_string);
    let headers = request.headers_mut();
    headers.remove(PEER);
    for (name, value) in [(PEER, peer), (HeaderName::from_static("x-request-id"), id)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    next.run(request).await
}
