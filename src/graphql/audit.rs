//! The audit log in the graph.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{AuditId, TenantId, UserId, audit};

use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::tenant::Tenant;
use super::user::User;
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant, Json};
use crate::resolver;
use crate::resolver::audit::AuditFilter;

/// Whether an act was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "taskloom_entity::AuditOutcome")]
pub enum AuditOutcome {
    /// Done.
    Done,
    /// Refused.
    Refused,
}

/// Who did what, or what was refused.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct AuditEntry {
    #[graphql(skip)]
    key: AuditId,
    #[graphql(skip)]
    user_key: Option<UserId>,
    #[graphql(skip)]
    tenant_key: Option<TenantId>,
    /// When.
    at: Instant,
    /// The name of who did it, at that time.
    actor: String,
    /// `subtask.retry`.
    action: String,
    /// `subtask:12`.
    object: String,
    /// Whether it was done.
    outcome: AuditOutcome,
    /// Why it was refused.
    code: Option<String>,
    /// What is worth knowing beside.
    detail: Option<Json>,
    /// The request that asked for it; the log's lines have it as well.
    request_id: String,
    /// The id of the token that proved who asked; null when something else did. The token may be gone.
    token_id: Option<ID>,
    /// The address that asked for it, behind the proxies that the settings trust; null for the system itself.
    address: Option<String>,
}

#[ComplexObject]
impl AuditEntry {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("AuditEntry", self.key)
    }

    /// Who did it; null for the system, for strangers, and for who was deleted.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(key) = self.user_key else { return Ok(None) };
        Ok(ctx.loaders().own(key).await?.map(User::from))
    }

    /// Whose object it was; null for the installation's.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<Tenant>> {
        let Some(key) = self.tenant_key else { return Ok(None) };
        Ok(ctx.loaders().one(key).await?.map(Tenant::from))
    }
}

impl From<audit::Model> for AuditEntry {
    fn from(row: audit::Model) -> Self {
        Self {
            user_key: row.user_id,
            tenant_key: row.tenant_id,
            key: row.id,
            at: row.at.into(),
            actor: row.actor,
            action: row.action,
            object: row.object,
            outcome: row.outcome.into(),
            code: row.code,
            detail: row.detail.as_ref().map(Json::from),
            request_id: row.request_id,
            token_id: row.token_id.map(|token| id::encode("Token", token)),
            address: row.address,
        }
    }
}

/// Which acts.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "AuditFilter")]
pub struct AuditFilterInput {
    /// By this name.
    actor: Option<String>,
    /// `subtask.retry`.
    action: Option<String>,
    /// `subtask:12`.
    object: Option<String>,
    /// Done, or refused.
    outcome: Option<AuditOutcome>,
    /// From this instant on.
    since: Option<Instant>,
    /// Before this instant.
    until: Option<Instant>,
}

impl From<AuditFilterInput> for AuditFilter {
    fn from(filter: AuditFilterInput) -> Self {
        Self {
            actor: filter.actor,
            action: filter.action,
            object: filter.object,
            outcome: filter.outcome.map(Into::into),
            since: filter.since.map(Into::into),
            until: filter.until.map(Into::into),
        }
    }
}

const LIST: OrderedList = OrderedList::by_id("audit");

/// What a page of the log says beside its edges.
#[derive(Debug)]
pub struct AuditTotal(AuditFilter);

#[Object]
impl AuditTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::audit::count(ctx.request(), &self.0).await?.cast_signed()))
    }
}

/// Reads the audit log.
#[derive(Debug, Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What was done and what was refused, newest first. For administrators.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn audit(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<AuditFilterInput>,
    ) -> Result<Paged<ListRow<AuditEntry>, AuditTotal>> {
        let filter = AuditFilter::from(filter.unwrap_or_default());
        let page = LIST.page(&Args { first, after, last, before })?;
        let acts = resolver::audit::list(ctx.request(), &filter, page).await?;
        Ok(connection_with(acts, AuditTotal(filter), |act| (LIST.cursor(act.id.0), ListRow(act.into()))))
    }
}
