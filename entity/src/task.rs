//! A task.

use sea_orm::entity::prelude::*;

use crate::{DefinitionId, JsonText, Operation, TaskId, TaskState, TaskType, TenantId, Timestamp, UserId};

/// A task.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "task")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TaskId,
    pub tenant_id: TenantId,
    pub name: String,
    pub task_type: TaskType,
    pub definition_id: Option<DefinitionId>,
    pub creator_id: Option<UserId>,
    pub creator: String,
    pub state: TaskState,
    pub operation: Operation,
    /// Its subtasks are being undone, or the last thing that was tried is to undo them.
    pub backward: bool,
    /// 1 to 100, the highest first.
    pub priority: i16,
    /// Target.
    pub cluster: Option<String>,
    /// Target.
    pub target_tenant: Option<String>,
    /// Target.
    pub host: Option<String>,
    /// The cluster's number in the system that knows it.
    pub cluster_id: Option<i64>,
    /// The target tenant's number in the system that knows it.
    pub target_tenant_id: Option<i64>,
    /// The host's number in the system that knows it.
    pub host_id: Option<i64>,
    /// What else is known of the target; none: nothing.
    pub target_facts: Option<JsonText>,
    /// A copy of task_label, for reading.
    pub labels: JsonText,
    pub prohibit_rollback: bool,
    /// 0 to 1.
    pub progress: f64,
    /// Why it failed.
    pub message: Option<String>,
    pub idempotency_key: Option<String>,
    pub request_digest: Option<String>,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// The name as it is looked for; none: a former version wrote the row.
    pub name_folded: Option<String>,
    /// The target cluster as it is looked for.
    pub cluster_folded: Option<String>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
