//! Rows of long lists. A list of objects costs what its objects cost, times its length: here the fields of an object
//! are answered one after the other in place, where the library gives each a future of its own on the heap.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value};

use super::limits::Cost;

/// An object as a row; to clients it is the object.
#[derive(Clone, Debug)]
pub struct ListRow<T>(pub T);

impl<T: ObjectType> OutputType for ListRow<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _field: &Positioned<Field>) -> ServerResult<Value> {
        resolve(&self.0, ctx).await
    }
}

/// An object as a row.
pub(super) async fn resolve<T: ObjectType>(row: &T, ctx: &ContextSelectionSet<'_>) -> ServerResult<Value> {
    let cost = ctx.data_opt::<Arc<Cost>>();
    let resolved = fields(row, ctx).await?;
    if let (Some(cost), Value::Object(object)) = (cost, &resolved) {
        let lengths = object.values().map(|value| if let Value::String(text) = value { text.len() } else { 0 });
        cost.texts(lengths, || path(ctx)).map_err(|error| {
            let pos = ctx.item.pos;
            ctx.set_error_path(async_graphql::Error::from(error).into_server_error(pos))
        })?;
    }
    Ok(resolved)
}

async fn fields<T: ObjectType>(row: &T, ctx: &ContextSelectionSet<'_>) -> ServerResult<Value> {
    let items = &ctx.item.node.items;
    let mut object = IndexMap::with_capacity(items.len());
    for item in items {
        let Selection::Field(field) = &item.node else { return resolve_container(ctx, row).await };
        // What the library does with directives, fragments and a field asked for twice, it does best itself.
        if !field.node.directives.is_empty() || object.contains_key(&field.node.response_key().node) {
            return resolve_container(ctx, row).await;
        }
        object.insert(field.node.response_key().node.clone(), Value::Null);
    }
    for (item, value) in items.iter().zip(object.values_mut()) {
        let Selection::Field(field) = &item.node else { continue };
        if field.node.name.node == "__typename" {
            *value = Value::String(row.introspection_type_name().into_owned());
            continue;
        }
        let ctx_field = ctx.with_field(field);
        match row.resolve_field(&ctx_field).await {
            Ok(resolved) => *value = resolved.unwrap_or_default(),
            Err(error) => ctx.add_error(error),
        }
    }
    Ok(Value::Object(object))
}

/// The fields that lead here, as a person would write them.
pub(super) fn path(ctx: &ContextSelectionSet<'_>) -> String {
    let steps = ctx.path_node.map(|node| node.to_string_vec()).unwrap_or_default();
    let names: Vec<String> = steps.into_iter().filter(|step| !step.starts_with(|c: char| c.is_ascii_digit())).collect();
    names.join(".")
}
