//! What happened to tasks, in the order of commits. Append-only.

use sea_orm::entity::prelude::*;

use crate::{
    AttemptId, EventId, EventKind, Operation, SubtaskId, SubtaskState, TaskId, TaskState, TenantId, Timestamp,
};

/// What happened to tasks, in the order of commits.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "task_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: EventId,
    pub at: Timestamp,
    pub tenant_id: TenantId,
    pub task_id: TaskId,
    pub subtask_id: Option<SubtaskId>,
    pub attempt_id: Option<AttemptId>,
    pub kind: EventKind,
    /// The task's state before; none: it began with this, or a release wrote it that did not keep it.
    pub from_state: Option<TaskState>,
    /// Of TASK_… events.
    pub task_state: Option<TaskState>,
    /// Of SUBTASK_… events.
    pub subtask_state: Option<SubtaskState>,
    pub operation: Option<Operation>,
    pub progress: Option<f64>,
    pub message: Option<String>,
    /// Who asked; none: the engine.
    pub actor: Option<String>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
