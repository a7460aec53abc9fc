//! What a document may cost before any work is done for it.
//!
//! The parser recurses and the validator expands: a document of 3 KB could end the process, one of 900 bytes take
//! minutes. So a request is measured three times, each time by something that cannot be hurt by it: its bytes before
//! parsing ([`scan`]), its document before validation ([`walk`]), its complexity before execution (summed by the
//! library from the `complexity` of list fields). [`Guard`] does it for every transport alike: it is the only way into a
//! schema that doors are given, and nothing may parse a request before it.

mod absent;
mod guard;
mod known;
mod passage;
mod places;
mod reading;
mod scan;
mod text;
mod walk;

use async_graphql::{ObjectType, Schema, SchemaBuilder, SubscriptionType, ValidationMode};

pub use guard::Guard;
pub use passage::{Passage, Stage};
pub use places::Places;
pub use reading::{Reading, Turn};

use crate::error::{Error, code};

/// The limits of one document. The defaults leave room: the introspection of the whole schema, which is the largest
/// query that tools send, stays below a third of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the document; large inputs belong into variables.
    pub bytes: usize,
    /// Names, numbers, strings and punctuation.
    pub tokens: usize,
    /// Levels of brackets of any kind, and of selections through fragments. The parser's stack is safe up to 60.
    pub nesting: usize,
    /// Levels of fields.
    pub depth: usize,
    /// Fields, spreads and inline fragments, counted as often as fragments repeat them.
    pub selections: usize,
    /// Aliases, counted the same way.
    pub aliases: usize,
    /// Fields at the top of one operation.
    pub roots: usize,
    /// Directives, counted the same way.
    pub directives: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Operations in one document.
    pub operations: usize,
    /// Variable definitions of all operations.
    pub variables: usize,
    /// Lists inside lists within `__schema` or `__type`: types → fields → args is what tools ask for.
    pub introspection_lists: usize,
    /// The library's complexity: a field is 1, a list field its length times what is below it.
    pub complexity: usize,
    /// Bytes of a page of a log or a result; an operation may read four of them.
    pub page: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 * 1024,
            tokens: 10_000,
            nesting: 60,
            depth: 20,
            selections: 10_000,
            aliases: 500,
            roots: 50,
            directives: 500,
            fragments: 100,
            operations: 50,
            variables: 200,
            introspection_lists: 2,
            complexity: 50_000,
            page: 4 << 20,
        }
    }
}

/// A schema behind the limits. `build` gives the schema's builder, the same each time it is called.
#[must_use]
pub fn guard<Q, M, S>(build: impl Fn() -> SchemaBuilder<Q, M, S>, limits: &Limits) -> Guard<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let limited = |mode| {
        let builder = build().limit_recursive_depth(limits.nesting).limit_complexity(limits.complexity);
        builder.validation_mode(mode).finish()
    };
    Guard::new(limited(ValidationMode::Strict), limited(ValidationMode::Fast), limits.clone())
}

/// Refuses with `QUERY_TOO_COMPLEX` when `found` is above `limit`.
fn within(what: &str, found: usize, limit: usize) -> Result<(), Error> {
    if found <= limit {
        Ok(())
    } else {
        Err(Error::new(&code::QUERY_TOO_COMPLEX).with("reason", format!("{what} > {limit}")))
    }
}

/// Refuses a document that no server accepts, however large.
fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::new(&code::BAD_REQUEST).with("reason", reason)
}
