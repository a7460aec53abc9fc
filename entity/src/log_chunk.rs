//! A run of log lines of one attempt.

use sea_orm::entity::prelude::*;

use crate::{AttemptId, SubtaskId, Timestamp};

/// A run of log lines of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_chunk")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub subtask_id: SubtaskId,
    /// From 1 within the subtask.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_line: i64,
    pub attempt_id: AttemptId,
    pub lines: i32,
    /// Within the subtask's log.
    pub first_byte: i64,
    /// Before compression, line ends included.
    pub bytes: i32,
    /// Of its first line.
    pub at: Timestamp,
    /// Zstd of its text behind its marks.
    pub data: Vec<u8>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
