//! An object of a vCenter's inventory: its name, and what it lies under. It stays when it is gone from there, since its
//! tasks stay.

use sea_orm::entity::prelude::*;

use crate::{Timestamp, VcenterId, VsphereObjectId};

/// An object of a vCenter's inventory.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vsphere_object")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: VsphereObjectId,
    pub vcenter_id: VcenterId,
    /// `VirtualMachine:vm-119`.
    pub reference: String,
    pub name: String,
    /// What it lies in.
    pub parent: Option<String>,
    /// The host that a virtual machine is on.
    pub host: Option<String>,
    /// When it was seen last, by our clock.
    pub seen_at: Timestamp,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
