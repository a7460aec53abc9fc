//! Answers of what was not executed, and what each request is furnished with: the same for every transport.

use async_graphql::{Data, ServerError};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::negotiate::Media;
use crate::error::Error;
use crate::gql::error::{self, ResponseContext};

/// What resolvers find in their context beside what the gate put there.
pub(super) fn furnish(mut data: Data, caller: &ResponseContext) -> Data {
    data.insert(caller.language);
    data
}

/// Errors without `data`: nothing was executed.
#[derive(Serialize)]
struct ErrorsBody<'a> {
    errors: &'a [ServerError],
}

/// The answer to a request that did not become a GraphQL request.
pub(super) fn refuse(status: StatusCode, error: &Error, caller: &ResponseContext, media: Media) -> Response {
    let media = if media == Media::Events { Media::Json } else { media };
    let mut answer = encode(status, media, &[error::report(error, caller)]);
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(pause) = error.pause() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
    }
    answer
}

/// The answer to a request of which nothing was executed.
pub(super) fn encode(status: StatusCode, media: Media, errors: &[ServerError]) -> Response {
    match serde_json::to_vec(&ErrorsBody { errors }) {
        Ok(json) => {
            let no_store = HeaderValue::from_static("no-store");
            (status, [(header::CONTENT_TYPE, media.header()), (header::CACHE_CONTROL, no_store)], json).into_response()
        }
        Err(cause) => {
            tracing::error!(%cause, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
