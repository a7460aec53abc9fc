//! A database that tasks of a tenant may ask.

use sea_orm::entity::prelude::*;

use crate::{DataSourceId, DataSourceKind, JsonText, TenantId, Timestamp};

/// A database that tasks of a tenant may ask.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "data_source")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DataSourceId,
    pub tenant_id: TenantId,
    /// Unique within its tenant.
    pub name: String,
    pub kind: DataSourceKind,
    /// None for a file.
    pub host: Option<String>,
    /// None: the usual one.
    pub port: Option<i32>,
    /// Its name, or the file's path below the folder of the settings.
    pub database: String,
    pub username: Option<String>,
    /// An object of those options that are allowed.
    pub options: JsonText,
    /// The engine of a legacy dialect that it stands for, such as `spark`; unique within its tenant.
    pub engine: Option<String>,
    /// The password as the vault keeps it, for this row; none: without one.
    pub sealed: Option<Vec<u8>>,
    /// Under which key.
    pub key_id: Option<String>,
    /// Who made it.
    pub creator: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
