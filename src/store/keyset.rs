//! Keyset pages in any order: a page begins behind a row, never at a number of rows, so a deep page costs what the first does.

use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Value};

use super::page::Slice;

/// A row's place in an order: its value of the order's column, and its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The value; none when the order is by id alone.
    pub value: Option<Value>,
    /// The id.
    pub id: i64,
}

/// What the values of an order's column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// None: the order is by id alone.
    Id,
    /// Texts.
    Text,
    /// Whole numbers; instants are such.
    Number,
}

/// Which rows of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<K = Key> {
    /// How many at the most. One more is read, to know whether there are more.
    pub limit: u64,
    /// Behind this row.
    pub after: Option<K>,
    /// Before this row.
    pub before: Option<K>,
    /// The last ones instead of the first.
    pub backward: bool,
}

impl<K> Default for Part<K> {
    fn default() -> Self {
        Self { limit: 0, after: None, before: None, backward: false }
    }
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

/// Puts the part into the query. The rows come in the part's own direction: reverse them when it is backward.
pub fn keyset<E: EntityTrait>(mut query: Select<E>, sort: &Sort, part: &Part) -> Select<E> {
    if let Some(key) = &part.after {
        query = query.filter(beyond(sort, key, sort.descending));
    }
    if let Some(key) = &part.before {
        query = query.filter(beyond(sort, key, !sort.descending));
    }
    let order = if sort.descending == part.backward { Order::Asc } else { Order::Desc };
    if let Some(column) = &sort.column {
        query = query.order_by(column.clone(), order.clone());
    }
    query.order_by(sort.id.clone(), order).limit(part.limit + 1)
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

impl Part {
    /// Cuts the row too many off, and turns the rows round when they were read backward.
    #[must_use]
    pub fn cut<M>(&self, mut rows: Vec<M>) -> Slice<M> {
        let more = rows.len() as u64 > self.limit;
        if more {
            rows.pop();
        }
        let (behind, before) = (self.after.is_some(), self.before.is_some());
        if self.backward {
            rows.reverse();
            Slice { rows, has_previous: more, has_next: before }
        } else {
            Slice { rows, has_previous: behind, has_next: more }
        }
    }
}
