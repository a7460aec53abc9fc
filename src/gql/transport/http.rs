//! One request, one answer, by the GraphQL-over-HTTP specification (draft of 2025). All 61 audits of the npm package
//! `graphql-http` hold.
//!
//! Before a document was executed the status tells what was wrong with the request: as `application/json` a refused
//! document is still 200, as older clients want it. After that it is 200, whatever the fields said.

use std::sync::Arc;

use async_graphql::{Executor, Request, Response as Executed};
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::answer::{encode, furnish, refuse};
use super::negotiate::{self, Media};
use super::operation::Asked;
use super::parameters::{Parameters, bad};
use super::{Admission, TransportGate, TransportState, sse, ws};
use crate::error::{Error, code};
use crate::gql::error::{self, ResponseContext};
use crate::gql::limits::{Passage, Stage};
use crate::http::{Inlet, TooLarge, body};

/// POST: any operation. Who calls is found out before the body is read: it says how much may be sent.
pub(super) async fn post<E: Executor, G: TransportGate>(
    State(door): State<TransportState<E, G>>,
    request: HttpRequest,
) -> Response {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    let caller = ResponseContext::of(headers);
    let Some(media) = negotiate::accept(headers) else { return not_acceptable(&caller) };
    if !negotiate::is_json(headers) {
        let error = bad("send the request as `Content-Type: application/json` in UTF-8");
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error, &caller, media);
    }
    let read = async {
        let entry = door.gate.admit(headers, None).await?;
        let most = door.settings.bodies.of(entry.role);
        if parts.extensions.get::<TooLarge>().is_some() {
            return Err(Error::new(&code::BODY_TOO_LARGE).with("limit", most));
        }
        let body = body::read(headers, body, most).await?;
        Ok((Parameters::from_body(&body)?, entry))
    };
    match read.await {
        Ok((parameters, entry)) => {
            answer(&door, caller, media, AdmittedHttpRequest { parameters, entry, mutations: true }).await
        }
        Err(error) => refuse(error::status(&error), &error, &caller, media),
    }
}

/// GET: queries, event streams, and the way to a WebSocket.
pub(super) async fn get<E: Executor, G: TransportGate>(
    State(door): State<TransportState<E, G>>,
    headers: HeaderMap,
    uri: Uri,
    inlet: Option<Extension<Inlet>>,
    offer: ws::WebSocketOffer,
) -> Response {
    if headers.get(header::UPGRADE).is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket")) {
        return ws::upgrade(door, headers, inlet.map(|inlet| inlet.0), offer);
    }
    let caller = ResponseContext::of(&headers);
    let Some(media) = negotiate::accept(&headers) else { return not_acceptable(&caller) };
    let admitted = async {
        let parameters = Parameters::from_uri(&uri)?;
        let entry = door.gate.admit(&headers, None).await?;
        Ok(AdmittedHttpRequest { parameters, entry, mutations: false })
    };
    match admitted.await {
        Ok(admitted) => answer(&door, caller, media, admitted).await,
        Err(error) => refuse(error::status(&error), &error, &caller, media),
    }
}

/// What is asked, and by whom.
struct AdmittedHttpRequest {
    parameters: Parameters,
    entry: Admission,
    /// Whether mutations may pass.
    mutations: bool,
}

/// Executes.
async fn answer<E: Executor, G: TransportGate>(
    door: &TransportState<E, G>,
    caller: ResponseContext,
    media: Media,
    AdmittedHttpRequest { parameters, entry, mutations }: AdmittedHttpRequest,
) -> Response {
    let mut request = Request::from(parameters);
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
        (Stage::Executed, _) => return executed(media, response),
        (Stage::WrongDoor, _) if !mutations => {
            let mut answer = encode(StatusCode::METHOD_NOT_ALLOWED, media, &response.errors);
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            answer
        }
        (Stage::Refused | Stage::WrongDoor, Media::Response) => {
            encode(StatusCode::BAD_REQUEST, media, &response.errors)
        }
        (Stage::Refused | Stage::WrongDoor, Media::Json | Media::Events) => {
            encode(StatusCode::OK, media, &response.errors)
        }
    };
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// The answer to what was executed. The library names its own media type, and how long an answer may be kept.
fn executed(media: Media, response: Executed) -> Response {
    let mut answer = GraphQLResponse::from(response).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, media.header());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn not_acceptable(caller: &ResponseContext) -> Response {
    let error = bad("`Accept` must allow application/graphql-response+json, application/json or text/event-stream");
    refuse(StatusCode::NOT_ACCEPTABLE, &error, caller, Media::Json)
}
