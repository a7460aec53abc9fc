//! Removal of what is old: for the process's own jobs.

use std::time::Duration;

use taskloom_entity::{AttemptId, Role, Timestamp};

use super::Request;
use crate::error::Result;
use crate::store;

/// Removes events from before `until`; a subscriber that comes back with an older cursor goes on behind them.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.events", skip_all)]
pub async fn events(request: &Request, until: Timestamp) -> Result<u64> {
    request.principal.require(Role::Admin)?;
    let told = store::vsphere::event::remove_before(request.store.write(), until).await?;
    Ok(told + store::event::remove_before(request.store.write(), until).await?)
}

/// Removes the tasks of vCenters that ended before their vCenter's limit.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.vsphere", skip_all)]
pub async fn vsphere(request: &Request) -> Result<u64> {
    /// In one transaction: others want to write, too.
    const TASKS: u64 = 2000;
    request.principal.require(Role::Admin)?;
    let mut removed = 0;
    for (vcenter, days) in store::vcenter::list_limited(request.store.read()).await? {
        let until = request.clock.now().before(Duration::from_secs(u64::from(days) * 86_400));
        loop {
            let tx = request.store.begin().await?;
            let tasks = store::vsphere::collection::remove_before(&tx, vcenter, until, TASKS).await?;
            store::commit(tx).await?;
            removed += tasks;
            if tasks < TASKS {
                break;
            }
        }
    }
    Ok(removed)
}

/// Removes result sets from before `until`.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.results", skip_all)]
pub async fn results(request: &Request, until: Timestamp) -> Result<u64> {
    /// In one transaction: others want to write, too.
    const SETS: u64 = 200;
    request.principal.require(Role::Admin)?;
    let mut removed = 0;
    loop {
        let tx = request.store.begin().await?;
        let sets = store::result::remove_before(&tx, until, SETS).await?;
        store::commit(tx).await?;
        removed += sets;
        if sets < SETS {
            return Ok(removed);
        }
    }
}

/// Removes sessions that have ended.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.sessions", skip_all)]
pub async fn sessions(request: &Request) -> Result<u64> {
    request.principal.require(Role::Admin)?;
    let tx = request.store.begin().await?;
    let removed = store::session::delete_ended(&tx, request.clock.now()).await?;
    store::commit(tx).await?;
    Ok(removed)
}

/// Which of these attempts run, or ended at `until` or later.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.attempts", skip_all)]
pub async fn attempts_since(request: &Request, ids: &[AttemptId], until: Timestamp) -> Result<Vec<AttemptId>> {
    request.principal.require(Role::Admin)?;
    let attempts = store::attempt::list(request.store.read(), ids).await?;
    let is_kept = |at: Option<Timestamp>| at.is_none_or(|at| at >= until);
    Ok(attempts.iter().filter(|attempt| is_kept(attempt.finished_at)).map(|attempt| attempt.id).collect())
}
