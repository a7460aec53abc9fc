//! One version of a definition.

use sea_orm::entity::prelude::*;

use crate::{DefinitionId, JsonText, TenantId, Timestamp};

/// One version of a definition.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "definition")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DefinitionId,
    pub tenant_id: TenantId,
    pub name: String,
    /// From 1, without gaps.
    pub version: i32,
    /// Exactly one version of a name is.
    pub latest: bool,
    pub spec: JsonText,
    pub creator: String,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
