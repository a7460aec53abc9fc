//! The log of what happened to vCenter tasks, append-only. Its numbers ascend in the order of commits.

use sea_orm::entity::prelude::*;

use crate::{EventId, TenantId, Timestamp, VcenterId, VsphereTaskId, VsphereTaskState};

/// A change of a vCenter task.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vsphere_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: EventId,
    /// By our clock.
    pub at: Timestamp,
    pub tenant_id: TenantId,
    pub vcenter_id: VcenterId,
    pub task_id: VsphereTaskId,
    /// By then.
    pub state: VsphereTaskState,
    /// By then.
    pub progress: Option<i32>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
