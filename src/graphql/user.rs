//! Users in the graph.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{self as entity, TenantId, UserId, user};

use super::change::{names_one, shows_one};
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::loader::TenantsOf;
use super::tenant::Tenant;
use crate::gql::id;
use crate::gql::many::{Many, Paged};
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::resolver::user::{NewUser, UserFilter};

/// How much somebody may do; each role implies those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "taskloom_entity::Role")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Submits and steers tasks.
    Manager,
    /// Users, tokens, every tenant.
    Admin,
}

/// Somebody who signs in.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct User {
    #[graphql(skip)]
    key: UserId,
    /// The number behind it.
    database_id: BigInt,
    /// Unique.
    name: String,
    /// How much it may do.
    role: Role,
    /// A disabled user cannot sign in by any means.
    disabled: bool,
    /// When it was made.
    created_at: Instant,
}

#[ComplexObject]
impl User {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("User", self.key)
    }

    /// The tenants it belongs to, by name; of these, those that you may see.
    async fn tenants(&self, ctx: &Context<'_>) -> Result<Many<Tenant>> {
        ctx.request().reads(entity::Role::Viewer, "user.read")?;
        let tenants = ctx.loaders().one(TenantsOf(self.key)).await?.unwrap_or_default();
        Ok(tenants.into_iter().map(Tenant::from).collect())
    }
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> Self {
        Self {
            key: row.id,
            database_id: BigInt(row.id.0),
            name: row.name,
            role: row.role.into(),
            disabled: row.disabled,
            created_at: row.created_at.into(),
        }
    }
}

/// The user of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<UserId> {
    id::decode("User", id).map(UserId)
}

/// Which users.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "UserFilter")]
pub struct UserFilterInput {
    /// The name contains this, in any case of its letters.
    name: Option<String>,
    /// With this role.
    role: Option<Role>,
    /// Disabled ones, or the others.
    disabled: Option<bool>,
    /// Members of this tenant.
    tenant_id: Option<ID>,
}

impl UserFilterInput {
    fn decode(self) -> crate::error::Result<UserFilter> {
        let tenant = self.tenant_id.as_ref().map(super::tenant::key).transpose()?;
        Ok(UserFilter { name: self.name, role: self.role.map(Into::into), disabled: self.disabled, tenant })
    }
}

const LIST: OrderedList = OrderedList::by_id("users");

/// What a page of users says beside its edges.
#[derive(Debug)]
pub struct UserTotal(UserFilter);

#[Object]
impl UserTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::user::count(ctx.request(), &self.0).await?.cast_signed()))
    }
}

/// Reads users.
#[derive(Debug, Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// Who you are; null when nobody signed in.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(resolver::session::me(ctx.request()).await?.map(User::from))
    }

    /// A user who shares a tenant with you.
    async fn user(&self, ctx: &Context<'_>, id: Option<ID>, database_id: Option<BigInt>) -> Result<Option<User>> {
        let id = UserId(id::pick("User", id, database_id)?);
        Ok(Some(resolver::user::get(ctx.request(), id).await?.into()))
    }

    /// The users who share a tenant with you, oldest first; an administrator sees all.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<UserFilterInput>,
    ) -> Result<Paged<ListRow<User>, UserTotal>> {
        let filter = filter.unwrap_or_default().decode()?;
        let page = LIST.page(&Args { first, after, last, before })?;
        let users = resolver::user::list(ctx.request(), &filter, page).await?;
        Ok(connection_with(users, UserTotal(filter), |user| (LIST.cursor(user.id.0), ListRow(user.into()))))
    }
}

/// What a new user is made of.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// Letters, digits and `. _ - @`; unique.
    name: String,
    /// At least 8 characters; without one, the user signs in by tokens only.
    password: Option<String>,
    /// How much it may do.
    role: Role,
    /// The tenants it belongs to; not given: yours.
    tenant_ids: Option<Vec<ID>>,
}

names_one! {
    "User" as UserId:
    /// Which user nothing signs in any more.
    DisableUserInput
    /// Which user may sign in again.
    EnableUserInput
    /// Which user is removed.
    DeleteUserInput
}

/// A user's new password.
#[derive(InputObject)]
pub struct SetUserPasswordInput {
    /// Whose: its id; or give `databaseId`.
    id: Option<ID>,
    /// Its number; or give `id`.
    database_id: Option<BigInt>,
    /// At least 8 characters.
    password: String,
    /// The present one; needed for your own.
    current_password: Option<String>,
}

/// A user's new role.
#[derive(Debug, InputObject)]
pub struct SetUserRoleInput {
    /// Whose: its id; or give `databaseId`.
    id: Option<ID>,
    /// Its number; or give `id`.
    database_id: Option<BigInt>,
    /// How much it may do from now on.
    role: Role,
}

shows_one! {
    user: User, of user::Model:
    /// The new user.
    CreateUserPayload
    /// The user with the new password.
    SetUserPasswordPayload
    /// The user with the new role.
    SetUserRolePayload
    /// The user that is disabled.
    DisableUserPayload
    /// The user that is enabled.
    EnableUserPayload
    /// The user that was removed.
    DeleteUserPayload
}

/// Changes users.
#[derive(Debug, Default)]
pub struct UserMutation;

#[Object]
impl UserMutation {
    /// Makes a user.
    async fn create_user(&self, ctx: &Context<'_>, input: CreateUserInput) -> Result<CreateUserPayload> {
        let tenants = input.tenant_ids.map(|ids| ids.iter().map(super::tenant::key).collect());
        let tenants: Option<Vec<TenantId>> = tenants.transpose()?;
        let new = NewUser { name: input.name, password: input.password, role: input.role.into(), tenants };
        Ok(resolver::user::create(ctx.request(), new).await?.into())
    }

    /// Changes a password and ends the user's other sessions. API tokens stay valid.
    async fn set_user_password(
        &self,
        ctx: &Context<'_>,
        input: SetUserPasswordInput,
    ) -> Result<SetUserPasswordPayload> {
        let (request, id) = (ctx.request(), UserId(id::pick("User", input.id, input.database_id)?));
        let current = input.current_password.as_deref();
        Ok(resolver::user::set_password(request, id, current, &input.password).await?.into())
    }

    /// Changes a role.
    async fn set_user_role(&self, ctx: &Context<'_>, input: SetUserRoleInput) -> Result<SetUserRolePayload> {
        let id = UserId(id::pick("User", input.id, input.database_id)?);
        Ok(resolver::user::set_role(ctx.request(), id, input.role.into()).await?.into())
    }

    /// Disables a user: nothing signs it in any more, and its sessions end.
    async fn disable_user(&self, ctx: &Context<'_>, input: DisableUserInput) -> Result<DisableUserPayload> {
        Ok(resolver::user::disable(ctx.request(), input.decode()?).await?.into())
    }

    /// Enables a user again.
    async fn enable_user(&self, ctx: &Context<'_>, input: EnableUserInput) -> Result<EnableUserPayload> {
        Ok(resolver::user::enable(ctx.request(), input.decode()?).await?.into())
    }

    /// Deletes a user with its tokens and sessions, and shows what it was.
    async fn delete_user(&self, ctx: &Context<'_>, input: DeleteUserInput) -> Result<DeleteUserPayload> {
        Ok(resolver::user::delete(ctx.request(), input.decode()?).await?.into())
    }
}
