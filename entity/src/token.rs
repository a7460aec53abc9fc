//! An API token: only its digest is stored.

use sea_orm::entity::prelude::*;

use crate::{Role, Timestamp, TokenId, UserId};

/// An API token: only its digest is stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TokenId,
    pub user_id: UserId,
    pub name: String,
    /// SHA-256 of the token, lower-case hex.
    pub digest: String,
    /// Never more than the user's own when used.
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// The public half of its access key; none: it has none.
    pub access_key: Option<String>,
    /// The secret half.
    pub sealed: Option<Vec<u8>>,
    /// The key under which that is sealed.
    pub key_id: Option<String>,
    /// Subscriptions that its user may have open; none: as many as the settings say.
    pub subscriptions: Option<i32>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
