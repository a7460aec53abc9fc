//! The second measure: one walk over the parsed document, each fragment once.
//!
//! A fragment's measure is added for every spread of it, with saturating sums, so a document that would expand to
//! 2^24 fields costs as much to measure as it is long. Recursion is bounded by the nesting of brackets, which was
//! checked before parsing, and across fragments by [`OperationLimits::nesting`].

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};

use super::{OperationLimits, Sizes, malformed, text, within};
use crate::error::Error;

/// The longest name of a field or argument that is looked for.
const LONGEST: usize = 64;

/// What a selection costs when its fragments are written out.
#[derive(Clone, Copy, Debug, Default)]
struct Measure {
    selections: usize,
    aliases: usize,
    directives: usize,
    /// Fields at the top of it.
    roots: usize,
    /// Levels of fields.
    depth: usize,
    /// Levels of selection sets, fragments included.
    nesting: usize,
    /// Introspection's lists inside each other.
    lists: usize,
}

impl Measure {
    fn add(&mut self, other: Self) {
        self.selections = self.selections.saturating_add(other.selections);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.directives = self.directives.saturating_add(other.directives);
        self.roots = self.roots.saturating_add(other.roots);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        self.lists = self.lists.max(other.lists);
    }
}

enum Fragment {
    /// Being measured: a spread of it now is a cycle.
    Open,
    Done(Measure),
}

struct DocumentWalk<'a> {
    document: &'a ExecutableDocument,
    limits: &'a OperationLimits,
    fragments: HashMap<&'a str, Fragment>,
}

/// Measures everything that a document could multiply.
///
/// # Errors
///
/// `QUERY_TOO_COMPLEX` above a limit that is everybody's, `BAD_REQUEST` for fragments in a circle or without use.
pub(super) fn measure(document: &ExecutableDocument, limits: &OperationLimits) -> Result<Sizes, Error> {
    within("operations", document.operations.iter().len(), limits.operations)?;
    within("fragments", document.fragments.len(), limits.fragments)?;
    let variables = document.operations.iter().map(|(_, it)| it.node.variable_definitions.len()).sum();

    let mut walk = DocumentWalk { document, limits, fragments: HashMap::new() };
    let (mut all, mut roots) = (Measure::default(), 0);
    for (_, operation) in document.operations.iter() {
        let mut measure = walk.set(&operation.node.selection_set.node, 1)?;
        measure.directives += operation.node.directives.len();
        measure.directives +=
            operation.node.variable_definitions.iter().map(|it| it.node.directives.len()).sum::<usize>();
        roots = roots.max(measure.roots);
        all.add(measure);
    }
    if let Some(unused) = document.fragments.keys().find(|name| !walk.fragments.contains_key(name.as_str())) {
        return Err(malformed(format!("the fragment {} is not used", cut(unused))));
    }
    within("levels of selections", all.nesting, limits.nesting)?;
    let Measure { selections, aliases, directives, depth, .. } = all;
    Ok(Sizes { selections, aliases, directives, depth, roots, variables, ..Sizes::default() })
}

impl<'a> DocumentWalk<'a> {
    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Measure, Error> {
        // On the way down for the stack's sake; what a finished fragment adds is checked on the way up.
        within("levels of selections", level, self.limits.nesting)?;
        let mut sum = Measure::default();
        for selection in &set.items {
            let directives: &'a [Positioned<Directive>] = selection.node.directives();
            sum.add(Measure { selections: 1, directives: directives.len(), ..Measure::default() });
            sum.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, level)?,
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node, level + 1)?,
                Selection::FragmentSpread(spread) => self.spread(&spread.node.fragment_name.node, level)?,
            });
        }
        sum.nesting += 1;
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Result<Measure, Error> {
        text::check_arguments(field)?;
        let arguments = field.arguments.iter().map(|(name, _)| &name.node);
        if let Some(long) = arguments.chain([&field.name.node]).find(|name| name.len() > LONGEST) {
            // The library would look for names like it, for as long as it is.
            return Err(malformed(format!("nothing here has a name like {}…", cut(long))));
        }
        let set = &field.selection_set.node;
        let mut measure = if set.items.is_empty() { Measure::default() } else { self.set(set, level + 1)? };
        let name = field.name.node.as_str();
        if matches!(name, "__schema" | "__type") {
            within("lists in introspection", measure.lists, self.limits.introspection_lists)?;
            measure.depth = 0;
        }
        measure.lists += usize::from(matches!(name, "fields" | "interfaces" | "possibleTypes" | "inputFields"));
        measure.aliases += usize::from(field.alias.is_some());
        measure.depth += 1;
        measure.roots = 1;
        Ok(measure)
    }

    fn spread(&mut self, name: &'a str, level: usize) -> Result<Measure, Error> {
        match self.fragments.get(name) {
            Some(Fragment::Done(measure)) => return Ok(*measure),
            Some(Fragment::Open) => return Err(malformed(format!("the fragment {} contains itself", cut(name)))),
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Measure::default()); // validation names an unknown one
        };
        self.fragments.insert(name, Fragment::Open);
        let mut measure = self.set(&fragment.node.selection_set.node, level + 1)?;
        measure.directives = measure.directives.saturating_add(fragment.node.directives.len());
        self.fragments.insert(name, Fragment::Done(measure));
        Ok(measure)
    }
}

/// A name as long as a person would write it.
fn cut(name: &str) -> &str {
    name.get(..LONGEST).unwrap_or(name)
}
