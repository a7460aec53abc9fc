//! vCenters, as people set them. Their passwords lie sealed.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, Select, Set,
};
use taskloom_core::principal::Scope;
use taskloom_entity::vcenter::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{
    CollectionState, SubtaskId, TenantId, Timestamp, VcenterId, VcenterTrust, vcenter_collection, vsphere_task,
};

use super::page::{Page, Slice};
use super::removal::{self, RemovalRest};
use super::{Tx, bulk, is_taken, scope, secret, vsphere};
use crate::error::{Error, Result, code};
use crate::vault::{Place, Sealed};

/// Where the password of a vCenter lies.
#[must_use]
pub const fn place(id: VcenterId) -> Place {
    Place { column: "vcenter.sealed", row: id.0 }
}

/// What a vCenter is made of, its password apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVcenterRow {
    /// Whose.
    pub tenant_id: TenantId,
    /// Its name.
    pub name: String,
    /// As old clients name it.
    pub uuid: String,
    /// Where it answers.
    pub address: String,
    /// Who signs in.
    pub username: String,
    /// By what its certificate is trusted.
    pub trust: VcenterTrust,
    /// The certificates or the thumbprint.
    pub trusted: Option<String>,
    /// Whether its tasks are collected.
    pub collect: bool,
    /// For how many days.
    pub keep_days: Option<i32>,
}

/// Those that have not been deleted, whatever is still kept of the others.
fn there() -> Select<Entity> {
    Entity::find().filter(removal::is_there(Column::Id))
}

fn named(tenant: TenantId, name: &str) -> Select<Entity> {
    there().filter(Column::TenantId.eq(tenant)).filter(Column::Name.eq(name))
}

/// The vCenter of this name.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_name(conn: &impl ConnectionTrait, tenant: TenantId, name: &str) -> Result<Option<Model>> {
    Ok(named(tenant, name).one(conn).await?)
}

/// The vCenter of this name as it stays until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_by_name(tx: &Tx, tenant: TenantId, name: &str) -> Result<Option<Model>> {
    Ok(named(tenant, name).lock_exclusive().one(tx).await?)
}

async fn lock(tx: &Tx, scope: &Scope, id: VcenterId) -> Result<Model> {
    let in_scope = there().filter(Column::Id.eq(id)).filter(scope::condition(scope, Column::TenantId));
    in_scope.lock_exclusive().one(tx).await?.ok_or_else(|| not_found(id))
}

fn not_found(id: impl std::fmt::Display) -> Error {
    Error::new(&code::VCENTER_NOT_FOUND).with("vcenter", id)
}

/// Registers a vCenter, or changes `known`. `seal` is told where a new password will lie; without one it stays.
///
/// # Errors
/// `NAME_TAKEN` when another one has the uuid; those of `seal`.
pub async fn put(
    tx: &Tx,
    (new, known): (NewVcenterRow, Option<Model>),
    (creator, now): (String, Timestamp),
    seal: Option<impl FnOnce(Place) -> Result<Sealed>>,
) -> Result<Model> {
    let uuid = new.uuid.clone();
    let taken = |error: sea_orm::DbErr| match is_taken(&error) {
        true => Error::new(&code::NAME_TAKEN).with("name", &uuid),
        false => error.into(),
    };
    let revision = known.as_ref().map_or(0, |known| known.revision) + 1;
    let is_new = known.is_none();
    let mut row = known.map_or_else(<ActiveModel as Default>::default, Model::into_active_model);
    if is_new {
        row.tenant_id = Set(new.tenant_id);
        row.name = Set(new.name);
        row.creator = Set(creator);
        row.created_at = Set(now);
    }
    row.uuid = Set(new.uuid);
    row.address = Set(new.address);
    row.username = Set(new.username);
    row.trust = Set(new.trust);
    row.trusted = Set(new.trusted);
    row.collect = Set(new.collect);
    row.keep_days = Set(new.keep_days);
    row.revision = Set(revision);
    row.updated_at = Set(now);
    let kept = if is_new { row.insert(tx).await } else { row.update(tx).await }.map_err(taken)?;
    if is_new {
        let collection = vcenter_collection::ActiveModel {
            vcenter_id: Set(kept.id),
            state: Set(CollectionState::Waiting),
            since: Set(now),
            epoch: Set(0),
            until: Set(now),
            ..Default::default()
        };
        vcenter_collection::Entity::insert(collection).exec_without_returning(tx).await?;
    }
    let Some(seal) = seal else { return Ok(kept) };
    let sealed = seal(place(kept.id))?;
    let mut row = kept.into_active_model();
    row.sealed = Set(Some(sealed.bytes));
    row.key_id = Set(Some(sealed.key.to_string()));
    Ok(row.update(tx).await?)
}

