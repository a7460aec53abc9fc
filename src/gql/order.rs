//! The order of an answer's fields. The library inserts a field when it is resolved, and one that had to wait comes
//! late; the specification (section 7.2.2, serialized map ordering) wants the order of the query.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, Value};

/// The response keys of a selection in the query's order, fragments written out, each with what is below it.
#[derive(Debug, Default)]
pub struct Order(IndexMap<Name, Order>);

impl Order {
    /// The order of one operation. The document was measured, so what its fragments expand to is bounded.
    #[must_use]
    pub fn of(document: &ExecutableDocument, operation: Option<&OperationDefinition>) -> Self {
        let mut order = Self::default();
        if let Some(operation) = operation {
            order.gather(&operation.selection_set.node, document);
        }
        order
    }

    fn gather(&mut self, set: &SelectionSet, document: &ExecutableDocument) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.clone();
                    self.0.entry(key).or_default().gather(&field.node.selection_set.node, document);
                }
                Selection::InlineFragment(fragment) => self.gather(&fragment.node.selection_set.node, document),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.gather(&fragment.node.selection_set.node, document);
                    }
                }
            }
        }
    }

    /// Puts an answer in order. What is in order already is only looked at.
    pub fn apply(&self, value: &mut Value) {
        match value {
            Value::List(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(object) => {
                let mut places = self.0.keys();
                if !object.keys().all(|key| places.any(|place| place == key)) {
                    object.sort_by_cached_key(|key, _| self.0.get_index_of(key).unwrap_or(usize::MAX));
                }
                let mut below = self.0.iter();
                for (key, child) in object.iter_mut() {
                    if let Some((_, order)) = below.find(|(place, _)| *place == key)
                        && !order.0.is_empty()
                    {
                        order.apply(child);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn ordered(query: &str, answer: &str) -> String {
        let mut value = serde_json::from_str(answer).unwrap();
        let document = parse_query(query).unwrap();
        Order::of(&document, document.operations.iter().next().map(|(_, operation)| &operation.node)).apply(&mut value);
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn fields_come_as_they_were_asked_for() {
        let query = "{ b { z ...F y } a: c { x } ... on Query { d } } fragment F on B { w x: y }";
        let answer = r#"{"d":1,"a":{"x":1},"b":[{"y":1,"x":2,"z":3,"w":4},{"z":1,"w":2,"x":3,"y":4}]}"#;
        let wanted = r#"{"b":[{"z":3,"w":4,"x":2,"y":1},{"z":1,"w":2,"x":3,"y":4}],"a":{"x":1},"d":1}"#;
        assert_eq!(ordered(query, answer), wanted);
    }

    #[test]
    fn the_inside_of_a_scalar_is_left_alone() {
        assert_eq!(ordered("{ json }", r#"{"json":{"b":1,"a":2}}"#), r#"{"json":{"b":1,"a":2}}"#);
    }
}
