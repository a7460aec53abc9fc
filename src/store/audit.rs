//! The audit log: rows are added, never changed.

use sea_orm::{ActiveModelTrait, Set};
use taskloom_entity::audit::{ActiveModel, Model};
use taskloom_entity::{AuditOutcome, JsonText, TenantId, Timestamp, UserId};

use super::Tx;
use crate::error::Result;

/// An act to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Whose; none: the installation's.
    pub tenant_id: Option<TenantId>,
    /// By whom.
    pub user_id: Option<UserId>,
    /// Its name now.
    pub actor: String,
    /// `subtask.retry`.
    pub action: &'static str,
    /// `subtask:12`.
    pub object: String,
    /// Why it was refused; none: it was done.
    pub code: Option<&'static str>,
    /// What is worth knowing beside.
    pub detail: Option<JsonText>,
    /// Of the request that asked.
    pub request_id: String,
}

/// Adds a row.
///
/// # Errors
/// When the database does not answer.
pub async fn record(tx: &Tx, entry: Entry) -> Result<Model> {
    let row = ActiveModel {
        at: Set(entry.at),
        tenant_id: Set(entry.tenant_id),
        user_id: Set(entry.user_id),
        actor: Set(entry.actor),
        action: Set(entry.action.to_owned()),
        object: Set(entry.object),
        outcome: Set(if entry.code.is_none() { AuditOutcome::Done } else { AuditOutcome::Refused }),
        code: Set(entry.code.map(str::to_owned)),
        detail: Set(entry.detail),
        request_id: Set(entry.request_id),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}
