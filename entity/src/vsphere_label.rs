//! What a vCenter calls an operation, in one language.

use sea_orm::entity::prelude::*;

use crate::VcenterId;

/// What a vCenter calls an operation, in one language.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vsphere_label")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub vcenter_id: VcenterId,
    /// `zh_CN` or `en`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub locale: String,
    /// `VirtualMachine.reconfigure`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub description_id: String,
    pub label: String,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
