//! How the collection of each vCenter stands: what its collector knows and says, beside what every collection has
//! ([`crate::store::collection`]).

use std::time::Duration;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, Select, Set, Statement};
use taskloom_core::principal::Scope;
use taskloom_entity::vcenter_collection::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{
    CollectionState, JsonText, TenantId, Timestamp, VcenterId, VsphereInstanceId, vcenter, vsphere_instance,
};

use super::super::collection::{self, CollectionTable, LeaseAsRead, LeaseHolder};
use super::super::{Changed, Tx, scope};
use crate::error::Result;
use crate::lease::Sign;

impl CollectionTable for Entity {
    const SYSTEM: Column = Column::VcenterId;
    const OWNER: Column = Column::Owner;
    const EPOCH: Column = Column::Epoch;
    const RENEWALS: Column = Column::Renewals;
    const UNTIL: Column = Column::Until;
    const STATE: Column = Column::State;
    const SINCE: Column = Column::Since;
}

/// The right to collect, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Of what.
    pub vcenter_id: VcenterId,
    /// Whose rows it makes.
    pub tenant_id: TenantId,
    /// Who holds it.
    pub owner: String,
    /// Which of all leases on it.
    pub epoch: i64,
    /// The settings that it was taken with.
    pub revision: i64,
}

impl Lease {
    fn holder(&self) -> LeaseHolder<'_> {
        LeaseHolder { system: self.vcenter_id.0, owner: &self.owner, epoch: self.epoch }
    }
}

/// What a collector has to say; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Where it stands; with the reason when it does not go on, or with what else is to be said: a word and a sentence.
    pub state: Option<(CollectionState, Option<(String, String)>)>,
    /// Whom it met.
    pub instance_id: Option<VsphereInstanceId>,
    /// What the vCenter calls itself.
    pub product: Option<String>,
    /// When the vCenter answered.
    pub seen_at: Option<Timestamp>,
    /// Its clock less ours, in microseconds.
    pub clock_offset: Option<i64>,
    /// In microseconds.
    pub lag: Option<i64>,
    /// When the history was read to its limit.
    pub read_at: Option<Timestamp>,
    /// The newest end that was seen.
    pub completed_to: Option<Timestamp>,
    /// The tasks that could not be read.
    pub unreadable: Option<JsonText>,
    /// How far its clock has jumped, in microseconds.
    pub clock_jump: Option<i64>,
    /// When.
    pub clock_jumped_at: Option<Timestamp>,
}

/// A vCenter that is to be collected, and how its collection stands.
#[derive(Clone, Debug)]
pub struct CollectionTarget {
    /// Which.
    pub vcenter: vcenter::Model,
    /// As it was read: whoever takes the lease takes this one.
    pub stands: Model,
}

impl CollectionTarget {
    /// What a lease is known by: of which vCenter, and which of all leases on it.
    #[must_use]
    pub fn key(&self) -> (VcenterId, i64) {
        (self.stands.vcenter_id, self.stands.epoch)
    }

    /// The sign of life of its collector; none: it has none.
    #[must_use]
    pub fn sign(&self, lease: Duration) -> Option<Sign<(VcenterId, i64)>> {
        self.stands.owner.as_ref()?;
        Some(Sign { key: self.key(), renewals: self.stands.renewals, lease })
    }
}

/// The vCenters that are to be collected, with a collector or without.
///
/// # Errors
/// When the database does not answer.
pub async fn wanted(conn: &impl ConnectionTrait) -> Result<Vec<CollectionTarget>> {
    let vcenters = vcenter::Entity::find().filter(vcenter::Column::Collect.eq(true)).all(conn).await?;
    let rows = Entity::find().filter(Column::VcenterId.is_in(vcenters.iter().map(|vcenter| vcenter.id)));
    let mut rows = rows.all(conn).await?;
    let wanted = |vcenter: vcenter::Model| {
        let at = rows.iter().position(|row| row.vcenter_id == vcenter.id)?;
        Some(CollectionTarget { stands: rows.swap_remove(at), vcenter })
    };
    Ok(vcenters.into_iter().filter_map(wanted).collect())
}

/// Takes the lease on a vCenter as it was read; none: somebody was faster, or its holder lives.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    tx: &Tx,
    wanted: &CollectionTarget,
    owner: &str,
    until: Timestamp,
) -> Result<Option<(Lease, Model)>> {
    let CollectionTarget { vcenter, stands } = wanted;
    let read = LeaseAsRead { system: vcenter.id.0, epoch: stands.epoch, renewals: stands.renewals };
    if collection::take::<Entity>(tx, read, (owner, until)).await? == Changed::Stale {
        return Ok(None);
    }
    let Some(row) = Entity::find_by_id(vcenter.id).one(tx).await? else { return Ok(None) };
    let lease = Lease {
        vcenter_id: vcenter.id,
        tenant_id: vcenter.tenant_id,
        owner: owner.to_owned(),
        epoch: row.epoch,
        revision: vcenter.revision,
    };
    Ok(Some((lease, row)))
}

