//! One operation as a stream of what a client is told of it, for server-sent events and WebSockets alike.
//!
//! The library goes on after an error that left no data; here that ends the operation, as `graphql-transport-ws`
//! means its `error` message: the client comes back with its cursor. A resolver that panics ends its own operation
//! and nothing else.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::{Data, Executor, Request, Response, ServerError, Value};
use futures::stream::{self, BoxStream, Stream, StreamExt};

use crate::error::Error;
use crate::graphql::error::{self, Caller};

/// What a client is told.
#[derive(Debug)]
pub(super) enum Output {
    /// A result.
    Next(Response),
    /// The operation ended by an error, and nothing follows.
    Failed(Vec<ServerError>),
    /// The operation ended.
    Complete,
}

/// Runs an operation.
pub(super) fn run<E: Executor>(
    executor: &E,
    request: Request,
    data: Option<Arc<Data>>,
    caller: Arc<Caller>,
) -> BoxStream<'static, Output> {
    let responses = AssertUnwindSafe(executor.execute_stream(request, data)).catch_unwind();
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
    through_end(outputs.chain(stream::once(async { Output::Complete })))
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
