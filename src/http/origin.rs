//! Pages on other hosts: those that the settings name may call, with their user's cookie; no others. A program that is
//! no browser is not concerned: it proves itself by a token.

use std::time::Duration;

use axum::http::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::Origins;

/// Answers preflight requests and marks answers for the origins in `allowed`.
pub(super) fn layer(allowed: &Origins) -> CorsLayer {
    let request_id = HeaderName::from_static(super::wall::REQUEST_ID);
    let origins: Vec<HeaderValue> = allowed.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, request_id.clone()])
        .expose_headers([RETRY_AFTER, request_id])
        .max_age(Duration::from_secs(600))
}
