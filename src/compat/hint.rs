//! What tells an old client's author where to go: every answer names its operation and the GraphQL document that does
//! the same (`X-Taskloom-Operation`, and `Link` as RFC 8288 has it).

use std::convert::Infallible;

use axum::handler::Handler;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::MethodRouter;
use tower_http::set_header::SetResponseHeaderLayer;

/// The header with the operation's name.
pub const OPERATION: HeaderName = HeaderName::from_static("x-taskloom-operation");

/// Where the documents are.
pub const DOCUMENTS: &str = "/graphql/operations";

/// A document: the operation's name, as `ocp.listTaskInstances`, and its text.
pub type OperationDocument = (&'static str, &'static str);

/// A route whose every answer names `operation`.
pub fn route<S: Clone + Send + Sync + 'static, H: Handler<T, S>, T: 'static>(
    method: impl FnOnce(H) -> MethodRouter<S>,
    operation: &'static str,
    handler: H,
) -> MethodRouter<S> {
    let link = format!("<{DOCUMENTS}/{operation}>; rel=\"alternate\"; type=\"application/graphql\"");
    let link = HeaderValue::from_str(&link).expect("invariant: the names of operations are plain");
    method(handler)
        .layer::<_, Infallible>(SetResponseHeaderLayer::overriding(OPERATION, HeaderValue::from_static(operation)))
        .layer::<_, Infallible>(SetResponseHeaderLayer::overriding(header::LINK, link))
}
