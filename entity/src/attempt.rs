//! One run of a subtask.

use sea_orm::entity::prelude::*;

use crate::{AttemptId, AttemptState, Operation, SubtaskId, TaskId, Timestamp};

/// One run of a subtask.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AttemptId,
    pub subtask_id: SubtaskId,
    pub task_id: TaskId,
    /// From 1 within its subtask.
    pub number: i32,
    pub operation: Operation,
    pub worker_id: String,
    pub epoch: i64,
    pub state: AttemptState,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub exit_code: Option<i32>,
    pub message: Option<String>,
    /// Of its log within the subtask's.
    pub first_line: i64,
    pub cpu_seconds: Option<f64>,
    /// Last seen.
    pub memory_bytes: Option<i64>,
    pub peak_memory_bytes: Option<i64>,
    /// Most at one time.
    pub processes: Option<i32>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
