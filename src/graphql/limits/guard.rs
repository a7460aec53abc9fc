//! The extension that measures every request of a schema, whichever transport brought it, and tells the transport
//! whether resolvers ran.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{Request, Response, ServerError, ServerResult, ValidationResult};

use super::{Limits, Passage, scan, walk, within};
use crate::error::Error;

/// See the module above.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Limits>);

impl Guard {
    /// A guard with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(limits))
    }

    /// Measures the request and leaves its parsed document in it, so that it is parsed once.
    fn measure(&self, request: &mut Request) -> ServerResult<()> {
        scan::check(&request.query, &self.0).map_err(carry)?;
        let operation = {
            let name = request.operation_name.clone();
            let document = request.parsed_query()?;
            walk::check(document, &self.0).map_err(carry)?;
            selected(document, name.as_deref())
        };
        if let Some(operation) = operation
            && let Some(passage) = request.data.get(&TypeId::of::<Arc<Passage>>())
            && let Some(passage) = passage.downcast_ref::<Arc<Passage>>()
        {
            passage.admit(operation).map_err(carry)?;
        }
        Ok(())
    }
}

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(self.clone())
    }
}

#[async_trait]
impl Extension for Guard {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        self.measure(&mut request)?;
        Ok(request)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        // Not by the library's own limit: its error has neither a code nor a number.
        within("complexity", result.complexity, self.0.complexity).map_err(|error| vec![carry(error)])?;
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(passage) = ctx.data_opt::<Arc<Passage>>() {
            passage.executed();
        }
        next.run(ctx, operation_name).await
    }
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
