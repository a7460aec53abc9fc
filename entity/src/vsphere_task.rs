//! A task of a vCenter, as it was seen last. Its instants are the vCenter's, but for the two that say otherwise.

use sea_orm::entity::prelude::*;

use crate::{
    JsonText, TenantId, Timestamp, VcenterId, VsphereInstanceId, VsphereReason, VsphereTaskId, VsphereTaskState,
};

/// A task of a vCenter, as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vsphere_task")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: VsphereTaskId,
    pub tenant_id: TenantId,
    pub vcenter_id: VcenterId,
    /// With `key` and `queued_at` what it is known by.
    pub instance_id: VsphereInstanceId,
    /// `task-3074`.
    pub key: String,
    pub state: VsphereTaskState,
    /// The vCenter forgot it before it told how it ended.
    pub is_lost: bool,
    pub cancelled: bool,
    pub cancelable: bool,
    /// 0 to 100; none: not told.
    pub progress: Option<i32>,
    /// The method, such as `ReconfigVM_Task`.
    pub name: Option<String>,
    pub description_id: String,
    /// `VirtualMachine:vm-119`.
    pub entity: Option<String>,
    pub entity_name: Option<String>,
    pub reason: VsphereReason,
    /// Who began it; none: the vCenter itself, a schedule, an alarm.
    pub username: Option<String>,
    /// The kind of what went wrong, such as `InvalidPowerState`.
    pub fault: Option<String>,
    /// What went wrong, in the vCenter's words.
    pub message: Option<String>,
    /// What it is doing, in the vCenter's words.
    pub detail: Option<String>,
    pub event_chain_id: i32,
    pub parent_key: Option<String>,
    pub root_key: Option<String>,
    /// What else the vCenter tells of it.
    pub rest: Option<JsonText>,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    /// When it was first on disk here, by our clock.
    pub seen_at: Timestamp,
    /// When it last changed here, by our clock.
    pub changed_at: Timestamp,
    /// What is looked for in it: the names of its object and of its user; none: a former version wrote the row.
    pub folded: Option<String>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
