//! The audit log: rows are added, and never changed but for the count of those that stand for more than one.

use std::net::IpAddr;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, Set,
};
use taskloom_entity::audit::{ActiveModel, Column, Entity as Audit, Model};
use taskloom_entity::{AuditId, AuditOutcome, JsonText, TenantId, Timestamp, TokenId, UserId};

use super::page::{Page, Slice};
use super::{Changed, Tx};
use crate::error::Result;

/// An act to be recorded.
#[derive(Clone, Debug)]
pub struct NewAuditEntry {
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
    /// From where it was asked for; none: from within the server.
    pub address: Option<IpAddr>,
    /// By which token; none: it was proved otherwise, or by nothing.
    pub token_id: Option<TokenId>,
}

/// Adds a row.
///
/// # Errors
/// When the database does not answer.
pub async fn record(tx: &Tx, entry: NewAuditEntry) -> Result<Model> {
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
        address: Set(entry.address.map(|address| address.to_string())),
        token_id: Set(entry.token_id),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// Says anew what is worth knowing beside an act that came once more.
///
/// # Errors
/// When the database does not answer.
pub async fn recount(tx: &Tx, id: AuditId, detail: JsonText) -> Result<Changed> {
    let update = Audit::update_many().col_expr(Column::Detail, Expr::value(Some(detail))).filter(Column::Id.eq(id));
    Ok(Changed::of(update.exec(tx).await?.rows_affected))
}

/// Which acts a list is of.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By this name.
    pub actor: Option<String>,
    /// `subtask.retry`.
    pub action: Option<String>,
    /// `subtask:12`.
    pub object: Option<String>,
    /// Done, or refused.
    pub outcome: Option<AuditOutcome>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl AuditFilter {
    fn condition(&self) -> Condition {
        Condition::all()
            .add_option(self.actor.as_ref().map(|actor| Column::Actor.eq(actor)))
            .add_option(self.action.as_ref().map(|action| Column::Action.eq(action)))
            .add_option(self.object.as_ref().map(|object| Column::Object.eq(object)))
            .add_option(self.outcome.map(|outcome| Column::Outcome.eq(outcome)))
            .add_option(self.since.map(|since| Column::At.gte(since)))
            .add_option(self.until.map(|until| Column::At.lt(until)))
    }
}

/// A page of acts, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &impl ConnectionTrait, filter: &AuditFilter, page: Page) -> Result<Slice<Model>> {
    page.newest_first(Audit::find().filter(filter.condition()), Column::Id).all(db).await
}

/// How many acts such a list has.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &impl ConnectionTrait, filter: &AuditFilter) -> Result<u64> {
    Ok(Audit::find().filter(filter.condition()).count(db).await?)
}

/// The act of this id.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl ConnectionTrait, id: AuditId) -> Result<Option<Model>> {
    Ok(Audit::find_by_id(id).one(db).await?)
}
