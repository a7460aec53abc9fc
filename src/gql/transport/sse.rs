//! GraphQL over server-sent events, distinct connections: one request, one stream of `next` events and a `complete`
//! at the end (npm `graphql-sse`, PROTOCOL.md). Errors are a `next`, too: the stream has begun with status 200.
//!
//! A stream that ends without `complete` was cut: the server stops, and the client comes back. It is broken off, not
//! ended: npm `graphql-sse` would wait for ever behind an end that comes while it is still busy with what it was sent.

use std::sync::Arc;

use async_graphql::{Executor, Response as Answer, ServerError};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use futures::stream::{self, Stream, StreamExt};

use super::operation::{self, Asked, Output};
use super::{TransportGate, TransportState};
use crate::error::{Error, code};
use crate::gql::error::{self, ResponseContext};

/// Why a stream is broken off.
#[derive(Debug, thiserror::Error)]
#[error("the server is stopping")]
struct Stopping;

pub(super) fn stream<E: Executor, G: TransportGate>(
    door: &TransportState<E, G>,
    asked: Asked,
    lapse: Option<BoxFuture<'static, ()>>,
) -> Response {
    let caller = asked.caller.clone();
    let outputs = operation::run(door, asked);
    let outputs = until(outputs, lapse, caller).flat_map(|output| stream::iter(events(output)));
    let stop = door.settings.stop.clone();
    let events = outputs.take_until(stop.clone().cancelled_owned()).map(Ok);
    let events = events.chain(stream::iter([()]).filter_map(move |()| {
        let cut = stop.is_cancelled().then_some(Err(Stopping));
        async { cut }
    }));
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(door.settings.keep_alive).text(""));
    // Proxies would gather the events; nothing of them may be kept.
    let buffering = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([buffering, (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], sse).into_response()
}

/// The outputs until the admission lapses, and then that it did.
fn until(
    outputs: impl Stream<Item = Output> + Send + 'static,
    lapse: Option<BoxFuture<'static, ()>>,
    caller: Arc<ResponseContext>,
) -> stream::BoxStream<'static, Output> {
    let Some(lapse) = lapse else { return outputs.boxed() };
    let end = stream::once(async move {
        lapse.await;
        Output::Failed(vec![error::report(&Error::new(&code::UNAUTHENTICATED), &caller)])
    });
    operation::through_end(stream::select(outputs, end))
}

fn events(output: Output) -> Vec<Event> {
    // An event without data would not reach a browser's EventSource, and empty data is left out by axum.
    let complete = || Event::default().event("complete").data("null");
    match output {
        Output::Next(answer) => vec![next(&answer)],
        Output::Failed(errors) => vec![failed(errors), complete()],
        Output::Complete => vec![complete()],
    }
}

fn next(answer: &impl serde::Serialize) -> Event {
    let json = serde_json::to_string(answer).expect("invariant: an answer can be written as JSON");
    Event::default().event("next").data(json)
}

fn failed(errors: Vec<ServerError>) -> Event {
    next(&Answer::from_errors(errors))
}
