//! The one way into a schema: every request is measured before it is executed, whichever transport brought it, and
//! every answer leaves in the order of its query.
//!
//! No extension of the schema does this, since with any extension each field of each row pays for its hook. What was
//! parsed and found valid once is remembered, so a page that asks the same again and again pays for it once.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::{Data, Executor, Request, Response, ServerError, Value};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};

use super::account::{Accounts, Caller, Payer};
use super::known::{DocumentCache, Measured};
use super::lane::Lanes;
use super::{Cost, OperationLimits, Passage, Reading, Sizes, absent, chosen, scan, text, walk};
use crate::error::{Error, code};
use crate::gql::order::Order;

/// What the library says above the limit, without a code or the limit.
const TOO_COMPLEX: &str = "Query is too complex.";

/// Puts into an operation's data what is known when it begins; beside it lies the data of its session, if it is one of a
/// session's.
type Begin = Arc<dyn Fn(&mut Data, Option<&Data>) + Send + Sync>;

/// A schema behind its limits. Cheap to clone.
#[derive(Clone)]
pub struct SchemaGuard<S> {
    strict: S,
    /// The same without validation, for what is known to be valid.
    lenient: S,
    limits: Arc<OperationLimits>,
    known: Arc<DocumentCache>,
    accounts: Arc<Accounts>,
    lanes: Lanes,
    begin: Option<Begin>,
}

impl<S: Executor> SchemaGuard<S> {
    pub(super) fn new(strict: S, lenient: S, limits: OperationLimits) -> Self {
        let (known, accounts, lanes) = (Arc::default(), Arc::new(Accounts::new(&limits)), Lanes::default());
        Self { strict, lenient, limits: Arc::new(limits), known, accounts, lanes, begin: None }
    }

    /// Each operation begins with this.
    #[must_use]
    pub fn beginning(self, begin: impl Fn(&mut Data, Option<&Data>) + Send + Sync + 'static) -> Self {
        Self { begin: Some(Arc::new(begin)), ..self }
    }

    #[must_use]
    pub fn schema(&self) -> &S {
        &self.strict
    }

    /// Measures the request and leaves its parsed document in it, and what it may cost.
    fn admit(&self, request: &mut Request, session: Option<&Data>) -> Result<AdmittedOperation, ServerError> {
        if let Some(begin) = &self.begin {
            begin(&mut request.data, session);
        }
        let payer = Payer::of(request, session);
        let caller = payer.map(|payer| payer.caller);
        let measured = self.measured(&request.query, caller)?;
        let document = &measured.document;
        text::check_variables(&request.variables).map_err(carry)?;
        let operation = request.operation_name.as_deref();
        let chosen = chosen(&document.operations, operation);
        if let Some(chosen) = chosen {
            if let Some(passage) = passage(request) {
                passage.admit(chosen.ty, payer).map_err(carry)?;
            }
            self.limits.bounds.check(document, chosen, &request.variables).map_err(carry)?;
        }
        let order = Order::of(document, chosen);
        let mut executed = document.clone();
        let changed = absent::leave_out(&mut executed, operation, &request.variables);
        request.set_parsed_query(executed);
        let changes = chosen.is_some_and(|chosen| chosen.ty == OperationType::Mutation);
        let cost = Arc::new(Cost::new(&self.limits, caller.map(|caller| self.accounts.of(caller))));
        request.data.insert(cost.clone());
        Ok(AdmittedOperation { order, cost, changes, written: changed.then_some(measured) })
    }

    /// The document of this text, if this caller may send one of its size.
    fn measured(&self, query: &str, caller: Option<Caller>) -> Result<Arc<Measured>, ServerError> {
        let most = match caller {
            Some(Caller::Stranger(_)) => self.limits.strangers,
            Some(Caller::User(_)) | None => self.limits.users,
        };
        if let Some(measured) = self.known.document(query) {
            measured.sizes.within(&most).map_err(carry)?;
            return Ok(measured);
        }
        let (bytes, nesting) = (query.len(), self.limits.nesting);
        let tokens = scan::check(query, scan::ScanLimits { bytes: most.bytes, tokens: most.tokens, nesting });
        let tokens = tokens.map_err(carry)?;
        let document = parse_query(query)?;
        let sizes = walk::measure(&document, &self.limits).map_err(carry)?;
        let sizes = Sizes { bytes, tokens, ..sizes };
        sizes.within(&most).map_err(carry)?;
        let measured = Arc::new(Measured { document, sizes });
        self.known.keep_document(query, &measured);
        Ok(measured)
    }

