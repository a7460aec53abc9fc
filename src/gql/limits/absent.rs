//! A variable that was not given leaves out what it stands for: the argument, or the field of an input object
//! (GraphQL sections 6.4.1 and 3.10), so that defaults hold and "left out" is never taken for null.
//!
//! The library hands on null instead, so the document is changed before it is executed. Validation sees it as it was
//! written ([`idle`]).

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, InlineFragment, OperationDefinition, OperationType, Selection,
    SelectionSet, TypeCondition,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

/// The variables that may be left out, and were.
pub(super) fn names<'a>(operation: &'a OperationDefinition, given: &Variables) -> impl Iterator<Item = &'a Name> {
    let definitions = operation.variable_definitions.iter().map(|it| &it.node);
    // One that must be given is missed by the library, in its own words.
    let may_be_absent = definitions.filter(|it| it.default_value.is_none() && it.var_type.node.nullable);
    may_be_absent.map(|it| &it.name.node).filter(|name| !given.contains_key(*name))
}

/// Leaves out what stands for absent variables of the chosen operation; whether there was any.
pub(super) fn leave_out(document: &mut ExecutableDocument, operation: Option<&str>, given: &Variables) -> bool {
    let Some(chosen) = super::chosen(&document.operations, operation) else { return false };
    let absent: HashSet<Name> = names(chosen, given).cloned().collect();
    if absent.is_empty() {
        return false;
    }
    let mut changed = false;
    each_operation(&mut document.operations, &mut |it| changed |= in_set(&mut it.selection_set.node, &absent));
    for fragment in document.fragments.values_mut() {
        changed |= in_set(&mut fragment.node.selection_set.node, &absent);
    }
    if changed {
        forget(document, &absent);
    }
    changed
}

/// The document with nothing to do: validation looks at all of it, execution at none.
pub(super) fn idle(document: &ExecutableDocument) -> ExecutableDocument {
    let mut idle = document.clone();
    each_operation(&mut idle.operations, &mut |operation| {
        let at = operation.selection_set.pos;
        // Without its type the library would not look at what is inside.
        let on = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let set = &mut operation.selection_set;
        let place = |node| Positioned::new(node, at);
        let always = (Positioned::new(Name::new("if"), at), Positioned::new(Value::Boolean(true), at));
        let skip = Directive { name: place(Name::new("skip")), arguments: vec![always] };
        let inside = std::mem::replace(set, Positioned::new(SelectionSet::default(), at));
        let skipped = InlineFragment {
            type_condition: Some(Positioned::new(TypeCondition { on: Positioned::new(Name::new(on), at) }, at)),
            directives: vec![Positioned::new(skip, at)],
            selection_set: inside,
        };
        let skipped = Selection::InlineFragment(Positioned::new(skipped, at));
        set.node.items.push(Positioned::new(skipped, at));
    });
    idle
}

fn each_operation(operations: &mut DocumentOperations, see: &mut dyn FnMut(&mut OperationDefinition)) {
    match operations {
        DocumentOperations::Single(operation) => see(&mut operation.node),
        DocumentOperations::Multiple(operations) => operations.values_mut().for_each(|it| see(&mut it.node)),
    }
}

fn in_set(set: &mut SelectionSet, absent: &HashSet<Name>) -> bool {
    let mut changed = false;
    for selection in &mut set.items {
        changed |= match &mut selection.node {
            Selection::Field(field) => {
                let arguments = &mut field.node.arguments;
                let count = arguments.len();
                arguments.retain(|(_, value)| !is_absent(&value.node, absent));
                let fields = arguments.iter_mut().map(|(_, value)| in_value(&mut value.node, absent));
                let inner = fields.fold(false, |one, other| one | other);
                inner | (arguments.len() < count) | in_set(&mut field.node.selection_set.node, absent)
            }
            Selection::InlineFragment(inline) => in_set(&mut inline.node.selection_set.node, absent),
            Selection::FragmentSpread(_) => false,
        };
    }
    changed
}

