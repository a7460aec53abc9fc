//! What a document may cost before any work is done for it.
//!
//! The parser recurses and the validator expands: a document of 3 KB could end the process, one of 900 bytes take
//! minutes. So a request is measured three times, each time by something that cannot be hurt by it: its bytes before
//! parsing ([`scan`]), its document before validation ([`walk`]), its complexity before execution (summed by the
//! library from the `complexity` of list fields). What lists really come to is charged while they are answered
//! ([`Cost`]). [`SchemaGuard`] does it for every transport alike: it is the only way into a schema that doors are given,
//! and nothing may parse a request before it.

mod absent;
mod account;
mod bounds;
mod cost;
mod guard;
mod known;
mod lane;
mod passage;
mod places;
mod reading;
mod scan;
mod text;
mod walk;

use async_graphql::parser::types::{DocumentOperations, OperationDefinition};
use async_graphql::{ObjectType, Schema, SchemaBuilder, SubscriptionType, ValidationMode};

pub use account::{Caller, Payer};
pub use bounds::Bounds;
pub use cost::{AT_ONCE, Cost, Shape};
pub use guard::SchemaGuard;
pub use passage::{Passage, Stage};
pub use places::{PlacePermit, Places};
pub use reading::{Reading, Turn};

use crate::error::{Error, code};

/// How large a document may be, or is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes; large inputs belong into variables.
    pub bytes: usize,
    /// Names, numbers, strings and punctuation.
    pub tokens: usize,
    /// Levels of fields, but for those below `__schema` and `__type`.
    pub depth: usize,
    /// Fields, spreads and inline fragments, counted as often as fragments repeat them.
    pub selections: usize,
    /// Aliases, counted the same way.
    pub aliases: usize,
    /// Fields at the top of one operation.
    pub roots: usize,
    /// Directives, counted the same way as selections.
    pub directives: usize,
    /// Variable definitions of all operations.
    pub variables: usize,
}

impl Sizes {
    /// For callers that have signed in: introspection of the whole schema, which is the largest query that tools send,
    /// stays below a third of each.
    pub const USERS: Self = Self {
        bytes: 256 * 1024,
        tokens: 10_000,
        depth: 20,
        selections: 10_000,
        aliases: 500,
        roots: 50,
        directives: 500,
        variables: 200,
    };
    /// For anybody: the standard introspection fits.
    pub const STRANGERS: Self = Self {
        bytes: 15_000,
        tokens: 1_000,
        depth: 12,
        selections: 2_000,
        aliases: 30,
        roots: 20,
        directives: 50,
        variables: 60,
    };

    /// Refuses what is larger.
    fn within(&self, most: &Self) -> Result<(), Error> {
        within("bytes", self.bytes, most.bytes)?;
        within("tokens", self.tokens, most.tokens)?;
        within("variables", self.variables, most.variables)?;
        within("root fields", self.roots, most.roots)?;
        within("selected fields", self.selections, most.selections)?;
        within("aliases", self.aliases, most.aliases)?;
        within("directives", self.directives, most.directives)?;
        within("levels of fields", self.depth, most.depth)
    }
}

/// The limits of one document. Those that are everybody's leave room, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationLimits {
    /// Of a caller that has signed in.
    pub users: Sizes,
    /// Of anybody else.
    pub strangers: Sizes,
    /// Levels of brackets of any kind, and of selections through fragments. The parser's stack is safe up to 60.
    pub nesting: usize,
    pub fragments: usize,
    pub operations: usize,
    /// Lists inside lists within `__schema` or `__type`: types → fields → args is what tools ask for.
    pub introspection_lists: usize,
    /// The library's complexity: a field is 1, a list field its length times what is below it.
    pub complexity: usize,
    /// Bytes of a page of what has no bound of its own; an operation may read four of them.
    pub page: usize,
    /// What such pages are of, as a refusal says it.
    pub paged: &'static str,
    /// How much a question may name.
    pub bounds: Bounds,
    /// Objects of one answer, by the real lengths of its lists.
    pub objects: usize,
    /// Bytes that these may have in memory.
    pub answer: usize,
    /// Objects of all answers to one caller within a minute.
    pub objects_per_minute: usize,
    /// Their bytes.
    pub answer_per_minute: usize,
}

impl Default for OperationLimits {
    fn default() -> Self {
        Self {
            users: Sizes::USERS,
            strangers: Sizes::STRANGERS,
            nesting: 60,
            fragments: 100,
            operations: 50,
            introspection_lists: 2,
            complexity: 50_000,
            page: 4 << 20,
            paged: "pages",
            bounds: Bounds::default(),
            objects: 50_000,
            answer: 32 << 20,
            objects_per_minute: 1_000_000,
            answer_per_minute: 1 << 30,
        }
    }
}

/// A schema behind the limits. `build` gives the schema's builder, the same each time it is called.
#[must_use]
pub fn guard<Q, M, S>(
    build: impl Fn() -> SchemaBuilder<Q, M, S>,
    limits: &OperationLimits,
) -> SchemaGuard<Schema<Q, M, S>>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let limited = |mode| {
        let builder = build().limit_recursive_depth(limits.nesting).limit_complexity(limits.complexity);
        builder.validation_mode(mode).finish()
    };
    SchemaGuard::new(limited(ValidationMode::Strict), limited(ValidationMode::Fast), limits.clone())
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

/// The operation that will run; none when the name does not choose one, which validation says better.
fn chosen<'a>(operations: &'a DocumentOperations, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let chosen = match (operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => operations.values().next(),
        (DocumentOperations::Multiple(_), None) => None,
    };
    chosen.map(|operation| &operation.node)
}
