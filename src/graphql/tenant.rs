//! Tenants in the graph.

use async_graphql::connection::Connection;
use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use taskloom_entity::{TenantId, tenant};

use super::context::Has;
use super::page::{self, Args};
use super::scalar::BigInt;
use super::{id, user};
use crate::resolver;

/// An owner of users, tasks and definitions. What one owns, others do not see.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Tenant {
    #[graphql(skip)]
    key: TenantId,
    /// The number behind it.
    database_id: BigInt,
    /// Unique.
    name: String,
    /// When it was made.
    created_at: DateTime<Utc>,
}

#[ComplexObject]
impl Tenant {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Tenant", self.key)
    }
}

impl From<tenant::Model> for Tenant {
    fn from(row: tenant::Model) -> Self {
        Self { key: row.id, database_id: BigInt(row.id.0), name: row.name, created_at: row.created_at.utc() }
    }
}

/// The tenant of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<TenantId> {
    id::decode("Tenant", id).map(TenantId)
}

/// What a page of tenants says beside its edges.
#[derive(Debug)]
pub struct TenantTotal;

#[Object]
impl TenantTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(resolver::tenant::count(ctx.request()).await?)
    }
}

/// Reads tenants.
#[derive(Debug, Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// One of your tenants.
    async fn tenant(&self, ctx: &Context<'_>, id: ID) -> Result<Tenant> {
        Ok(resolver::tenant::get(ctx.request(), key(&id)?).await?.into())
    }

    /// Your tenants, oldest first; an administrator sees all.
    #[graphql(complexity = "page::cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Connection<String, Tenant, TenantTotal>> {
        let page = Args { first, after, last, before }.by_id()?;
        let tenants = resolver::tenant::list(ctx.request(), page).await?;
        Ok(page::connection_with(tenants, TenantTotal, |tenant| (page::cursor(tenant.id.0), tenant.into())))
    }
}

/// What a new tenant is made of.
#[derive(Debug, InputObject)]
pub struct CreateTenantInput {
    /// Letters, digits and `. _ - @`; unique.
    name: String,
}

/// A user and a tenant.
#[derive(Debug, InputObject)]
pub struct TenantMemberInput {
    /// The tenant.
    id: ID,
    /// The user.
    user_id: ID,
}

/// A tenant as it is now.
#[derive(Debug, SimpleObject)]
pub struct TenantPayload {
    /// The tenant.
    tenant: Tenant,
}

impl From<tenant::Model> for TenantPayload {
    fn from(row: tenant::Model) -> Self {
        Self { tenant: row.into() }
    }
}

/// Changes tenants.
#[derive(Debug, Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Makes a tenant.
    async fn create_tenant(&self, ctx: &Context<'_>, input: CreateTenantInput) -> Result<TenantPayload> {
        Ok(resolver::tenant::create(ctx.request(), &input.name).await?.into())
    }

    /// Makes a user a member of a tenant.
    async fn add_tenant_member(&self, ctx: &Context<'_>, input: TenantMemberInput) -> Result<TenantPayload> {
        let (tenant, user) = (key(&input.id)?, user::key(&input.user_id)?);
        Ok(resolver::tenant::add_member(ctx.request(), tenant, user).await?.into())
    }

    /// Ends a user's membership in a tenant.
    async fn remove_tenant_member(&self, ctx: &Context<'_>, input: TenantMemberInput) -> Result<TenantPayload> {
        let (tenant, user) = (key(&input.id)?, user::key(&input.user_id)?);
        Ok(resolver::tenant::remove_member(ctx.request(), tenant, user).await?.into())
    }
}
