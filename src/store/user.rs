//! Users.

use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Set,
};
use taskloom_core::principal::Scope;
use taskloom_entity::user::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{Role, TenantId, Timestamp, UserId};

use super::page::{self, Page, Slice};
use super::{Changed, Tx, bulk, is_taken, tenant};
use crate::error::{Error, Result, code};
use crate::text;

/// What a new user is made of.
#[derive(Clone, Debug)]
pub struct NewUserRow<'a> {
    /// Unique.
    pub name: &'a str,
    /// In PHC form; none: cannot sign in by password.
    pub password_hash: Option<String>,
    /// How much it may do.
    pub role: Role,
}

/// Makes a user.
///
/// # Errors
/// `NAME_TAKEN`.
pub async fn insert(tx: &Tx, new: NewUserRow<'_>, now: Timestamp) -> Result<Model> {
    let row = ActiveModel {
        name: Set(new.name.to_owned()),
        password_hash: Set(new.password_hash),
        role: Set(new.role),
        disabled: Set(false),
        created_at: Set(now),
        name_folded: Set(Some(text::folded(new.name))),
        ..Default::default()
    };
    row.insert(tx).await.map_err(|error| match is_taken(&error) {
        true => Error::new(&code::NAME_TAKEN).with("name", new.name),
        false => error.into(),
    })
}

/// Whether there is any user at all.
///
/// # Errors
/// When the database does not answer.
pub async fn exists(db: &impl ConnectionTrait) -> Result<bool> {
    Ok(Entity::find().limit(1).count(db).await? > 0)
}

/// The user of this id whom `scope` covers.
///
/// # Errors
/// `USER_NOT_FOUND`, also for one out of scope.
pub async fn get(db: &impl ConnectionTrait, scope: &Scope, id: UserId) -> Result<Model> {
    let found = Entity::find_by_id(id).filter(visible(scope)).one(db).await?;
    found.ok_or_else(|| Error::new(&code::USER_NOT_FOUND).with("id", id))
}

/// The user of this id, who stays as it is until the transaction ends.
///
/// # Errors
/// `USER_NOT_FOUND`.
pub async fn hold(tx: &Tx, id: UserId) -> Result<Model> {
    let held = Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    held.ok_or_else(|| Error::new(&code::USER_NOT_FOUND).with("id", id))
}

/// The user of this name, whoever asks.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_name(db: &impl ConnectionTrait, name: &str) -> Result<Option<Model>> {
    // A stranger may say anything; what no name can hold is nobody's.
    if !text::is_storable(name) {
        return Ok(None);
    }
    Ok(Entity::find().filter(Column::Name.eq(name)).one(db).await?)
}

/// Those of these ids whom `scope` covers.
///
/// # Errors
/// When the database does not answer.
pub async fn many(db: &impl ConnectionTrait, scope: &Scope, ids: &[UserId]) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(bulk::among(db.get_database_backend(), Column::Id, ids.iter().map(|id| id.0)))
        .filter(visible(scope));
    Ok(rows.all(db).await?)
}

/// Which users a list is of.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// With this role.
    pub role: Option<Role>,
    /// Disabled ones, or the others.
    pub disabled: Option<bool>,
    /// Members of this tenant.
    pub tenant: Option<TenantId>,
}

impl UserFilter {
    fn condition(&self, scope: &Scope) -> Condition {
        let part = self.name.as_ref().map(|part| page::contains_folded((Column::NameFolded, Column::Name), part));
        let members = self.tenant.map(|id| Column::Id.in_subquery(tenant::members(&[id])));
        visible(scope)
            .add_option(part)
            .add_option(members)
            .add_option(self.role.map(|role| Column::Role.eq(role)))
            .add_option(self.disabled.map(|disabled| Column::Disabled.eq(disabled)))
    }
}

/// A page of the users whom `scope` covers, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &impl ConnectionTrait, scope: &Scope, filter: &UserFilter, page: Page) -> Result<Slice<Model>> {
    page.oldest_first(Entity::find().filter(filter.condition(scope)), Column::Id).all(db).await
}

/// How many users such a list has.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &impl ConnectionTrait, scope: &Scope, filter: &UserFilter) -> Result<u64> {
    Ok(Entity::find().filter(filter.condition(scope)).count(db).await?)
}

/// The administrators who are not disabled, locked until the transaction ends: two of them who demote each other at
/// the same time take turns, and the second finds itself the last.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_admins(tx: &Tx) -> Result<Vec<UserId>> {
    let rows = Entity::find().filter(Column::Role.eq(Role::Admin)).filter(Column::Disabled.eq(false));
    let rows = rows.order_by_asc(Column::Id).lock(LockType::Update).all(tx).await?;
    Ok(rows.into_iter().map(|user| user.id).collect())
}

/// Changes the password.
///
/// # Errors
/// When the database does not answer.
pub async fn set_password(tx: &Tx, id: UserId, hash: &str) -> Result<Changed> {
    update(tx, id, Column::PasswordHash, Expr::value(hash)).await
}

/// Changes the role.
///
/// # Errors
/// When the database does not answer.
pub async fn set_role(tx: &Tx, id: UserId, role: Role) -> Result<Changed> {
    update(tx, id, Column::Role, Expr::value(role)).await
}

/// Disables or enables.
///
/// # Errors
/// When the database does not answer.
pub async fn set_disabled(tx: &Tx, id: UserId, disabled: bool) -> Result<Changed> {
    update(tx, id, Column::Disabled, Expr::value(disabled)).await
}

/// Deletes a user with its tokens, sessions and memberships; what it did stays in the audit log under its name.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, id: UserId) -> Result<Changed> {
    Ok(Changed::of(Entity::delete_by_id(id).exec(tx).await?.rows_affected))
}

async fn update(tx: &Tx, id: UserId, column: Column, value: Expr) -> Result<Changed> {
    let done = Entity::update_many().col_expr(column, value).filter(Column::Id.eq(id)).exec(tx).await?;
    Ok(Changed::of(done.rows_affected))
}

/// The condition that holds for the users `scope` covers: those who share a tenant with it.
pub fn visible(scope: &Scope) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Tenants(ids) => Condition::all().add(Column::Id.in_subquery(tenant::members(ids))),
    }
}
