//! One request, one answer, by the GraphQL-over-HTTP specification (draft of 2025). All 61 audits of the npm package
//! `graphql-http` hold.
//!
//! Before a document was executed the status tells what was wrong with the request: as `application/json` a refused
//! document is still 200, as older clients want it. After that it is 200, whatever the fields said.

use std::sync::Arc;

use async_graphql::{Data, Executor, Request, ServerError};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::negotiate::{self, Media};
use super::operation::Asked;
use super::parameters::{Parameters, bad};
use super::{Door, Gate, sse, ws};
use crate::error::{Error, code};
use crate::graphql::error::{self, Caller};
use crate::graphql::limits::{Passage, Stage};

/// POST: any operation.
pub(super) async fn post<E: Executor, G: Gate>(
    State(door): State<Door<E, G>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let caller = Caller::of(&headers);
    // The body is read before anything is refused: a client that is still sending would see a broken pipe instead.
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return too_large(door.settings.body, &caller);
        }
        Err(rejection) => return refuse(rejection.status(), &bad(rejection.body_text()), &caller, Media::Json),
    };
    let Some(media) = negotiate::accept(&headers) else { return not_acceptable(&caller) };
    if !negotiate::is_json(&headers) {
        let error = bad("send the request as `Content-Type: application/json` in UTF-8");
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error, &caller, media);
    }
    match Parameters::from_body(&body) {
        Ok(parameters) => answer(&door, &headers, media, (parameters.into(), true)).await,
        Err(error) => refuse(error::status(&error), &error, &caller, media),
    }
}

/// GET: queries, event streams, and the way to a WebSocket.
pub(super) async fn get<E: Executor, G: Gate>(
    State(door): State<Door<E, G>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if headers.get(header::UPGRADE).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        return ws::upgrade(door, headers, upgrade);
    }
    let caller = Caller::of(&headers);
    let Some(media) = negotiate::accept(&headers) else { return not_acceptable(&caller) };
    match Parameters::from_uri(&uri) {
        Ok(parameters) => answer(&door, &headers, media, (parameters.into(), false)).await,
        Err(error) => refuse(error::status(&error), &error, &caller, media),
    }
}

/// Admits the caller and executes; `mutations` says whether they may pass.
async fn answer<E: Executor, G: Gate>(
    door: &Door<E, G>,
    headers: &HeaderMap,
    media: Media,
    (mut request, mutations): (Request, bool),
) -> Response {
    let caller = Caller::of(headers);
    let entry = match door.gate.admit(headers, None).await {
        Ok(entry) => entry,
        Err(error) => return refuse(error::status(&error), &error, &caller, media),
    };
    request.data = furnish(entry.data, &caller);
    if media == Media::Events {
        let caller = Arc::new(caller);
        return sse::stream(door, Asked { request, mutations, session: None, caller }, entry.lapse);
    }
    let passage = Arc::new(Passage::new(mutations, None));
    request.data.insert(passage.clone());
    let limit = door.settings.time;
    let Ok(mut response) = tokio::time::timeout(limit, door.executor.execute(request)).await else {
        let error = Error::new(&code::TIMED_OUT).with("seconds", limit.as_secs());
        return refuse(error::status(&error), &error, &caller, media);
    };
    error::finish(&mut response, &caller);
    let mut answer = match (passage.stage(), media) {
        (Stage::Executed, _) => encode(StatusCode::OK, media, &response),
        (Stage::WrongDoor, _) if !mutations => {
            let mut answer = encode(StatusCode::METHOD_NOT_ALLOWED, media, &Refusal { errors: &response.errors });
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            answer
        }
        (Stage::Refused | Stage::WrongDoor, Media::Response) => {
            encode(StatusCode::BAD_REQUEST, media, &Refusal { errors: &response.errors })
        }
        (Stage::Refused | Stage::WrongDoor, Media::Json | Media::Events) => {
            encode(StatusCode::OK, media, &Refusal { errors: &response.errors })
        }
    };
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// What resolvers find in their context beside what the gate put there.
pub(super) fn furnish(mut data: Data, caller: &Caller) -> Data {
    data.insert(caller.language);
    data
}

/// Errors without `data`: nothing was executed.
#[derive(Serialize)]
struct Refusal<'a> {
    errors: &'a [ServerError],
}

/// The answer to a request that did not become a GraphQL request.
pub(super) fn refuse(status: StatusCode, error: &Error, caller: &Caller, media: Media) -> Response {
    let media = if media == Media::Events { Media::Json } else { media };
    let mut answer = encode(status, media, &Refusal { errors: &[error::report(error, caller)] });
    let headers = answer.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(pause) = error.pause() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(pause.as_secs().max(1)));
    }
    answer
}

fn not_acceptable(caller: &Caller) -> Response {
    let error = bad("`Accept` must allow application/graphql-response+json, application/json or text/event-stream");
    refuse(StatusCode::NOT_ACCEPTABLE, &error, caller, Media::Json)
}

fn encode(status: StatusCode, media: Media, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
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

/// The body limit's own answer is plain text; here it speaks as the rest does.
pub(super) async fn explain(response: Response<Body>, limit: usize) -> Response {
    let is_plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|it| it.as_bytes().starts_with(b"text/plain"));
    if response.status() != StatusCode::PAYLOAD_TOO_LARGE || !is_plain {
        return response;
    }
    too_large(limit, &Caller::default())
}

fn too_large(limit: usize, caller: &Caller) -> Response {
    let error = Error::new(&code::BODY_TOO_LARGE).with("limit", limit);
    refuse(error::status(&error), &error, caller, Media::Json)
}
