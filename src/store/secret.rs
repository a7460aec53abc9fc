//! Secrets, as they lie sealed.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, Select, Set,
};
use taskloom_core::principal::Scope;
use taskloom_entity::secret::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{SecretId, SubtaskId, TenantId, Timestamp, subtask, task};

use super::page::{Page, Slice};
use super::{Tx, bulk, scope};
use crate::error::{Error, Result, code};
use crate::vault::{Place, Sealed};

/// Where the value of a secret lies.
#[must_use]
pub const fn place(id: SecretId) -> Place {
    Place { column: "secret.sealed", row: id.0 }
}

/// Whose secret a value becomes.
#[derive(Clone, Debug)]
pub struct NewSecret<'a> {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: &'a str,
    /// By whom.
    pub creator: String,
}

/// Gives a secret its value, and makes it when there is none of this name. `seal` is told where the value will lie. The
/// tenant is locked.
///
/// # Errors
/// Those of `seal`; when the database does not answer.
pub async fn put(
    tx: &Tx,
    new: NewSecret<'_>,
    now: Timestamp,
    seal: impl FnOnce(Place) -> Result<Sealed>,
) -> Result<Model> {
    let same = Entity::find().filter(Column::TenantId.eq(new.tenant_id)).filter(Column::Name.eq(new.name));
    let row = match same.one(tx).await? {
        Some(row) => row,
        None => {
            let row = ActiveModel {
                tenant_id: Set(new.tenant_id),
                name: Set(new.name.to_owned()),
                sealed: Set(vec![]),
                key_id: Set(String::new()),
                creator: Set(new.creator),
                created_at: Set(now),
                updated_at: Set(now),
                ..Default::default()
            };
            row.insert(tx).await?
        }
    };
    let sealed = seal(place(row.id))?;
    let mut row = row.into_active_model();
    row.sealed = Set(sealed.bytes);
    row.key_id = Set(sealed.key.to_string());
    row.updated_at = Set(now);
    Ok(row.update(tx).await?)
}

/// The secret of this id.
///
/// # Errors
/// `SECRET_NOT_FOUND`, also for one out of scope.
pub async fn get(conn: &impl ConnectionTrait, scope: &Scope, id: SecretId) -> Result<Model> {
    of(scope, id).one(conn).await?.ok_or_else(|| not_found(id))
}

/// The same as it stays until the transaction ends.
///
/// # Errors
/// `SECRET_NOT_FOUND`, also for one out of scope.
pub async fn lock(tx: &Tx, scope: &Scope, id: SecretId) -> Result<Model> {
    of(scope, id).lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id))
}

fn of(scope: &Scope, id: SecretId) -> Select<Entity> {
    Entity::find_by_id(id).filter(scope::condition(scope, Column::TenantId))
}

fn not_found(id: SecretId) -> Error {
    Error::new(&code::SECRET_NOT_FOUND).with("id", id)
}

/// Removes a secret.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(tx: &Tx, id: SecretId) -> Result<()> {
    Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}

/// A page of secrets, oldest first.
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

/// Those of these names that the tenant of this subtask has; none at all when `epoch` is not the subtask's any more.
///
/// # Errors
/// When the database does not answer.
pub async fn of_subtask(
    conn: &impl ConnectionTrait,
    (id, epoch): (SubtaskId, i64),
    names: &[String],
) -> Result<Vec<Model>> {
    let Some(tenant) = tenant_of(conn, id, epoch).await? else { return Ok(vec![]) };
    let names = bulk::among_texts(conn.get_database_backend(), Column::Name, names.iter().cloned());
    Ok(Entity::find().filter(Column::TenantId.eq(tenant)).filter(names).all(conn).await?)
}

/// Whose an attempt's subtask is; none when the attempt is fenced off.
pub(super) async fn tenant_of(conn: &impl ConnectionTrait, id: SubtaskId, epoch: i64) -> Result<Option<TenantId>> {
    let Some(subtask) = subtask::Entity::find_by_id(id).filter(subtask::Column::Epoch.eq(epoch)).one(conn).await?
    else {
        return Ok(None);
    };
    Ok(task::Entity::find_by_id(subtask.task_id).one(conn).await?.map(|task| task.tenant_id))
}
