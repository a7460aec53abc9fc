//! Keyset pages: a page begins behind a row, never at a number of rows, so a deep page costs what the first does.

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Value};

/// A row's place in an order: its value of the order's column, and its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The value; none when the order is by id alone.
    pub value: Option<Value>,
    /// The id.
    pub id: i64,
}

/// Which rows of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// How many at the most. One more is read, to know whether there are more.
    pub limit: u64,
    /// Behind this row.
    pub after: Option<Key>,
    /// Before this row.
    pub before: Option<Key>,
    /// The last ones instead of the first.
    pub backward: bool,
    /// Leaves out this many rows first: for legacy lists only.
    pub offset: u64,
}

/// An order: a column, then the id, both in one direction.
#[derive(Clone, Debug)]
pub struct Sort {
    /// The column; none: by id alone. Nullable columns come as `COALESCE(column, …)`.
    pub column: Option<SimpleExpr>,
    /// The id's column.
    pub id: SimpleExpr,
    /// Largest first.
    pub descending: bool,
}

/// Puts the slice into the query. The rows come in the slice's own direction: reverse them when it is backward.
pub fn keyset<E: EntityTrait>(mut query: Select<E>, sort: &Sort, slice: &Slice) -> Select<E> {
    if let Some(key) = &slice.after {
        query = query.filter(beyond(sort, key, sort.descending));
    }
    if let Some(key) = &slice.before {
        query = query.filter(beyond(sort, key, !sort.descending));
    }
    let order = if sort.descending == slice.backward { Order::Asc } else { Order::Desc };
    if let Some(column) = &sort.column {
        query = query.order_by(column.clone(), order.clone());
    }
    query = query.order_by(sort.id.clone(), order).limit(slice.limit + 1);
    if slice.offset > 0 { query.offset(slice.offset) } else { query }
}

fn beyond(sort: &Sort, key: &Key, smaller: bool) -> SimpleExpr {
    let (row, place) = match (&sort.column, &key.value) {
        (Some(column), Some(value)) => {
            (Expr::tuple([column.clone(), sort.id.clone()]), Expr::tuple([Expr::val(value.clone()), Expr::val(key.id)]))
        }
        _ => (Expr::expr(sort.id.clone()), Expr::val(key.id)),
    };
    if smaller { row.lt(place) } else { row.gt(place) }
}

/// A page as it was read: its rows in the list's order, and whether there are more on either side.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// In the list's order.
    pub rows: Vec<T>,
    /// More before the first.
    pub has_previous: bool,
    /// More behind the last.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// Cuts the row too many off, and turns the rows round when they were read backward.
    #[must_use]
    pub fn cut(mut rows: Vec<T>, slice: &Slice) -> Self {
        let more = rows.len() as u64 > slice.limit;
        if more {
            rows.pop();
        }
        if slice.backward {
            rows.reverse();
        }
        let (behind, before) = (slice.after.is_some() || slice.offset > 0, slice.before.is_some());
        if slice.backward {
            Self { rows, has_previous: more, has_next: before }
        } else {
            Self { rows, has_previous: behind, has_next: more }
        }
    }
}