    /// Validates the document as it was written, where another one is executed.
    async fn check(&self, request: &Request, written: &ExecutableDocument) -> Result<(), Response> {
        let mut variables = request.variables.clone();
        // What an absent one stands for would not be looked at, null is.
        if let Some(chosen) = chosen(&written.operations, request.operation_name.as_deref()) {
            absent::names(chosen, &request.variables).for_each(|name| _ = variables.insert(name.clone(), Value::Null));
        }
        let mut idle = Request::new(request.query.clone()).variables(variables);
        idle.operation_name.clone_from(&request.operation_name);
        idle.set_parsed_query(absent::idle(written));
        let mut response = self.strict.execute(idle).await;
        if self.is_refusal(&mut response) { Err(response) } else { Ok(()) }
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

impl<S: Executor> Executor for SchemaGuard<S> {
    async fn execute(&self, mut request: Request) -> Response {
        let passage = passage(&request).cloned();
        let AdmittedOperation { order, cost, changes, written } = match self.admit(&mut request, None) {
            Ok(admitted) => admitted,
            Err(error) => return Response::from_errors(vec![error]),
        };
        request.data.insert(Arc::new(Reading::new(&self.limits)));
        let (key, is_valid) = self.known.seen(&request);
        if let (Some(written), false) = (written, is_valid)
            && let Err(refused) = self.check(&request, &written.document).await
        {
            return refused;
        }
        let schema = if is_valid { self.lenient.clone() } else { self.strict.clone() };
        let of = cost.clone();
        let work = async move {
            let mut response = match changes {
                // What it did is done; that its answer is too much is said where it is.
                true => schema.execute(request).await,
                false => tokio::select! {
                    biased;
                    () = of.over() => Response::default(),
                    response = schema.execute(request) => response,
                },
            };
            order.apply(&mut response.data);
            response
        };
        let mut response = match !changes && cost.is_long_expected() {
            true => self.lanes.drive_slowly(work.boxed(), cost.clone()).await,
            false => self.lanes.drive(work.boxed(), &cost).await,
        };
        if let (Some(error), false) = (cost.refused(), changes) {
            return Response::from_errors(vec![carry(error)]);
        }
        if self.is_refusal(&mut response) {
            return response;
        }
        if let Some(passage) = passage {
            passage.executed();
        }
        if let (Some(key), false) = (key, is_valid) {
            self.known.keep_seen(key);
        }
        response
    }

    fn execute_stream(&self, mut request: Request, session_data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let AdmittedOperation { order, cost, changes, .. } = match self.admit(&mut request, session_data.as_deref()) {
            Ok(admitted) => admitted,
            Err(error) => return stream::iter([Response::from_errors(vec![error])]).boxed(),
        };
        let reading = Arc::new(Reading::new(&self.limits));
        request.data.insert(reading.clone());
        let (guard, stream) = (self.clone(), self.strict.execute_stream(request, session_data));
        let order = Arc::new(order);
        let answers = stream::unfold(stream, move |mut stream| {
            let (guard, order, cost, reading) = (guard.clone(), order.clone(), cost.clone(), reading.clone());
            async move {
                let next = async move { (stream.next().await, stream) };
                let (response, stream) = guard.lanes.drive(next.boxed(), &cost).await;
                let mut response = response?;
                if let (Some(error), false) = (cost.refused(), changes) {
                    response = Response::from_errors(vec![carry(error)]);
                }
                if !guard.is_refusal(&mut response) {
                    order.apply(&mut response.data);
                }
                reading.refill();
                cost.refill();
                Some((response, stream))
            }
        });
        answers.boxed()
    }
}

/// What is known of a request that may be executed.
struct AdmittedOperation {
    /// The order that its answer will have.
    order: Order,
    /// What its lists may come to.
    cost: Arc<Cost>,
    /// Whether it is a mutation.
    changes: bool,
    /// The document as it was written, where another one is executed.
    written: Option<Arc<Measured>>,
}

fn passage(request: &Request) -> Option<&Arc<Passage>> {
    request.data.get(&TypeId::of::<Arc<Passage>>())?.downcast_ref()
}

/// Keeps the error as the source: the door writes its envelope from there.
fn carry(error: Error) -> ServerError {
    let mut carried = ServerError::new(error.to_string(), None);
    carried.source = Some(Arc::new(error));
    carried
}
