//! Result sets of subtasks.

use async_graphql::{Context, Object, Result, SimpleObject};
use taskloom_entity::result_set;

use super::context::Has;
use super::state::{ColumnType, ResultKind};
use crate::gql::many::Many;
use crate::gql::scalar::BigInt;
use crate::resolver;
use crate::rows::Column;

/// Rows of a page where nothing is said.
const ROWS: i32 = 100;

/// What one statement or request found.
#[derive(Clone, Debug)]
pub struct ResultSet(pub result_set::Model);

/// A column of a result set.
#[derive(Clone, Debug, SimpleObject)]
pub struct ResultColumn {
    /// Its name.
    name: String,
    /// What its values are; all of them come as text.
    #[graphql(name = "type")]
    kind: ColumnType,
    /// What the source says of it; mostly nothing.
    comment: String,
}

impl From<Column> for ResultColumn {
    fn from(column: Column) -> Self {
        Self { name: column.name, kind: column.kind.into(), comment: column.comment }
    }
}

/// What one statement or request found.
#[Object]
impl ResultSet {
    /// From 0 within the attempt.
    async fn number(&self) -> i32 {
        self.0.number
    }
    /// What it is made of.
    async fn kind(&self) -> ResultKind {
        self.0.kind.into()
    }
    /// Its columns.
    async fn columns(&self) -> Result<Many<ResultColumn>> {
        Ok(resolver::result::columns(&self.0)?.into_iter().map(ResultColumn::from).collect())
    }
    /// How many rows are kept.
    async fn total_rows(&self) -> BigInt {
        BigInt(self.0.rows)
    }
    /// How many bytes they have as JSON.
    async fn bytes(&self) -> BigInt {
        BigInt(self.0.bytes)
    }
    /// There were more rows than are kept.
    async fn truncated(&self) -> bool {
        self.0.truncated
    }
    /// Rows, each with a value a column; at most 10,000 at a time, and no more bytes than a page may have: the refusal
    /// names how many rows would fit.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(ROWS)).unwrap_or_default() / 10 + 10")]
    async fn rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(ROWS)")] first: Option<i32>,
        #[graphql(default = 0)] offset: Option<i32>,
    ) -> Result<Vec<Vec<Option<String>>>> {
        let part = (offset.unwrap_or_default().into(), first.unwrap_or(ROWS).into());
        let turn = ctx.reading().page().await?;
        let page = resolver::result::page_within(ctx.request(), self.0.clone(), part, turn.bytes()).await?;
        turn.took(page.rows.iter().map(resolver::result::size).sum());
        Ok(page.rows)
    }
}
