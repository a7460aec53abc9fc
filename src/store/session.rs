//! Sessions, by the digests of their cookies.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use taskloom_entity::session::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{Timestamp, UserId, user};

use super::{Changed, Tx};
use crate::error::Result;

/// Begins a session.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(tx: &Tx, row: Model) -> Result<Model> {
    let row = ActiveModel {
        digest: Set(row.digest),
        user_id: Set(row.user_id),
        created_at: Set(row.created_at),
        seen_at: Set(row.seen_at),
        expires_at: Set(row.expires_at),
        idle_seconds: Set(row.idle_seconds),
    };
    Ok(row.insert(tx).await?)
}

/// The session of this digest, with its user.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl ConnectionTrait, digest: &str) -> Result<Option<(Model, user::Model)>> {
    let Some(session) = Entity::find_by_id(digest).one(db).await? else { return Ok(None) };
    let user = user::Entity::find_by_id(session.user_id).one(db).await?;
    Ok(user.map(|user| (session, user)))
}

/// Notes that the session is in use, so it ends at `expires_at` and not before, unless that was noted since
/// `not_since`.
///
/// # Errors
/// When the database does not answer.
pub async fn touch(tx: &Tx, seen: &Model, not_since: Timestamp) -> Result<Changed> {
    let row = Entity::update_many().col_expr(Column::SeenAt, Expr::value(seen.seen_at.0));
    let row = row.col_expr(Column::ExpiresAt, Expr::value(seen.expires_at.0));
    let old = row.filter(Column::Digest.eq(&seen.digest)).filter(Column::SeenAt.lt(not_since));
    Ok(Changed::of(old.exec(tx).await?.rows_affected))
}

/// Ends a session; `Stale` when it had ended.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, digest: &str) -> Result<Changed> {
    Ok(Changed::of(Entity::delete_by_id(digest).exec(tx).await?.rows_affected))
}

/// Ends every session of a user but the one of `except`.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_of(tx: &Tx, user: UserId, except: Option<&str>) -> Result<u64> {
    let mut rows = Entity::delete_many().filter(Column::UserId.eq(user));
    if let Some(digest) = except {
        rows = rows.filter(Column::Digest.ne(digest));
    }
    Ok(rows.exec(tx).await?.rows_affected)
}
