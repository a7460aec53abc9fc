//! A page of a list that is ordered by id: rows are found by their key, never by counting what lies before them, so
//! the thousandth page costs what the first does.

use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select, Selector,
    SelectorTrait,
};

use crate::error::Result;
use crate::text;

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Behind the row of this id, in the list's order.
    pub after: Option<i64>,
    /// Before the row of this id, in the list's order.
    pub before: Option<i64>,
    /// At most so many rows.
    pub limit: u64,
    /// The last ones of that part instead of the first.
    pub backward: bool,
}

/// Some rows of a list, in its order.
#[derive(Clone, Debug)]
pub struct Slice<M> {
    /// The rows.
    pub rows: Vec<M>,
    /// Whether there are others behind them.
    pub has_next: bool,
    /// Whether there are others before them.
    pub has_previous: bool,
}

/// A page of one query.
#[derive(Debug)]
pub struct PageQuery<E: EntityTrait> {
    select: Select<E>,
    page: Page,
}

impl Page {
    /// This page of `select`, ascending by `id`.
    pub fn oldest_first<E: EntityTrait>(self, select: Select<E>, id: E::Column) -> PageQuery<E> {
        self.of(select, id, true)
    }

    /// This page of `select`, descending by `id`.
    pub fn newest_first<E: EntityTrait>(self, select: Select<E>, id: E::Column) -> PageQuery<E> {
        self.of(select, id, false)
    }

    fn of<E: EntityTrait>(self, mut select: Select<E>, id: E::Column, ascending: bool) -> PageQuery<E> {
        let (lowest, highest) = if ascending { (self.after, self.before) } else { (self.before, self.after) };
        if let Some(lowest) = lowest {
            select = select.filter(id.gt(lowest));
        }
        if let Some(highest) = highest {
            select = select.filter(id.lt(highest));
        }
        let read = if ascending != self.backward { Order::Asc } else { Order::Desc };
        // One more than wanted tells whether there are more.
        PageQuery { select: select.order_by(id, read).limit(self.limit + 1), page: self }
    }
}

impl<E: EntityTrait> PageQuery<E> {
    /// Reads the rows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all(self, db: &impl ConnectionTrait) -> Result<Slice<E::Model>> {
        Ok(self.page.cut(self.select.all(db).await?))
    }

    /// Reads rows of some columns.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rows<S: SelectorTrait + Send + Sync>(
        self,
        db: &impl ConnectionTrait,
        of: impl FnOnce(Select<E>) -> Selector<S>,
    ) -> Result<Slice<S::Item>> {
        Ok(self.page.cut(of(self.select).all(db).await?))
    }
}

impl Page {
    /// Cuts the row too many off, and turns the rows round when they were read backward.
    fn cut<M>(self, mut rows: Vec<M>) -> Slice<M> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        // On the side that was not read, the row of the cursor itself is one.
        let (has_next, has_previous) = if self.backward {
            rows.reverse();
            (self.before.is_some(), more)
        } else {
            (more, self.after.is_some())
        };
        Slice { rows, has_next, has_previous }
    }
}

/// Whether a column of ASCII contains `part`, in any case of its letters; `%` and `_` in it mean themselves.
pub fn contains(column: impl ColumnTrait, part: &str) -> Expr {
    has(Func::lower(column.into_expr()).into(), part)
}

/// The same of a column in any script, by what was folded from it; a row of a former version has only the column itself.
pub fn contains_folded<C: ColumnTrait>((folded, column): (C, C), part: &str) -> Expr {
    let lower = Func::lower(column.into_expr());
    has(Func::coalesce([folded.into_expr(), lower.into()]).into(), part)
}

/// The same of a column that holds nothing but what was folded.
pub fn holds(folded: impl ColumnTrait, part: &str) -> Expr {
    has(folded.into_expr(), part)
}

fn has(text: Expr, part: &str) -> Expr {
    // SQLite reads a pattern up to the first U+0000, and what is left of it would match everything.
    if !text::is_storable(part) {
        return Expr::val(false);
    }
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for letter in text::folded(part).chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    text.like(LikeExpr::new(pattern).escape('\\'))
}
