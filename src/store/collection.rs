//! The rows that say how collections stand, in whatever table: each has a lease that makes one server the only collector of
//! its system.
//!
//! The invariant: what a collector writes names its lease in the condition, so that one whose lease has gone on to
//! another server writes nothing. Who may take a lease over is decided by what a server has seen itself
//! ([`crate::lease`]), not by the instants here.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use taskloom_entity::{CollectionState, Timestamp};

use super::{Changed, Tx};
use crate::error::Result;

/// A table with a row for each system that is collected from.
pub trait CollectionTable: EntityTrait {
    /// The system's id.
    const SYSTEM: Self::Column;
    /// Whose lease it is.
    const OWNER: Self::Column;
    /// Counts the leases.
    const EPOCH: Self::Column;
    /// Raised by each renewal.
    const RENEWALS: Self::Column;
    /// Until when, for people.
    const UNTIL: Self::Column;
    /// Where the collection stands.
    const STATE: Self::Column;
    /// Since when.
    const SINCE: Self::Column;
}

/// Who holds a lease on a system.
#[derive(Clone, Copy, Debug)]
pub struct LeaseHolder<'a> {
    /// On which.
    pub system: i64,
    /// Who.
    pub owner: &'a str,
    /// By which of all leases on it.
    pub epoch: i64,
}

/// A lease as it was read: whoever takes it over takes this one.
#[derive(Clone, Copy, Debug)]
pub struct LeaseAsRead {
    /// On which system.
    pub system: i64,
    /// Which of all leases on it.
    pub epoch: i64,
    /// How often it was renewed.
    pub renewals: i64,
}

/// Takes the lease on a system; `Stale`: somebody was faster, or its holder lives. `until` is for people.
///
/// # Errors
/// When the database does not answer.
pub async fn take<T: CollectionTable>(
    tx: &Tx,
    read: LeaseAsRead,
    (owner, until): (&str, Timestamp),
) -> Result<Changed> {
    let taken = T::update_many()
        .col_expr(T::OWNER, Expr::value(owner))
        .col_expr(T::EPOCH, Expr::col(T::EPOCH).add(1))
        .col_expr(T::RENEWALS, Expr::col(T::RENEWALS).add(1))
        .col_expr(T::UNTIL, Expr::value(until.0))
        .filter(T::SYSTEM.eq(read.system))
        .filter(T::EPOCH.eq(read.epoch))
        .filter(Condition::any().add(T::OWNER.is_null()).add(T::RENEWALS.eq(read.renewals)));
    Ok(Changed::of(taken.exec(tx).await?.rows_affected))
}

/// Frees every lease: on a database that only one process opens, those of the process before.
///
/// # Errors
/// When the database does not answer.
pub async fn free_all<T: CollectionTable>(conn: &impl ConnectionTrait) -> Result<()> {
    let none: Option<String> = None;
    T::update_many().col_expr(T::OWNER, Expr::value(none)).filter(T::OWNER.is_not_null()).exec(conn).await?;
    Ok(())
}

/// Takes a system away from its collector, whoever it is: what that still writes is refused from the commit on.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke<T: CollectionTable>(tx: &Tx, system: i64) -> Result<()> {
    let none: Option<String> = None;
    T::update_many()
        .col_expr(T::OWNER, Expr::value(none))
        .col_expr(T::EPOCH, Expr::col(T::EPOCH).add(1))
        .filter(T::SYSTEM.eq(system))
        .exec(tx)
        .await?;
    Ok(())
}

/// The row of a system, while its lease holds.
pub fn held<T: CollectionTable>(by: LeaseHolder<'_>) -> Condition {
    Condition::all().add(T::SYSTEM.eq(by.system)).add(T::OWNER.eq(by.owner)).add(T::EPOCH.eq(by.epoch))
}

/// Gives the lease back; what the collector said last stays, unless it was at work.
///
/// # Errors
/// When the database does not answer.
pub async fn release<T: CollectionTable>(tx: &Tx, by: LeaseHolder<'_>, now: Timestamp) -> Result<()> {
    let at_work = [CollectionState::Connecting, CollectionState::Reading, CollectionState::Following];
    T::update_many()
        .col_expr(T::STATE, Expr::value(CollectionState::Waiting.name()))
        .col_expr(T::SINCE, Expr::value(now.0))
        .filter(held::<T>(by))
        .filter(T::STATE.is_in(at_work))
        .exec(tx)
        .await?;
    let none: Option<String> = None;
    T::update_many().col_expr(T::OWNER, Expr::value(none)).filter(held::<T>(by)).exec(tx).await?;
    Ok(())
}

/// Notes since when a collection stands so, before that is written: only a state that is another one begins anew.
///
/// # Errors
/// When the database does not answer.
pub async fn turn<T: CollectionTable>(
    tx: &Tx,
    by: LeaseHolder<'_>,
    state: CollectionState,
    now: Timestamp,
) -> Result<()> {
    let began = T::update_many().col_expr(T::SINCE, Expr::value(now.0)).filter(held::<T>(by));
    began.filter(T::STATE.ne(state)).exec(tx).await?;
    Ok(())
}

/// Those of these leases that still hold; their rows stay as they are until the transaction's end.
///
/// # Errors
/// When the database does not answer.
pub async fn hold<T: CollectionTable>(tx: &Tx, leases: &[LeaseHolder<'_>]) -> Result<Vec<bool>> {
    let rows = T::find().select_only().columns([T::SYSTEM, T::EPOCH, T::OWNER]);
    // By id, so that two servers never wait for each other.
    let rows = rows.filter(T::SYSTEM.is_in(leases.iter().map(|lease| lease.system))).order_by_asc(T::SYSTEM);
    let rows: Vec<(i64, i64, Option<String>)> = rows.lock_exclusive().into_tuple().all(tx).await?;
    let holds = |lease: &LeaseHolder<'_>| {
        rows.iter().any(|(system, epoch, owner)| {
            (*system, *epoch, owner.as_deref()) == (lease.system, lease.epoch, Some(lease.owner))
        })
    };
    Ok(leases.iter().map(holds).collect())
}
