//! Data sources. Their passwords lie sealed.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, Select, Set,
};
use taskloom_core::principal::Scope;
use taskloom_entity::data_source::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{DataSourceId, DataSourceKind, JsonText, SubtaskId, TenantId, Timestamp};

use super::page::{Page, Slice};
use super::{Tx, is_taken, scope, secret};
use crate::error::{Error, Result, code};
use crate::vault::{Place, Sealed};

/// Where the password of a data source lies.
#[must_use]
pub const fn place(id: DataSourceId) -> Place {
    Place { column: "data_source.sealed", row: id.0 }
}

/// What a data source is made of, its password apart.
#[derive(Clone, Debug)]
pub struct NewDataSourceRow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// Which database.
    pub kind: DataSourceKind,
    /// Where.
    pub host: Option<String>,
    /// There.
    pub port: Option<i32>,
    /// Its name, or its file.
    pub database: String,
    /// Who signs in.
    pub username: Option<String>,
    /// Allowed ones.
    pub options: JsonText,
    /// Which engine it stands for.
    pub engine: Option<String>,
    /// By whom.
    pub creator: String,
}

/// What happens to the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// It stays.
    Keep,
    /// There is none any more.
    Remove,
    /// It is a new one.
    Set,
}

/// The data source of this name as it stays until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_by_name(tx: &Tx, tenant: TenantId, name: &str) -> Result<Option<Model>> {
    let same = Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Name.eq(name));
    Ok(same.lock_exclusive().one(tx).await?)
}

/// Sets a data source up, or changes `known`. `seal` is told where a new password will lie.
///
/// # Errors
/// `NAME_TAKEN` when another one stands for the engine; those of `seal`.
pub async fn put(
    tx: &Tx,
    (new, known): (NewDataSourceRow, Option<Model>),
    password: Password,
    now: Timestamp,
    seal: impl FnOnce(Place) -> Result<Sealed>,
) -> Result<Model> {
    let engine = new.engine.clone().unwrap_or_default();
    let taken = |error: sea_orm::DbErr| match is_taken(&error) {
        true => Error::new(&code::NAME_TAKEN).with("name", &engine),
        false => error.into(),
    };
    let is_new = known.is_none();
    let mut row = known.map_or_else(<ActiveModel as Default>::default, Model::into_active_model);
    if is_new {
        row.tenant_id = Set(new.tenant_id);
        row.name = Set(new.name);
        row.creator = Set(new.creator);
        row.created_at = Set(now);
    }
    row.kind = Set(new.kind);
    row.host = Set(new.host);
    row.port = Set(new.port);
    row.database = Set(new.database);
    row.username = Set(new.username);
    row.options = Set(new.options);
    row.engine = Set(new.engine);
    row.updated_at = Set(now);
    if password != Password::Keep {
        row.sealed = Set(None);
        row.key_id = Set(None);
    }
    let kept = if is_new { row.insert(tx).await } else { row.update(tx).await }.map_err(taken)?;
    if password != Password::Set {
        return Ok(kept);
    }
    let sealed = seal(place(kept.id))?;
    let mut row = kept.into_active_model();
    row.sealed = Set(Some(sealed.bytes));
    row.key_id = Set(Some(sealed.key.to_string()));
    Ok(row.update(tx).await?)
}

/// The data source of this id.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND`, also for one out of scope.
pub async fn get(conn: &impl ConnectionTrait, scope: &Scope, id: DataSourceId) -> Result<Model> {
    of(scope, id).one(conn).await?.ok_or_else(|| not_found(id))
}

/// The same as it stays until the transaction ends.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND`, also for one out of scope.
pub async fn lock(tx: &Tx, scope: &Scope, id: DataSourceId) -> Result<Model> {
    of(scope, id).lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id))
}

fn of(scope: &Scope, id: DataSourceId) -> Select<Entity> {
    Entity::find_by_id(id).filter(scope::condition(scope, Column::TenantId))
}

fn not_found(id: DataSourceId) -> Error {
    Error::new(&code::DATA_SOURCE_NOT_FOUND).with("id", id)
}

/// That of a tenant which stands for this engine.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_engine(conn: &impl ConnectionTrait, tenant: TenantId, engine: &str) -> Result<Option<Model>> {
    let query = Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Engine.eq(engine));
    Ok(query.one(conn).await?)
}

/// That of this name which the tenant of this subtask has; none when `epoch` is not the subtask's any more.
///
/// # Errors
/// When the database does not answer.
pub async fn of_subtask(
    conn: &impl ConnectionTrait,
    (id, epoch): (SubtaskId, i64),
    name: &str,
) -> Result<Option<Model>> {
    let Some(tenant) = secret::tenant_of(conn, id, epoch).await? else { return Ok(None) };
    Ok(Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Name.eq(name)).one(conn).await?)
}

/// Removes a data source.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, id: DataSourceId) -> Result<()> {
    Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// A page of data sources, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(conn: &impl ConnectionTrait, scope: &Scope, page: Page) -> Result<Slice<Model>> {
    page.oldest_first(Entity::find().filter(scope::condition(scope, Column::TenantId)), Column::Id).all(conn).await
}

/// How many there are.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope) -> Result<u64> {
    Ok(Entity::find().filter(scope::condition(scope, Column::TenantId)).count(conn).await?)
}
