//! A user who signs in. `user` is a reserved word of SQL, hence the table's name.

use sea_orm::entity::prelude::*;

use crate::{Role, Timestamp, UserId};

/// A user who signs in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "app_user")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: UserId,
    pub name: String,
    /// Argon2id in PHC form; none: cannot sign in by password.
    pub password_hash: Option<String>,
    pub role: Role,
    pub disabled: bool,
    pub created_at: Timestamp,
    /// The name as it is looked for; none: a former version wrote the row.
    pub name_folded: Option<String>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
