//! A vCenter whose task history is kept: what people set.

use sea_orm::entity::prelude::*;

use crate::{TenantId, Timestamp, VcenterId, VcenterTrust};

/// A vCenter whose task history is kept: what people set.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vcenter")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: VcenterId,
    /// As old clients name it; unique.
    pub uuid: String,
    pub tenant_id: TenantId,
    /// Unique within its tenant.
    pub name: String,
    /// Where it answers, with its scheme.
    pub address: String,
    pub username: String,
    pub trust: VcenterTrust,
    /// The authorities' certificates in PEM, or the thumbprint, by `trust`.
    pub trusted: Option<String>,
    /// Whether its tasks are collected.
    pub collect: bool,
    /// For how many days after their end its tasks are kept; none: for good.
    pub keep_days: Option<i32>,
    /// The password as the vault keeps it, for this row.
    pub sealed: Option<Vec<u8>>,
    /// Under which key.
    pub key_id: Option<String>,
    /// Counts the changes of these settings: whoever works with older ones begins anew.
    pub revision: i64,
    /// Who made it.
    pub creator: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
