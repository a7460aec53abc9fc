//! Tenants in the graph.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{TenantId, UserId, tenant};

use super::change::shows_one;
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::user;
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
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
    created_at: Instant,
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
        Self { key: row.id, database_id: BigInt(row.id.0), name: row.name, created_at: row.created_at.into() }
    }
}

/// The tenant of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<TenantId> {
    id::decode("Tenant", id).map(TenantId)
}

const LIST: OrderedList = OrderedList::by_id("tenants");

/// What a page of tenants says beside its edges.
#[derive(Debug)]
pub struct TenantTotal;

#[Object]
impl TenantTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::tenant::count(ctx.request()).await?.cast_signed()))
    }
}

/// Reads tenants.
#[derive(Debug, Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// One of your tenants.
    async fn tenant(&self, ctx: &Context<'_>, id: Option<ID>, database_id: Option<BigInt>) -> Result<Option<Tenant>> {
        let id = TenantId(id::pick("Tenant", id, database_id)?);
        Ok(Some(resolver::tenant::get(ctx.request(), id).await?.into()))
    }

    /// Your tenants, oldest first; an administrator sees all.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Paged<ListRow<Tenant>, TenantTotal>> {
        let page = LIST.page(&Args { first, after, last, before })?;
        let tenants = resolver::tenant::list(ctx.request(), page).await?;
        Ok(connection_with(tenants, TenantTotal, |tenant| (LIST.cursor(tenant.id.0), ListRow(tenant.into()))))
    }
}

/// What a new tenant is made of.
#[derive(Debug, InputObject)]
pub struct CreateTenantInput {
    /// Letters, digits and `. _ - @`; unique.
    name: String,
}

/// Inputs of a user and a tenant.
macro_rules! names_member {
    ($($(#[$about:meta])* $input:ident)+) => {$(
        $(#[$about])*
        #[derive(Debug, InputObject)]
        pub struct $input {
            /// The tenant's id; or give `databaseId`.
            id: Option<ID>,
            /// The tenant's number; or give `id`.
            database_id: Option<BigInt>,
            /// The user.
            user_id: ID,
        }

        impl $input {
            fn decode(self) -> crate::error::Result<(TenantId, UserId)> {
                let tenant = TenantId(id::pick("Tenant", self.id, self.database_id)?);
                Ok((tenant, user::key(&self.user_id)?))
            }
        }
    )+};
}

names_member! {
    /// Who becomes a member of which tenant.
    AddTenantMemberInput
    /// Who is a member of which tenant no more.
    RemoveTenantMemberInput
}

shows_one! {
    tenant: Tenant, of tenant::Model:
    /// The new tenant.
    CreateTenantPayload
    /// The tenant that has a new member.
    AddTenantMemberPayload
    /// The tenant that has lost a member.
    RemoveTenantMemberPayload
}

/// Changes tenants.
#[derive(Debug, Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Makes a tenant.
    async fn create_tenant(&self, ctx: &Context<'_>, input: CreateTenantInput) -> Result<CreateTenantPayload> {
        Ok(resolver::tenant::create(ctx.request(), &input.name).await?.into())
    }

    /// Makes a user a member of a tenant.
    async fn add_tenant_member(
        &self,
        ctx: &Context<'_>,
        input: AddTenantMemberInput,
    ) -> Result<AddTenantMemberPayload> {
        let (tenant, user) = input.decode()?;
        Ok(resolver::tenant::add_member(ctx.request(), tenant, user).await?.into())
    }

    /// Ends a user's membership in a tenant.
    async fn remove_tenant_member(
        &self,
        ctx: &Context<'_>,
        input: RemoveTenantMemberInput,
    ) -> Result<RemoveTenantMemberPayload> {
        let (tenant, user) = input.decode()?;
        Ok(resolver::tenant::remove_member(ctx.request(), tenant, user).await?.into())
    }
}