/// An item of a list stays: there the library's null is what the specification wants (section 3.11).
fn in_value(value: &mut Value, absent: &HashSet<Name>) -> bool {
    match value {
        Value::Object(fields) => {
            let count = fields.len();
            fields.retain(|_, value| !is_absent(value, absent));
            let inner = fields.values_mut().fold(false, |changed, value| changed | in_value(value, absent));
            inner | (fields.len() < count)
        }
        Value::List(items) => items.iter_mut().fold(false, |changed, value| changed | in_value(value, absent)),
        _ => false,
    }
}

fn is_absent(value: &Value, absent: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if absent.contains(name))
}

/// Takes the definitions away that nothing uses any more: validation refuses such.
fn forget(document: &mut ExecutableDocument, absent: &HashSet<Name>) {
    let mut used = HashSet::new();
    document.operations.iter().for_each(|(_, it)| uses(&it.node.selection_set.node, &mut used));
    document.fragments.values().for_each(|it| uses(&it.node.selection_set.node, &mut used));
    each_operation(&mut document.operations, &mut |operation| {
        operation.variable_definitions.retain(|it| {
            let name = &it.node.name.node;
            !absent.contains(name) || used.contains(name)
        });
    });
}

fn uses(set: &SelectionSet, used: &mut HashSet<Name>) {
    for selection in &set.items {
        let directives = selection.node.directives().iter().flat_map(|it| &it.node.arguments);
        directives.for_each(|(_, value)| variables(&value.node, used));
        match &selection.node {
            Selection::Field(field) => {
                field.node.arguments.iter().for_each(|(_, value)| variables(&value.node, used));
                uses(&field.node.selection_set.node, used);
            }
            Selection::InlineFragment(inline) => uses(&inline.node.selection_set.node, used),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn variables(value: &Value, used: &mut HashSet<Name>) {
    match value {
        Value::Variable(name) => _ = used.insert(name.clone()),
        Value::List(items) => items.iter().for_each(|item| variables(item, used)),
        Value::Object(fields) => fields.values().for_each(|field| variables(field, used)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    /// The arguments of the document's field `f` that are left.
    fn left(query: &str, given: serde_json::Value) -> String {
        let mut document = parse_query(query).unwrap();
        leave_out(&mut document, None, &Variables::from_json(given));
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("a field") };
        let arguments = field.node.arguments.iter().map(|(name, value)| format!("{}: {}", name.node, value.node));
        let arguments = arguments.collect::<Vec<_>>().join(", ");
        format!("{arguments} of {}", operation.node.variable_definitions.len())
    }

    #[test]
    fn what_was_not_given_is_left_out() {
        let query = "query($a: Int, $b: Int = 2, $c: Int!) { f(a: $a, b: $b, c: $c, d: {a: $a, e: [$a, {a: $a}]}) }";
        assert_eq!(left(query, serde_json::json!({})), "b: $b, c: $c, d: {e: [$a, {}]} of 3");
        let null = left(query, serde_json::json!({"a": null}));
        assert_eq!(null, "a: $a, b: $b, c: $c, d: {a: $a, e: [$a, {a: $a}]} of 3", "null is something");
        assert_eq!(left("query($a: Int) { f(a: $a) }", serde_json::json!({})), " of 0");
        assert_eq!(left("query($a: Boolean) { f(a: $a) @skip(if: $a) }", serde_json::json!({})), " of 1");
    }

    #[test]
    fn an_idle_document_keeps_what_it_says() {
        let document = parse_query("query A($a: Int) { f(a: $a) } query B { g }").unwrap();
        for (_, operation) in idle(&document).operations.iter() {
            let items = &operation.node.selection_set.node.items;
            let [Positioned { node: Selection::InlineFragment(inline), .. }] = items.as_slice() else {
                panic!("one fragment")
            };
            assert_eq!(inline.node.directives[0].node.name.node, "skip");
            assert_eq!(inline.node.selection_set.node.items.len(), 1);
        }
    }
}
