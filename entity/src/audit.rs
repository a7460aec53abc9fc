//! Who did what, and what was refused. Append-only.

use sea_orm::entity::prelude::*;

use crate::{AuditId, AuditOutcome, JsonText, TenantId, Timestamp, TokenId, UserId};

/// Who did what, and what was refused.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AuditId,
    pub at: Timestamp,
    /// None: an act on the installation itself.
    pub tenant_id: Option<TenantId>,
    pub user_id: Option<UserId>,
    /// The name at that time.
    pub actor: String,
    /// `subtask.retry`: the verb's name everywhere.
    pub action: String,
    /// `subtask:12`.
    pub object: String,
    pub outcome: AuditOutcome,
    /// Why it was refused, from the table of codes.
    pub code: Option<String>,
    pub detail: Option<JsonText>,
    pub request_id: String,
    /// From where it was asked for; none: from within the server.
    pub address: Option<String>,
    /// The token that proved who asked. It may be gone by now.
    pub token_id: Option<TokenId>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
