//! How much a question may name: members of a list, labels, letters of a text. What is looked for reaches the database,
//! and each member and each letter is paid for with each row there.
//!
//! Of a change only its `filter` is such a question; what it is to keep is bounded by who keeps it.

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::error::{Error, Result};

/// Members of a list.
const MEMBERS: usize = 100;
/// Labels of a filter: each is a join.
const LABELS: usize = 10;
/// Letters of a text.
const LETTERS: usize = 256;
/// Letters of a cursor, which names its place by a text of the row, written twice over.
const CURSOR: usize = 4096;

/// Checks the arguments of an operation and of the document's fragments.
///
/// # Errors
/// `INVALID_INPUT` by the name of the member.
pub(super) fn check(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<()> {
    let walk = Walk {
        variables,
        defined: &operation.variable_definitions,
        is_change: operation.ty == OperationType::Mutation,
    };
    walk.set(&operation.selection_set.node)?;
    document.fragments.values().try_for_each(|fragment| walk.set(&fragment.node.selection_set.node))
}

struct Walk<'a> {
    variables: &'a Variables,
    defined: &'a [Positioned<VariableDefinition>],
    is_change: bool,
}

impl Walk<'_> {
    fn set(&self, set: &SelectionSet) -> Result<()> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    for (name, value) in &field.node.arguments {
                        let name = name.node.as_str();
                        if !self.is_change || name == "filter" {
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
                Some(value) => constant(value, name, path),
                None => Ok(()),
            },
            Value::String(text) => letters(text, name, path),
            Value::List(items) => {
                members(items.len(), name, path)?;
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

fn constant(value: &ConstValue, name: &str, path: &dyn Fn() -> String) -> Result<()> {
    match value {
        ConstValue::String(text) => letters(text, name, path),
        ConstValue::List(items) => {
            members(items.len(), name, path)?;
            items.iter().try_for_each(|item| constant(item, name, path))
        }
        ConstValue::Object(inner) => {
            inner.iter().try_for_each(|(name, member)| constant(member, name, &|| format!("{}.{name}", path())))
        }
        _ => Ok(()),
    }
}

fn members(found: usize, name: &str, path: &dyn Fn() -> String) -> Result<()> {
    let most = if name == "labels" { LABELS } else { MEMBERS };
    if found <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}`", path()), format!("it has {found} members, at most {most} are possible")))
}

fn letters(text: &str, name: &str, path: &dyn Fn() -> String) -> Result<()> {
    let most = if matches!(name, "after" | "before") { CURSOR } else { LETTERS };
    // A text has no more letters than bytes.
    if text.len() <= most || text.chars().count() <= most {
        return Ok(());
    }
    Err(Error::invalid(format!("`{}`", path()), format!("it has more than {most} characters")))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::graphql::limits::guard::chosen;

    fn refusal(query: &str, variables: Json) -> Option<String> {
        let document = parse_query(query).unwrap();
        let operation = chosen(&document.operations, None).unwrap();
        check(&document, operation, &Variables::from_json(variables)).err().map(|error| error.to_string())
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
