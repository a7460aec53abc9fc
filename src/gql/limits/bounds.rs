//! How much a question may name: members of a list, letters of a text. What is looked for reaches the database, and each
//! member and each letter is paid for with each row there.
//!
//! Of a change only some arguments are such questions; what it is to keep is bounded by who keeps it.

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::error::{Error, Result};

/// How much a question may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Members of a list.
    pub members: usize,
    /// Members of lists of these names, where they are other ones.
    pub lists: &'static [(&'static str, usize)],
    /// Letters of a text.
    pub letters: usize,
    /// Letters of a cursor, which names its place by a text of the row, written twice over.
    pub cursor: usize,
    /// Arguments of a change that are questions, by their names.
    pub questions: &'static [&'static str],
}

impl Default for Bounds {
    fn default() -> Self {
        Self { members: 100, lists: &[], letters: 256, cursor: 4096, questions: &[] }
    }
}

impl Bounds {
    /// Checks the arguments of an operation and of the document's fragments.
    ///
    /// # Errors
    /// `INVALID_INPUT` by the name of the member.
    pub(super) fn check(
        &self,
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Result<()> {
        let walk = BoundsWalk {
            bounds: self,
            variables,
            defined: &operation.variable_definitions,
            is_change: operation.ty == OperationType::Mutation,
        };
        walk.set(&operation.selection_set.node)?;
        document.fragments.values().try_for_each(|fragment| walk.set(&fragment.node.selection_set.node))
    }

    fn constant(&self, value: &ConstValue, name: &str, path: &dyn Fn() -> String) -> Result<()> {
        match value {
            ConstValue::String(text) => self.letters(text, name, path),
            ConstValue::List(items) => {
                self.members(items.len(), name, path)?;
                items.iter().try_for_each(|item| self.constant(item, name, path))
            }
            ConstValue::Object(inner) => inner
                .iter()
                .try_for_each(|(name, member)| self.constant(member, name, &|| format!("{}.{name}", path()))),
            _ => Ok(()),
        }
    }

    fn members(&self, found: usize, name: &str, path: &dyn Fn() -> String) -> Result<()> {
        let most = self.lists.iter().find(|(list, _)| *list == name).map_or(self.members, |(_, most)| *most);
        if found <= most {
            return Ok(());
        }
        Err(Error::invalid(format!("`{}`", path()), format!("it has {found} members, at most {most} are possible")))
    }

    fn letters(&self, text: &str, name: &str, path: &dyn Fn() -> String) -> Result<()> {
        let most = if matches!(name, "after" | "before") { self.cursor } else { self.letters };
        // A text has no more letters than bytes.
        if text.len() <= most || text.chars().count() <= most {
            return Ok(());
        }
        Err(Error::invalid(format!("`{}`", path()), format!("it has more than {most} characters")))
    }
}

struct BoundsWalk<'a> {
    bounds: &'a Bounds,
    variables: &'a Variables,
    defined: &'a [Positioned<VariableDefinition>],
    is_change: bool,
}

impl BoundsWalk<'_> {
    fn set(&self, set: &SelectionSet) -> Result<()> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    for (name, value) in &field.node.arguments {
                        let name = name.node.as_str();
                        if !self.is_change || self.bounds.questions.contains(&name) {
                            self.value(&value.node, name, &|| name.to_owned())?;
                        }
                    }
                    self.set(&field.node.selection_set.node)?;
                }
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn value(&self, value: &Value, name: &str, path: &dyn Fn() -> String) -> Result<()> {
        match value {
            Value::Variable(variable) => match self.variable(variable) {
                Some(value) => self.bounds.constant(value, name, path),
                None => Ok(()),
            },
            Value::String(text) => self.bounds.letters(text, name, path),
            Value::List(items) => {
                self.bounds.members(items.len(), name, path)?;
                items.iter().try_for_each(|item| self.value(item, name, path))
            }
            Value::Object(inner) => {
                inner.iter().try_for_each(|(name, member)| self.value(member, name, &|| format!("{}.{name}", path())))
            }
            _ => Ok(()),
        }
    }

    fn variable(&self, name: &Name) -> Option<&ConstValue> {
        let default = || {
            let defined = self.defined.iter().find(|defined| defined.node.name.node == *name)?;
            defined.node.default_value.as_ref().map(|value| &value.node)
        };
        self.variables.get(name).or_else(default)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::gql::limits::chosen;

    fn refusal(query: &str, variables: Json) -> Option<String> {
        let document = parse_query(query).unwrap();
        let operation = chosen(&document.operations, None).unwrap();
        let bounds = Bounds { lists: &[("labels", 10)], questions: &["filter"], ..Bounds::default() };
        bounds.check(&document, operation, &Variables::from_json(variables)).err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_looked_for_is_bounded_wherever_it_stands() {
        let labels = |count: usize| json!({"f": {"labels": vec![json!({"key": "a"}); count]}});
        let query = "query($f: F) { tasks(filter: $f) { totalCount } }";
        assert_eq!(refusal(query, labels(10)), None);
        assert!(refusal(query, labels(11)).unwrap().contains("`filter.labels`"));
        assert!(refusal("mutation($f: F) { deleteTasks(filter: $f) { count } }", labels(11)).is_some());
        let ids = |count: usize| json!({"ids": vec!["a"; count]});
        for query in [
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            "query($ids: [ID!]!) { viewer { ...F } } fragment F on V { tasks(filter: {ids: $ids}) { totalCount } }",
            "subscription($ids: [ID!]!) { taskChanged(filter: {tasks: {ids: $ids}}) { cursor } }",
        ] {
            assert_eq!(refusal(query, ids(100)), None, "{query}");
            assert!(refusal(query, ids(101)).unwrap().contains("101 members, at most 100"), "{query}");
        }
        let text = |count: usize| json!({"t": "ä".repeat(count)});
        let query = "query($t: String) { tasks(filter: {name: $t}) { totalCount } }";
        assert_eq!(refusal(query, text(256)), None);
        assert!(refusal(query, text(257)).unwrap().contains("`filter.name`"));
        assert_eq!(refusal("query($t: String) { tasks(after: $t) { totalCount } }", text(257)), None);
        let default =
            format!("query($t: String = \"{}\") {{ tasks(filter: {{name: $t}}) {{ totalCount }} }}", "a".repeat(257));
        assert!(refusal(&default, json!({})).is_some());
    }

    #[test]
    fn what_a_change_keeps_is_bounded_by_its_keeper() {
        let query = "mutation($t: String) { submitTask(input: {spec: $t}) { task { id } } }";
        assert_eq!(refusal(query, json!({"t": "a".repeat(10_000)})), None);
    }
}
