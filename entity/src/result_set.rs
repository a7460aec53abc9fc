//! What one statement or request of an attempt found.

use sea_orm::entity::prelude::*;

use crate::{AttemptId, JsonText, ResultKind, ResultSetId, SubtaskId, Timestamp};

/// What one statement or request of an attempt found.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "result_set")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ResultSetId,
    pub attempt_id: AttemptId,
    pub subtask_id: SubtaskId,
    /// From 0 within its attempt.
    pub number: i32,
    pub kind: ResultKind,
    /// A list of `{name, type, comment}`.
    pub columns: JsonText,
    /// How many are kept.
    pub rows: i64,
    /// Of their JSON, before compression.
    pub bytes: i64,
    /// There were more rows than are kept.
    pub truncated: bool,
    pub created_at: Timestamp,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
