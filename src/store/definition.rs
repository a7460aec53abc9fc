//! Definitions and their versions. A version, once kept, never changes.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select, Set,
};
use taskloom_core::principal::Scope;
use taskloom_entity::definition::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{DefinitionId, JsonText, TenantId, Timestamp, definition};

use super::page::{Page, Slice};
use super::row::row;
use super::{Tx, bulk, scope};
use crate::error::Result;

row! {
    /// A version as it is shown. The definition itself may be long: [`super::wide`] has it.
    DefinitionRow of definition {
        /// Its number.
        id: DefinitionId = Id,
        /// Whose.
        tenant_id: TenantId = TenantId,
        /// Its name.
        name: String = Name,
        /// From 1, without gaps.
        version: i32 = Version,
        /// Exactly one version of a name is.
        latest: bool = Latest,
        /// By whom.
        creator: String = Creator,
        /// When.
        created_at: Timestamp = CreatedAt,
    }
}

impl From<Model> for DefinitionRow {
    fn from(kept: Model) -> Self {
        let Model { id, tenant_id, name, version, latest, creator, created_at, spec: _, deleted_at: _ } = kept;
        Self { id, tenant_id, name, version, latest, creator, created_at }
    }
}

/// A version to be kept.
#[derive(Clone, Debug)]
pub struct NewDefinition {
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
pub async fn save(tx: &Tx, new: NewDefinition) -> Result<Model> {
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

/// Those of these versions that are in the scope, in use or not.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    ids: &[DefinitionId],
) -> Result<Vec<DefinitionRow>> {
    let these = bulk::among(conn.get_database_backend(), Column::Id, ids.iter().map(|id| id.0));
    Ok(DefinitionRow::of(Entity::find().filter(these).filter(scope::of_found(scope, Column::TenantId)))
        .all(conn)
        .await?)
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
) -> Result<Slice<DefinitionRow>> {
    page.newest_first(listed(scope, versions_of), Column::Id).rows(conn, DefinitionRow::of).await
}

/// How many such a list has.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope, versions_of: Option<&str>) -> Result<u64> {
    Ok(listed(scope, versions_of).count(conn).await?)
}
