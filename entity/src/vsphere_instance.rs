//! A vCenter that answered at a registered address, by the identity that it gives itself. A reinstalled one is another.

use sea_orm::entity::prelude::*;

use crate::{VcenterId, VsphereInstanceId};

/// A vCenter that answered at a registered address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vsphere_instance")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: VsphereInstanceId,
    pub vcenter_id: VcenterId,
    /// Its `instanceUuid`.
    pub uuid: String,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
