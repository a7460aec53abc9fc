//! One operation as a stream of what a client is told of it, for server-sent events and WebSockets alike.
//!
//! The library goes on after an error that left no data; here that ends the operation, as `graphql-transport-ws`
//! means its `error` message: the client comes back with its cursor. A resolver that panics ends its own operation
//! and nothing else.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Data, Executor, Request, Response, ServerError, Value};
use futures::stream::{self, BoxStream, Stream, StreamExt};

use super::TransportState;
use crate::asker;
use crate::error::{Error, code};
use crate::gql::error::{self, ResponseContext};
use crate::gql::limits::Passage;

/// What a client is told.
#[derive(Debug)]
pub(super) enum Output {
    /// A result.
    Next(Response),
    /// The operation ended by an error, and nothing follows.
    Failed(Vec<ServerError>),
    Complete,
}

/// An operation as it was asked for.
pub(super) struct Asked {
    /// The document, with what is this request's own.
    pub(super) request: Request,
    /// Whether mutations may pass.
    pub(super) mutations: bool,
    /// What all operations of a socket share.
    pub(super) session: Option<Arc<Data>>,
    /// Whom it is for.
    pub(super) caller: Arc<ResponseContext>,
}

/// Runs an operation. A subscription keeps its place until the stream is dropped; anything else has the time that a
/// request has.
pub(super) fn run<E: Executor, G>(door: &TransportState<E, G>, asked: Asked) -> BoxStream<'static, Output> {
    let Asked { mut request, mutations, session, caller } = asked;
    let passage = Arc::new(Passage::new(mutations, Some(door.places.clone())));
    request.data.insert(passage.clone());
    let late = late(door.settings.time, passage, caller.clone());
    let responses = AssertUnwindSafe(door.executor.execute_stream(request, session)).catch_unwind();
    let outputs = responses.map(move |response| match response {
        Ok(mut response) => {
            error::finish(&mut response, &caller);
            if response.data == Value::Null && !response.errors.is_empty() {
                Output::Failed(response.errors)
            } else {
                Output::Next(response)
            }
        }
        Err(_) => Output::Failed(vec![error::report(&Error::internal("a resolver panicked"), &caller)]),
    });
    let outputs = outputs.chain(stream::once(async { Output::Complete })).boxed();
    // Each answer has an asker of its own: who leaves takes what is being read for it away.
    let asked = stream::unfold(outputs, |mut outputs| async {
        let output = asker::wait_for(outputs.next()).await?;
        Some((output, outputs))
    });
    through_end(stream::select(asked, stream::once(late)))
}

/// Says that the time is over, to all but subscriptions.
async fn late(limit: Duration, passage: Arc<Passage>, caller: Arc<ResponseContext>) -> Output {
    tokio::time::sleep(limit).await;
    if passage.is_subscription() {
        return pending().await;
    }
    let error = Error::new(&code::TIMED_OUT).with("seconds", limit.as_secs());
    Output::Failed(vec![error::report(&error, &caller)])
}

/// The outputs up to the first that ends the operation, which is dropped with it.
pub(super) fn through_end(outputs: impl Stream<Item = Output> + Send + 'static) -> BoxStream<'static, Output> {
    stream::unfold(Some(outputs.boxed()), async |outputs| {
        let mut outputs = outputs?;
        let output = outputs.next().await?;
        let rest = matches!(output, Output::Next(_)).then_some(outputs);
        Some((output, rest))
    })
    .boxed()
}
