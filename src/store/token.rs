//! API tokens, by their digests.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, Set,
};
use taskloom_entity::token::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{Role, Timestamp, TokenId, UserId, user};

use super::page::{Page, Slice};
use super::{Changed, Tx};
use crate::error::{Error, Result, code};
use crate::vault::{Place, Sealed};

/// What a new token is made of.
#[derive(Clone, Debug)]
pub struct NewTokenRow<'a> {
    /// Whose.
    pub user_id: UserId,
    /// For people.
    pub name: &'a str,
    /// SHA-256 of the token, lower-case hex.
    pub digest: String,
    /// Never more than the user's own when used.
    pub role: Role,
    /// None: until revoked.
    pub expires_at: Option<Timestamp>,
    /// Subscriptions that its user may have open; none: as many as the settings say.
    pub subscriptions: Option<i32>,
}

/// Makes a token.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(tx: &Tx, new: NewTokenRow<'_>, now: Timestamp) -> Result<Model> {
    let row = ActiveModel {
        user_id: Set(new.user_id),
        name: Set(new.name.to_owned()),
        digest: Set(new.digest),
        role: Set(new.role),
        created_at: Set(now),
        expires_at: Set(new.expires_at),
        subscriptions: Set(new.subscriptions),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// Where the secret half of a token's access key lies.
#[must_use]
pub const fn place(id: TokenId) -> Place {
    Place { column: "api_token.sealed", row: id.0 }
}

/// Gives a token an access key.
///
/// # Errors
/// When the database does not answer.
pub async fn give_access_key(tx: &Tx, token: Model, access_key: &str, sealed: Sealed) -> Result<Model> {
    let mut row = token.into_active_model();
    row.access_key = Set(Some(access_key.to_owned()));
    row.sealed = Set(Some(sealed.bytes));
    row.key_id = Set(Some(sealed.key.to_string()));
    Ok(row.update(tx).await?)
}

/// The token with this access key, with its user.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_access_key(db: &impl ConnectionTrait, key: &str) -> Result<Option<(Model, user::Model)>> {
    let Some(token) = Entity::find().filter(Column::AccessKey.eq(key)).one(db).await? else { return Ok(None) };
    let user = user::Entity::find_by_id(token.user_id).one(db).await?;
    Ok(user.map(|user| (token, user)))
}

/// The token of this digest, with its user.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_digest(db: &impl ConnectionTrait, digest: &str) -> Result<Option<(Model, user::Model)>> {
    let Some(token) = Entity::find().filter(Column::Digest.eq(digest)).one(db).await? else { return Ok(None) };
    let user = user::Entity::find_by_id(token.user_id).one(db).await?;
    Ok(user.map(|user| (token, user)))
}

/// The token of this id; only one of `owner`, where that is given.
///
/// # Errors
/// `TOKEN_NOT_FOUND`, also for somebody else's.
pub async fn get(db: &impl ConnectionTrait, owner: Option<UserId>, id: TokenId) -> Result<Model> {
    let mut row = Entity::find_by_id(id);
    if let Some(owner) = owner {
        row = row.filter(Column::UserId.eq(owner));
    }
    row.one(db).await?.ok_or_else(|| Error::new(&code::TOKEN_NOT_FOUND).with("id", id))
}

/// Which tokens a list is of.
#[derive(Clone, Debug, Default)]
pub struct TokenFilter {
    /// Of this user.
    pub owner: Option<UserId>,
    /// Only those that are neither revoked nor expired at this instant.
    pub valid_at: Option<Timestamp>,
}

impl TokenFilter {
    fn condition(&self) -> Condition {
        let valid =
            |now: Timestamp| Column::RevokedAt.is_null().and(Column::ExpiresAt.is_null().or(Column::ExpiresAt.gt(now)));
        Condition::all()
            .add_option(self.owner.map(|owner| Column::UserId.eq(owner)))
            .add_option(self.valid_at.map(valid))
    }
}

/// A page of tokens, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(db: &impl ConnectionTrait, filter: &TokenFilter, page: Page) -> Result<Slice<Model>> {
    page.newest_first(Entity::find().filter(filter.condition()), Column::Id).all(db).await
}

/// How many tokens such a list has.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &impl ConnectionTrait, filter: &TokenFilter) -> Result<u64> {
    Ok(Entity::find().filter(filter.condition()).count(db).await?)
}

/// Ends a token for good; `Stale` when it had been.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(tx: &Tx, id: TokenId, now: Timestamp) -> Result<Changed> {
    let row = Entity::update_many().col_expr(Column::RevokedAt, Expr::value(now.0));
    let done = row.filter(Column::Id.eq(id)).filter(Column::RevokedAt.is_null()).exec(tx).await?;
    Ok(Changed::of(done.rows_affected))
}

/// Notes that the token was used, unless it was noted since `not_since`.
///
/// # Errors
/// When the database does not answer.
pub async fn touch(tx: &Tx, id: TokenId, now: Timestamp, not_since: Timestamp) -> Result<Changed> {
    let old = Column::LastUsedAt.is_null().or(Column::LastUsedAt.lt(not_since));
    let row = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(now.0));
    let done = row.filter(Column::Id.eq(id)).filter(old).exec(tx).await?;
    Ok(Changed::of(done.rows_affected))
}
