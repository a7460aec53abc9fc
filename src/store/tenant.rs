//! Tenants and who belongs to them.

use std::collections::HashMap;

use sea_orm::sea_query::{LockType, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set, TryInsertResult,
};
use taskloom_core::principal::Scope;
use taskloom_entity::tenant::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{TenantId, Timestamp, UserId, user_tenant};

use super::page::{Page, Slice};
use super::{Changed, Tx, bulk, is_taken, scope};
use crate::error::{Error, Result, code};

/// Makes a tenant.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, name: &str, now: Timestamp) -> Result<Model> {
    let row = ActiveModel { name: Set(name.to_owned()), created_at: Set(now), ..Default::default() };
    row.insert(tx).await.map_err(|error| match is_taken(&error) {
        true => Error::new(&code::NAME_TAKEN).with("name", name),
        false => error.into(),
    })
}

/// The tenant of this id that `scope` covers.
///
/// # Errors
/// `TENANT_NOT_FOUND`, also for one out of scope.
pub async fn get(db: &impl ConnectionTrait, scope: &Scope, id: TenantId) -> Result<Model> {
    let found = Entity::find_by_id(id).filter(scope::condition(scope, Column::Id)).one(db).await?;
    found.ok_or_else(|| Error::new(&code::TENANT_NOT_FOUND).with("id", id))
}

/// Holds a tenant until the transaction ends: whoever decides by what it has under a name takes turns with others who
/// do. What only belongs to it is made meanwhile.
///
/// # Errors
/// `TENANT_NOT_FOUND`.
pub async fn lock(tx: &Tx, id: TenantId) -> Result<()> {
    let held = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    held.map(drop).ok_or_else(|| Error::new(&code::TENANT_NOT_FOUND).with("id", id))
}

/// The tenant of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>> {
    Ok(Entity::find().filter(Column::Name.eq(name)).one(db).await?)
}

/// Those of these ids that `scope` covers.
///
/// # Errors
/// When the database does not answer.
pub async fn many(db: &impl ConnectionTrait, scope: &Scope, ids: &[TenantId]) -> Result<Vec<Model>> {
    let these = bulk::among(db.get_database_backend(), Column::Id, ids.iter().map(|id| id.0));
    Ok(Entity::find().filter(these).filter(scope::condition(scope, Column::Id)).all(db).await?)
}

/// A page of the tenants that `scope` covers, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &impl ConnectionTrait, scope: &Scope, page: Page) -> Result<Slice<Model>> {
    page.oldest_first(Entity::find().filter(scope::condition(scope, Column::Id)), Column::Id).all(db).await
}

/// How many tenants `scope` covers.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &impl ConnectionTrait, scope: &Scope) -> Result<u64> {
    Ok(Entity::find().filter(scope::condition(scope, Column::Id)).count(db).await?)
}

/// The ids of the tenants a user belongs to, ascending.
///
/// # Errors
/// When the database does not answer.
pub async fn of_user(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<TenantId>> {
    let rows = user_tenant::Entity::find().filter(user_tenant::Column::UserId.eq(user));
    let rows = rows.order_by_asc(user_tenant::Column::TenantId).all(db).await?;
    Ok(rows.into_iter().map(|row| row.tenant_id).collect())
}

/// The tenants of each of these users that `scope` covers, by name.
///
/// # Errors
/// When the database does not answer.
pub async fn of_users(
    db: &impl ConnectionTrait,
    scope: &Scope,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<Model>>> {
    let of_them = bulk::among(db.get_database_backend(), user_tenant::Column::UserId, users.iter().map(|id| id.0));
    let members = user_tenant::Entity::find().filter(of_them).all(db).await?;
    let mut ids: Vec<TenantId> = members.iter().map(|member| member.tenant_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut tenants = many(db, scope, &ids).await?;
    tenants.sort_by(|a, b| a.name.cmp(&b.name));
    let of = |user: UserId| {
        let is_member = |tenant: &&Model| members.iter().any(|m| m.user_id == user && m.tenant_id == tenant.id);
        (user, tenants.iter().filter(is_member).cloned().collect())
    };
    Ok(users.iter().copied().map(of).collect())
}

/// Makes a user a member; `Stale` when it is one already.
///
/// # Errors
/// When the database does not answer.
pub async fn add(tx: &Tx, tenant: TenantId, user: UserId) -> Result<Changed> {
    let row = user_tenant::ActiveModel { user_id: Set(user), tenant_id: Set(tenant) };
    let insert = user_tenant::Entity::insert(row).on_conflict_do_nothing();
    match insert.exec_without_returning(tx).await? {
        TryInsertResult::Inserted(rows) => Ok(Changed::of(rows)),
        TryInsertResult::Conflicted | TryInsertResult::Empty => Ok(Changed::Stale),
    }
}

/// Ends a membership; `Stale` when there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn remove(tx: &Tx, tenant: TenantId, user: UserId) -> Result<Changed> {
    let gone = user_tenant::Entity::delete_by_id((user, tenant)).exec(tx).await?;
    Ok(Changed::of(gone.rows_affected))
}

/// The ids of the users who belong to one of the tenants of a scope.
pub(super) fn members(tenants: &[TenantId]) -> SelectStatement {
    let rows = user_tenant::Entity::find().select_only().column(user_tenant::Column::UserId);
    rows.filter(user_tenant::Column::TenantId.is_in(tenants.iter().copied())).into_query()
}
