//! A secret of a tenant: sealed, known by its name.

use sea_orm::entity::prelude::*;

use crate::{SecretId, TenantId, Timestamp};

/// A secret of a tenant: sealed, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: SecretId,
    pub tenant_id: TenantId,
    /// Unique within its tenant.
    pub name: String,
    /// What the vault made of it, for this row.
    pub sealed: Vec<u8>,
    /// Under which key.
    pub key_id: String,
    /// Who made it.
    pub creator: String,
    pub created_at: Timestamp,
    /// When its value was last given.
    pub updated_at: Timestamp,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
