//! The seam to sign-in: whoever opens a door asks a [`TransportGate`] who the caller is.
//!
//! A caller without credentials is admitted as nobody, and the fields refuse; one with bad credentials is turned away
//! here. Who was admitted may stay until the [`Admission`] lapses: then streams end.

use std::future::Future;

use async_graphql::Data;
use axum::http::{HeaderMap, header};
use futures::future::BoxFuture;
use serde_json::Value;
use taskloom_core::Role;

use crate::error::Error;

/// Says who a caller is.
pub trait TransportGate: Clone + Send + Sync + 'static {
    /// Asked once per HTTP request, and once per WebSocket when its `connection_init` comes, whose payload is `init`;
    /// `headers` are then those of the upgrade. [`authorization`] finds the credentials in both.
    ///
    /// # Errors
    ///
    /// Becomes the HTTP answer with the error's own status, or closes the socket: 4403 for credentials, 1013 when the
    /// gate cannot say now.
    fn admit(&self, headers: &HeaderMap, init: Option<&Value>)
    -> impl Future<Output = Result<Admission, Error>> + Send;
}

/// What an admitted caller brings into each of its requests.
#[derive(Default)]
pub struct Admission {
    /// Who pays ([`Payer`](crate::gql::limits::Payer)), and whatever resolvers find in their context. One for all
    /// operations of a WebSocket, so nothing that caches for one request belongs here.
    pub data: Data,
    /// What the caller may do at most, and so how much it may send; none: it is not signed in.
    pub role: Option<Role>,
    /// Completes when the admission ends: the token expired or was revoked, the session was closed.
    pub lapse: Option<BoxFuture<'static, ()>>,
}

/// The credentials: the member `Authorization` of a `connection_init` payload, in any case, before the header, since
/// a browser cannot set the header of an upgrade.
#[must_use]
pub fn authorization<'a>(headers: &'a HeaderMap, init: Option<&'a Value>) -> Option<&'a str> {
    let payload = init.and_then(Value::as_object).and_then(|payload| {
        payload
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
            .and_then(|(_, value)| value.as_str())
    });
    payload.or_else(|| headers.get(header::AUTHORIZATION)?.to_str().ok())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_come_from_the_payload_or_else_the_header() {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("Bearer header"))]);
        assert_eq!(authorization(&headers, None), Some("Bearer header"));
        assert_eq!(authorization(&headers, Some(&json!({"other": 1}))), Some("Bearer header"));
        assert_eq!(authorization(&headers, Some(&json!({"authorization": "Bearer payload"}))), Some("Bearer payload"));
        assert_eq!(authorization(&headers, Some(&json!({"Authorization": "Bearer payload"}))), Some("Bearer payload"));
        assert_eq!(authorization(&HeaderMap::new(), Some(&json!(null))), None);
    }
}
