//! The one way into a schema: every request is measured before it is executed, whichever transport brought it, and
//! every answer leaves in the order of its query.
//!
//! No extension of the schema does this, since with any extension each field of each row pays for its hook. What was
//! parsed and found valid once is remembered, so a page that asks the same again and again pays for it once.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Data, Executor, Request, Response, ServerError};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::known::Known;
use super::{Limits, Passage, Reading, scan, text, walk};
use crate::error::{Error, code};
use crate::graphql::order::Order;

/// What the library says above the limit, without a code or the limit.
const TOO_COMPLEX: &str = "Query is too complex.";

/// A schema behind its limits. Cheap to clone.
#[derive(Clone)]
pub struct Guard<S> {
    strict: S,
    /// The same without validation, for what is known to be valid.
    lenient: S,
    limits: Arc<Limits>,
    known: Arc<Known>,
}

impl<S: Executor> Guard<S> {
    pub(super) fn new(strict: S, lenient: S, limits: Limits) -> Self {
        Self { strict, lenient, limits: Arc::new(limits), known: Arc::new(Known::default()) }
    }

    /// The schema itself.
    #[must_use]
    pub fn schema(&self) -> &S {
        &self.strict
    }

    /// Measures the request and leaves its parsed document in it; the order that its answer will have.
    fn admit(&self, request: &mut Request) -> Result<Order, ServerError> {
        let document = match self.known.document(&request.query) {
            Some(document) => document,
            None => {
                scan::check(&request.query, &self.limits).map_err(carry)?;
                let document = Arc::new(parse_query(&request.query)?);
                walk::check(&document, &self.limits).map_err(carry)?;
                self.known.keep_document(&request.query, &document);
                document
            }
        };
        text::check_variables(&request.variables).map_err(carry)?;
        let operation = request.operation_name.as_deref();
        if let Some(kind) = selected(&document, operation)
            && let Some(passage) = passage(request)
        {
            passage.admit(kind).map_err(carry)?;
        }
        let order = Order::of(&document, operation);
        request.set_parsed_query(ExecutableDocument::clone(&document));
        Ok(order)
    }

    /// Whether nothing was executed: only what fields say has a path. Gives the library's refusal our code.
    fn is_refusal(&self, response: &mut Response) -> bool {
        for error in response.errors.iter_mut().filter(|error| error.path.is_empty() && error.message == TOO_COMPLEX) {
            let reason = format!("complexity > {}", self.limits.complexity);
            *error = carry(Error::new(&code::QUERY_TOO_COMPLEX).with("reason", reason));
        }
        response.errors.iter().any(|error| error.path.is_empty())
    }
}

impl<S: Executor> Executor for Guard<S> {
    async fn execute(&self, mut request: Request) -> Response {
        let passage = passage(&request).cloned();
        let order = match self.admit(&mut request) {
            Ok(order) => order,
            Err(error) => return Response::from_errors(vec![error]),
        };
        request.data.insert(Arc::new(Reading::new(&self.limits)));
        let (key, is_valid) = self.known.seen(&request);
        let schema = if is_valid { &self.lenient } else { &self.strict };
        let mut response = schema.execute(request).await;
        if self.is_refusal(&mut response) {
            return response;
        }
        if let Some(passage) = passage {
            passage.executed();
        }
        if let (Some(key), false) = (key, is_valid) {
            self.known.keep_seen(key);
        }
        order.apply(&mut response.data);
        response
    }

    fn execute_stream(&self, mut request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let order = match self.admit(&mut request) {
            Ok(order) => order,
            Err(error) => return futures::stream::iter([Response::from_errors(vec![error])]).boxed(),
        };
        let reading = Arc::new(Reading::new(&self.limits));
        request.data.insert(reading.clone());
        let (guard, stream) = (self.clone(), self.strict.execute_stream(request, session_data));
        let ordered = stream.map(move |mut response| {
            reading.refill();
            if !guard.is_refusal(&mut response) {
                order.apply(&mut response.data);
            }
            response
        });
        ordered.boxed()
    }
}

fn passage(request: &Request) -> Option<&Arc<Passage>> {
    request.data.get(&TypeId::of::<Arc<Passage>>())?.downcast_ref()
}

/// The operation that will run; none when the name does not choose one, which validation says better.
fn selected(document: &ExecutableDocument, name: Option<&str>) -> Option<OperationType> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation.node.ty),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|it| it.node.ty),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|it| it.node.ty)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

/// Keeps the error as the source: the door writes its envelope from there.
fn carry(error: Error) -> ServerError {
    let mut carried = ServerError::new(error.to_string(), None);
    carried.source = Some(Arc::new(error));
    carried
}
