//! A signed-in browser: only the cookie's digest is stored.

use sea_orm::entity::prelude::*;

use crate::{Timestamp, UserId};

/// A signed-in browser: only the cookie's digest is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// SHA-256 of the cookie's value, lower-case hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    /// Seconds unused until it ends; none: as the settings say.
    pub idle_seconds: Option<i32>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
