//! Definitions and their versions. A version, once kept, never changes.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select, Set,
};
use taskloom_entity::definition::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{DefinitionId, JsonText, TenantId, Timestamp};

use super::page::{Page, Slice};
use super::{Tx, scope};
use crate::auth::Scope;
use crate::error::Result;

/// A version to be kept.
#[derive(Clone, Debug)]
pub struct New {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// Its canonical form.
    pub spec: JsonText,
    /// By whom.
    pub creator: String,
    /// When.
    pub now: Timestamp,
}

/// Keeps a version; an unchanged one is the one that is there.
///
/// # Errors
/// When the database does not answer.
pub async fn save(tx: &Tx, new: New) -> Result<Model> {
    let same_name =
        || Entity::find().filter(Column::TenantId.eq(new.tenant_id)).filter(Column::Name.eq(new.name.as_str()));
    let newest = same_name().order_by_desc(Column::Version).one(tx).await?;
    if let Some(kept) = &newest
        && kept.deleted_at.is_none()
        && kept.spec == new.spec
    {
        return Ok(kept.clone());
    }
    Entity::update_many()
        .col_expr(Column::Latest, false.into())
        .filter(Column::TenantId.eq(new.tenant_id))
        .filter(Column::Name.eq(new.name.as_str()))
        .exec(tx)
        .await?;
    let row = ActiveModel {
        tenant_id: Set(new.tenant_id),
        version: Set(newest.map_or(1, |kept| kept.version + 1)),
        latest: Set(true),
        name: Set(new.name),
        spec: Set(new.spec),
        creator: Set(new.creator),
        created_at: Set(new.now),
        ..Default::default()
    };
    Ok(row.insert(tx).await?)
}

/// Takes every version of this one's name out of use.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, kept: &Model, now: Timestamp) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::DeletedAt, now.0.into())
        .filter(Column::TenantId.eq(kept.tenant_id))
        .filter(Column::Name.eq(kept.name.as_str()))
        .filter(Column::DeletedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

fn visible(scope: &Scope) -> Select<Entity> {
    Entity::find().filter(scope::condition(scope, Column::TenantId)).filter(Column::DeletedAt.is_null())
}

/// One version.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, scope: &Scope, id: DefinitionId) -> Result<Option<Model>> {
    Ok(visible(scope).filter(Column::Id.eq(id)).one(conn).await?)
}

/// One version of a name, the newest when none is given.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_name(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &str,
    version: Option<i32>,
) -> Result<Option<Model>> {
    let query = visible(scope).filter(Column::Name.eq(name));
    let query = match version {
        Some(version) => query.filter(Column::Version.eq(version)),
        None => query.filter(Column::Latest.eq(true)),
    };
    Ok(query.one(conn).await?)
}

/// Versions by id, whoever asks: for readers that have checked the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, ids: &[DefinitionId]) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(conn).await?)
}

fn listed(scope: &Scope, versions_of: Option<&str>) -> Select<Entity> {
    match versions_of {
        Some(name) => visible(scope).filter(Column::Name.eq(name)),
        None => visible(scope).filter(Column::Latest.eq(true)),
    }
}

/// A page of the newest versions, or of one name's versions; the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    versions_of: Option<&str>,
    page: Page,
) -> Result<Slice<Model>> {
    page.newest_first(listed(scope, versions_of), Column::Id).all(conn).await
}

/// How many such a list has.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, versions_of: Option<&str>) -> Result<u64> {
    Ok(listed(scope, versions_of).count(conn).await?)
}