/// The vCenter of this id.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, also for one out of scope.
pub async fn get(conn: &impl ConnectionTrait, scope: &Scope, id: VcenterId) -> Result<Model> {
    let in_scope = there().filter(Column::Id.eq(id)).filter(scope::condition(scope, Column::TenantId));
    in_scope.one(conn).await?.ok_or_else(|| not_found(id))
}

/// The vCenter that old clients name so.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, also for one out of scope.
pub async fn get_by_uuid(conn: &impl ConnectionTrait, scope: &Scope, uuid: &str) -> Result<Model> {
    let in_scope = there().filter(Column::Uuid.eq(uuid)).filter(scope::condition(scope, Column::TenantId));
    in_scope.one(conn).await?.ok_or_else(|| not_found(uuid))
}

/// The vCenter that has this uuid, whosever it is: no two may have the same.
///
/// # Errors
/// When the database does not answer.
pub async fn find_by_uuid(conn: &impl ConnectionTrait, uuid: &str) -> Result<Option<Model>> {
    Ok(there().filter(Column::Uuid.eq(uuid)).one(conn).await?)
}

/// The vCenter of this name, of the tenant of a subtask; none under an epoch that is over.
///
/// # Errors
/// When the database does not answer.
pub async fn of_subtask(
    conn: &impl ConnectionTrait,
    (id, epoch): (SubtaskId, i64),
    name: &str,
) -> Result<Option<Model>> {
    let Some(tenant) = secret::tenant_of(conn, id, epoch).await? else { return Ok(None) };
    find_by_name(conn, tenant, name).await
}

/// Those of these vCenters that are in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, scope: &Scope, ids: &[VcenterId]) -> Result<Vec<Model>> {
    let these = bulk::among(conn.get_database_backend(), Column::Id, ids.iter().map(|id| id.0));
    Ok(there().filter(these).filter(scope::of_found(scope, Column::TenantId)).all(conn).await?)
}

/// The vCenters whose tasks are not kept for good, and for how many days they are.
///
/// # Errors
/// When the database does not answer.
pub async fn list_limited(conn: &impl ConnectionTrait) -> Result<Vec<(VcenterId, u32)>> {
    let limited = there().filter(Column::KeepDays.is_not_null()).all(conn).await?;
    Ok(limited.into_iter().filter_map(|row| Some((row.id, u32::try_from(row.keep_days?).ok()?))).collect())
}

/// A page of vCenters, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(conn: &impl ConnectionTrait, scope: &Scope, page: Page) -> Result<Slice<Model>> {
    page.oldest_first(there().filter(scope::condition(scope, Column::TenantId)), Column::Id).all(conn).await
}

/// How many there are.
///
/// # Errors
/// When the database does not answer.
pub async fn count(conn: &impl ConnectionTrait, scope: &Scope) -> Result<u64> {
    Ok(there().filter(scope::condition(scope, Column::TenantId)).count(conn).await?)
}

/// Whether anything of its history is kept.
///
/// # Errors
/// When the database does not answer.
pub async fn has_tasks(conn: &impl ConnectionTrait, id: VcenterId) -> Result<bool> {
    let one = vsphere_task::Entity::find().filter(vsphere_task::Column::VcenterId.eq(id));
    Ok(one.one(conn).await?.is_some())
}

/// Deletes a vCenter, and gives back what it was: from the commit on it is gone for everybody, its password for good,
/// and its name and uuid are free. What is kept of it is removed in bites.
///
/// # Errors
/// `VCENTER_NOT_FOUND`, also for one out of scope.
pub async fn delete(tx: &Tx, scope: &Scope, id: VcenterId) -> Result<Model> {
    get(tx, scope, id).await?;
    // In the order in which a collector locks: the collection, then what belongs to the vCenter.
    vsphere::collection::revoke(tx, id).await?;
    let kept = lock(tx, scope, id).await?;
    // Nobody can have taken it.
    let gone = uuid::Uuid::now_v7().to_string();
    let mut row = kept.clone().into_active_model();
    row.name = Set(gone.clone());
    row.uuid = Set(gone);
    row.collect = Set(false);
    row.sealed = Set(None);
    row.key_id = Set(None);
    row.keep_days = Set(None);
    row.revision = Set(kept.revision + 1);
    row.update(tx).await?;
    removal::note(tx, RemovalRest::Vcenter(id)).await?;
    Ok(kept)
}
