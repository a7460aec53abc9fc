//! Lists of objects. Each is charged by its real length before any of its objects is resolved: a document says how it
//! nests lists, and only the answer knows how long they are.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::connection::{Connection, EmptyFields};
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, ObjectType, OutputType, Positioned, QueryPathNode, QueryPathSegment, ServerResult, Value,
};

use futures::future::{BoxFuture, try_join_all};
use tokio::sync::SemaphorePermit;

use super::limits::{AT_ONCE, Cost, Shape};
use super::row::{self, path};

/// A list of objects; to clients a list.
#[derive(Clone, Debug)]
pub struct Many<T>(pub Vec<T>);

impl<T> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<T: ObjectType> OutputType for Many<T> {
    fn type_name() -> Cow<'static, str> {
        Vec::<T>::type_name()
    }

    fn qualified_type_name() -> String {
        Vec::<T>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Vec::<T>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let cost = charge(ctx, field, self.0.len()).await?;
        let mut values = Vec::with_capacity(self.0.len());
        for part in self.0.chunks(AT_ONCE) {
            let _places = places(cost, ctx, part.len()).await;
            let first = values.len();
            values.extend(resolved(part, first, ctx).await?);
        }
        Ok(Value::List(values))
    }
}

/// The objects from this place of the list on. Objects lie within lists of their own kind: somewhere on the way the future
/// needs a name.
///
/// Each object has room for the largest of its fields, so a field that asks the database by itself does so on the heap.
fn resolved<'a, T: ObjectType>(
    part: &'a [T],
    first: usize,
    ctx: &'a ContextSelectionSet<'_>,
) -> BoxFuture<'a, ServerResult<Vec<Value>>> {
    let objects = (first..).zip(part).map(|(index, object)| async move {
        let ctx = ctx.with_index(index);
        row::resolve(object, &ctx).await.map_err(|error| ctx.set_error_path(error))
    });
    Box::pin(try_join_all(objects))
}

/// A page of a list, with what else is asked of the list.
pub struct Paged<N: OutputType, F: ObjectType = EmptyFields>(pub Connection<String, N, F>);

impl<N: OutputType, F: ObjectType> OutputType for Paged<N, F> {
    fn type_name() -> Cow<'static, str> {
        <Connection<String, N, F> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Connection<String, N, F> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let cost = charge(ctx, field, self.0.edges.len()).await?;
        let _places = places(cost, ctx, self.0.edges.len()).await;
        self.0.resolve(ctx, field).await
    }
}

/// Charges a list of so many objects, whose selection this is.
async fn charge<'a>(
    ctx: &ContextSelectionSet<'a>,
    field: &Positioned<Field>,
    length: usize,
) -> ServerResult<Option<&'a Cost>> {
    // A schema without its guard has none.
    let Some(cost) = ctx.data_opt::<Arc<Cost>>() else { return Ok(None) };
    cost.list(length, shape(ctx, &ctx.item.node), || path(ctx)).map_err(|error| {
        let error = async_graphql::Error::from(error);
        ctx.set_error_path(error.into_server_error(field.pos))
    })?;
    cost.settle().await;
    Ok(Some(cost))
}

/// Waits until so many objects of this list may be resolved.
async fn places<'a>(cost: Option<&'a Cost>, ctx: &ContextSelectionSet<'_>, many: usize) -> Option<SemaphorePermit<'a>> {
    cost?.places(level(ctx), many.min(AT_ONCE)).await
}

/// What an object of this selection is made of. The document was measured, so what its fragments expand to is bounded.
fn shape(ctx: &ContextSelectionSet<'_>, set: &SelectionSet) -> Shape {
    let mut shape = Shape { objects: 1, fields: 0 };
    for selection in &set.items {
        let below = match &selection.node {
            Selection::Field(field) => {
                shape.fields += 1;
                let set = &field.node.selection_set.node;
                if set.items.is_empty() { Shape::default() } else { self::shape(ctx, set) }
            }
            // These add fields to the same object.
            Selection::InlineFragment(fragment) => same(self::shape(ctx, &fragment.node.selection_set.node)),
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
                fragment.map(|it| same(self::shape(ctx, &it.node.selection_set.node))).unwrap_or_default()
            }
        };
        shape.objects += below.objects;
        shape.fields += below.fields;
    }
    shape
}

fn same(shape: Shape) -> Shape {
    Shape { objects: shape.objects - 1, ..shape }
}

/// How many lists this lies in.
fn level(ctx: &ContextSelectionSet<'_>) -> usize {
    let is_index = |node: &QueryPathNode<'_>| matches!(node.segment, QueryPathSegment::Index(_));
    ctx.path_node.map_or(0, |node| usize::from(is_index(&node)) + node.parents().filter(|node| is_index(node)).count())
}
