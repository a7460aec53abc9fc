//! How the collection of each vCenter stands, and the lease that makes one server its only collector.
//!
//! The invariant: what a collector writes names its lease in the condition, so that one whose lease has gone on to
//! another server writes nothing. Who may take a lease over is decided by what a server has seen itself
//! ([`crate::lease`]), not by the instants here.

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set, Statement,
};
use taskloom_entity::vcenter_collection::{ActiveModel, Column, Entity, Model};
use taskloom_entity::{CollectionState, TenantId, Timestamp, VcenterId, VsphereInstanceId, vcenter, vsphere_instance};

use super::super::{Changed, Tx};
use crate::error::Result;
use crate::lease::Sign;

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

/// What a collector has to say; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Where it stands; with the reason when it does not go on.
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
}

/// A vCenter that is to be collected, and how its collection stands.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which.
    pub vcenter: vcenter::Model,
    /// As it was read: whoever takes the lease takes this one.
    pub stands: Model,
}

impl Wanted {
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
pub async fn wanted(conn: &impl ConnectionTrait) -> Result<Vec<Wanted>> {
    let vcenters = vcenter::Entity::find().filter(vcenter::Column::Collect.eq(true)).all(conn).await?;
    let rows = Entity::find().filter(Column::VcenterId.is_in(vcenters.iter().map(|vcenter| vcenter.id)));
    let mut rows = rows.all(conn).await?;
    let wanted = |vcenter: vcenter::Model| {
        let at = rows.iter().position(|row| row.vcenter_id == vcenter.id)?;
        Some(Wanted { stands: rows.swap_remove(at), vcenter })
    };
    Ok(vcenters.into_iter().filter_map(wanted).collect())
}

/// Takes the lease on a vCenter as it was read; none: somebody was faster, or its holder lives.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(tx: &Tx, wanted: &Wanted, owner: &str, until: Timestamp) -> Result<Option<(Lease, Model)>> {
    let Wanted { vcenter, stands } = wanted;
    let taken = Entity::update_many()
        .col_expr(Column::Owner, Expr::value(owner))
        .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1))
        .col_expr(Column::Renewals, Expr::col(Column::Renewals).add(1))
        .col_expr(Column::Until, Expr::value(until.0))
        .filter(Column::VcenterId.eq(vcenter.id))
        .filter(Column::Epoch.eq(stands.epoch))
        .filter(Condition::any().add(Column::Owner.is_null()).add(Column::Renewals.eq(stands.renewals)));
    if taken.exec(tx).await?.rows_affected == 0 {
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
    let none: Option<String> = None;
    let held = Entity::update_many().col_expr(Column::Owner, Expr::value(none)).filter(Column::Owner.is_not_null());
    held.exec(conn).await?;
    Ok(())
}

/// Takes a vCenter away from its collector, whoever it is: what that still writes is refused from the commit on.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(tx: &Tx, vcenter: VcenterId) -> Result<()> {
    let none: Option<String> = None;
    Entity::update_many()
        .col_expr(Column::Owner, Expr::value(none))
        .col_expr(Column::Epoch, Expr::col(Column::Epoch).add(1))
        .filter(Column::VcenterId.eq(vcenter))
        .exec(tx)
        .await?;
    Ok(())
}

fn held(lease: &Lease) -> Condition {
    Condition::all()
        .add(Column::VcenterId.eq(lease.vcenter_id))
        .add(Column::Owner.eq(lease.owner.as_str()))
        .add(Column::Epoch.eq(lease.epoch))
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
    let at_work = [CollectionState::Connecting, CollectionState::Reading, CollectionState::Following];
    let idle = Entity::update_many()
        .col_expr(Column::State, Expr::value(CollectionState::Waiting.name()))
        .col_expr(Column::Since, Expr::value(now.0))
        .filter(held(lease))
        .filter(Column::State.is_in(at_work));
    idle.exec(tx).await?;
    let none: Option<String> = None;
    Entity::update_many().col_expr(Column::Owner, Expr::value(none)).filter(held(lease)).exec(tx).await?;
    Ok(())
}

/// Writes news, and holds the row until the transaction's end: what else is written in it is written under the lease.
///
/// # Errors
/// When the database does not answer.
pub async fn tell(tx: &Tx, lease: &Lease, now: Timestamp, news: News) -> Result<Changed> {
    let mut row = ActiveModel { epoch: Set(lease.epoch), ..Default::default() };
    if let Some((state, reason)) = news.state {
        let (reason, message) = reason.unzip();
        row.reason = Set(reason);
        row.message = Set(message);
        row.state = Set(state);
        // Only a state that is another one begins anew.
        let began = Entity::update_many()
            .col_expr(Column::Since, Expr::value(now.0))
            .filter(held(lease))
            .filter(Column::State.ne(state));
        began.exec(tx).await?;
    }
    macro_rules! given {
        ($($field:ident),+) => {$(if let Some(value) = news.$field { row.$field = Set(Some(value)); })+};
    }
    given!(instance_id, product, seen_at, clock_offset, lag, read_at, completed_to);
    let told = Entity::update_many().set(row).filter(held(lease)).exec(tx).await?;
    Ok(Changed::of(told.rows_affected))
}

/// Those of these leases that still hold; their rows stay as they are until the transaction's end.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(tx: &Tx, leases: &[&Lease]) -> Result<Vec<bool>> {
    let ids = leases.iter().map(|lease| lease.vcenter_id);
    // By id, so that two servers never wait for each other.
    let rows = Entity::find().filter(Column::VcenterId.is_in(ids)).order_by_asc(Column::VcenterId);
    let rows = rows.lock_exclusive().all(tx).await?;
    let holds = |lease: &&Lease| {
        let same = |row: &&Model| row.vcenter_id == lease.vcenter_id && row.epoch == lease.epoch;
        rows.iter().find(same).is_some_and(|row| row.owner.as_deref() == Some(lease.owner.as_str()))
    };
    Ok(leases.iter().map(holds).collect())
}

/// How these vCenters' collections stand.
///
/// # Errors
/// When the database does not answer.
pub async fn list(conn: &impl ConnectionTrait, ids: &[VcenterId]) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::VcenterId.is_in(ids.iter().copied())).all(conn).await?)
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