/// Frees every lease: on a database that only one process opens, those of the process before.
///
/// # Errors
/// When the database does not answer.
pub async fn free_all(conn: &impl ConnectionTrait) -> Result<()> {
    collection::free_all::<Entity>(conn).await
}

/// Takes a vCenter away from its collector, whoever it is: what that still writes is refused from the commit on.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(tx: &Tx, vcenter: VcenterId) -> Result<()> {
    collection::revoke::<Entity>(tx, vcenter.0).await
}

/// Renews the lease; `until` is for people. `Stale` when it has gone on, or the settings have changed or forbid to
/// collect.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(conn: &impl ConnectionTrait, lease: &Lease, until: Timestamp) -> Result<Changed> {
    let sql = "UPDATE vcenter_collection SET renewals = renewals + 1, until = $1 WHERE vcenter_id = $2 AND owner = $3 AND \
               epoch = $4 AND EXISTS (SELECT 1 FROM vcenter v WHERE v.id = $2 AND v.collect AND v.revision = $5)";
    let Lease { vcenter_id, owner, epoch, revision, .. } = lease;
    let values = [until.0.into(), vcenter_id.0.into(), owner.as_str().into(), (*epoch).into(), (*revision).into()];
    let kept = conn.execute_raw(Statement::from_sql_and_values(conn.get_database_backend(), sql, values)).await?;
    Ok(Changed::of(kept.rows_affected()))
}

/// Gives the lease back; what the collector said last stays, unless it was at work.
///
/// # Errors
/// When the database does not answer.
pub async fn release(tx: &Tx, lease: &Lease, now: Timestamp) -> Result<()> {
    collection::release::<Entity>(tx, lease.holder(), now).await
}

/// Writes news, and holds the row until the transaction's end: what else is written in it is written under the lease.
///
/// # Errors
/// When the database does not answer.
pub async fn tell(tx: &Tx, lease: &Lease, now: Timestamp, news: News) -> Result<Changed> {
    let mut row = ActiveModel { epoch: Set(lease.epoch), ..Default::default() };
    if let Some((state, reason)) = news.state {
        // Who only tries again has not mended why it did not go on.
        let is_trying = matches!(state, CollectionState::Connecting | CollectionState::Reading);
        if reason.is_some() || !is_trying {
            let (reason, message) = reason.unzip();
            row.reason = Set(reason);
            row.message = Set(message);
        }
        row.state = Set(state);
        collection::turn::<Entity>(tx, lease.holder(), state, now).await?;
    }
    macro_rules! given {
        ($($field:ident),+) => {$(if let Some(value) = news.$field { row.$field = Set(Some(value)); })+};
    }
    given!(instance_id, product, seen_at, clock_offset, lag, read_at, completed_to);
    given!(unreadable, clock_jump, clock_jumped_at);
    let told = Entity::update_many().set(row).filter(collection::held::<Entity>(lease.holder())).exec(tx).await?;
    Ok(Changed::of(told.rows_affected))
}

/// Those of these leases that still hold; their rows stay as they are until the transaction's end.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(tx: &Tx, leases: &[&Lease]) -> Result<Vec<bool>> {
    let holders: Vec<LeaseHolder<'_>> = leases.iter().map(|lease| lease.holder()).collect();
    collection::hold::<Entity>(tx, &holders).await
}

/// How the collections of those of these vCenters stand that are in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list(conn: &impl ConnectionTrait, scope: &Scope, ids: &[VcenterId]) -> Result<Vec<Model>> {
    let found = Entity::find().filter(Column::VcenterId.is_in(ids.iter().copied()));
    Ok(within(found, scope).all(conn).await?)
}

/// Those whose vCenter is in the scope.
fn within(found: Select<Entity>, scope: &Scope) -> Select<Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_vcenter = Entity::belongs_to(vcenter::Entity).from(Column::VcenterId).to(vcenter::Column::Id);
    found.join(JoinType::InnerJoin, its_vcenter.into()).filter(scope::of_found(scope, vcenter::Column::TenantId))
}

/// The vCenter of this identity behind a registered address; makes it known.
///
/// # Errors
/// When the database does not answer.
pub async fn instance(tx: &Tx, vcenter: VcenterId, uuid: &str) -> Result<VsphereInstanceId> {
    let of = vsphere_instance::Entity::find().filter(vsphere_instance::Column::VcenterId.eq(vcenter));
    if let Some(known) = of.filter(vsphere_instance::Column::Uuid.eq(uuid)).one(tx).await? {
        return Ok(known.id);
    }
    let new =
        vsphere_instance::ActiveModel { vcenter_id: Set(vcenter), uuid: Set(uuid.to_owned()), ..Default::default() };
    Ok(vsphere_instance::Entity::insert(new).exec(tx).await?.last_insert_id)
}
