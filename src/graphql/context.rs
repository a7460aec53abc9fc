//! What a field finds in its context: the request, and loaders.

use async_graphql::Context;

use super::loader::Loaders;
use crate::resolver::Request;

/// Short ways to what every field needs.
pub trait Has {
    /// Who asks.
    fn request(&self) -> &Request;
    /// Batched reads.
    fn loaders(&self) -> &Loaders;
}

impl Has for Context<'_> {
    fn request(&self) -> &Request {
        self.data::<Request>().expect("invariant: every door puts a request into the context")
    }

    fn loaders(&self) -> &Loaders {
        self.data::<Loaders>().expect("invariant: the schema carries the loaders")
    }
}
