//! A run of rows of one result set.

use sea_orm::entity::prelude::*;

use crate::ResultSetId;

/// A run of rows of one result set.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "result_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub result_set_id: ResultSetId,
    /// From 0 within the set.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_row: i64,
    pub rows: i32,
    /// Before compression.
    pub bytes: i32,
    /// Zstd of a JSON list of rows, each a list of texts and nulls.
    pub data: Vec<u8>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
