//! Removal of what is old and of what was deleted, in bites: for the process's own jobs.
//!
//! The invariant: a bite is a transaction of its own, and behind it others have a while to write. One that
//! removed nothing is the last, so what cannot be removed keeps nobody busy.

use std::time::{Duration, Instant};

use taskloom_entity::{AttemptId, Role, Timestamp};

use super::Request;
use super::task::{TaskFilter, TaskOrder};
use crate::error::{Error, Kind, Result};
use crate::store::keyset::{Key, Part};
use crate::store::{self, removal};
use crate::telemetry::metrics::What;

pub use crate::store::removal::Removable;

/// The shortest pause between two bites, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));
/// Tasks that are listed at a time, and after how many of them others have a turn.
const TASKS: (u64, usize) = (200, 20);

/// The right to remove: one process has it at a time.
#[derive(Debug)]
pub struct RetentionRound(removal::RemovalRound);

/// Begins a round; none: another process removes.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
pub async fn begin(request: &Request) -> Result<Option<RetentionRound>> {
    request.reads(Role::Admin, "retention.begin")?;
    Ok(removal::RemovalRound::begin(&request.store).await?.map(RetentionRound))
}

impl RetentionRound {
    /// Removes a bite after the other until there is nothing left to remove; how many rows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove(&self, request: &Request, old: Removable) -> Result<u64> {
        let (mut removed, mut after) = (0, 0);
        loop {
            self.0.hold().await?;
            let begun = Instant::now();
            let tx = request.store.begin().await?;
            let rows = removal::bite(&tx, old, &mut after).await?;
            store::commit(tx).await?;
            if rows == 0 {
                return Ok(removed);
            }
            removed += rows;
            request.store.metrics().removed_rows.get_or_create(&What { what: old.name() }).inc_by(rows);
            pause(begun).await;
        }
    }

    /// Removes the tasks of vCenters that ended before their vCenter's limit.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(name = "retention.vsphere", skip_all)]
    pub async fn vsphere(&self, request: &Request) -> Result<u64> {
        let mut removed = 0;
        for (vcenter, days) in store::vcenter::list_limited(request.store.read()).await? {
            let until = request.clock.now().before(Duration::from_secs(u64::from(days) * 86_400));
            removed += self.remove(request, Removable::VsphereTasks(vcenter, until)).await?;
        }
        Ok(removed)
    }

    /// Deletes tasks that ended before `until`, the oldest first, each as its own change. One that is refused is left
    /// until the next round.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(name = "retention.tasks", skip_all)]
    pub async fn tasks(&self, request: &Request, until: Timestamp) -> Result<u64> {
        let filter =
            TaskFilter { finished_to: Some(until), finished_from: Some(Timestamp(1)), ..TaskFilter::default() };
        let (mut removed, mut after) = (0, None);
        loop {
            let part = Part { limit: TASKS.0, after, ..Part::default() };
            let page = super::task::list(request, &filter, (TaskOrder::Id, false), &part).await?;
            for some in page.rows.chunks(TASKS.1) {
                self.0.hold().await?;
                let begun = Instant::now();
                for task in some {
                    match super::task::delete(request, task.id).await {
                        Ok(_) => removed += 1,
                        Err(error) => match error.code().kind {
                            Kind::Unavailable => return Err(error),
                            Kind::NotFound | Kind::Conflict => {}
                            _ => failed(request, "tasks", &error),
                        },
                    }
                }
                pause(begun).await;
            }
            let Some(last) = page.rows.last().filter(|_| page.has_next) else { break };
            after = Some(Key { value: None, id: last.id.0 });
        }
        request.store.metrics().removed_rows.get_or_create(&What { what: "tasks" }).inc_by(removed);
        Ok(removed)
    }

    /// Removes what is still kept of what was deleted.
    ///
    /// # Errors
    /// The first one; the others are removed all the same.
    #[tracing::instrument(name = "retention.deleted", skip_all)]
    pub async fn deleted(&self, request: &Request) -> Result<u64> {
        let (mut removed, mut failed) = (0, None);
        for rest in removal::rests(request.store.read()).await? {
            match self.remove(request, Removable::Deleted(rest)).await {
                Ok(rows) => removed += rows,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(removed), Err)
    }
}

/// Others write for as long as a bite took.
async fn pause(begun: Instant) {
    tokio::time::sleep(begun.elapsed().clamp(PAUSES.0, PAUSES.1)).await;
}

/// Counts and logs a removal that did not get through; others go on.
pub fn failed(request: &Request, what: &'static str, error: &Error) {
    request.store.metrics().removal_failures.get_or_create(&What { what }).inc();
    tracing::warn!(what, ?error, "what is to be removed could not be: it will be tried again");
}

/// Which of these attempts run, or ended at `until` or later.
///
/// # Errors
/// `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "retention.attempts", skip_all)]
pub async fn attempts_since(request: &Request, ids: &[AttemptId], until: Timestamp) -> Result<Vec<AttemptId>> {
    let scope = request.reads(Role::Admin, "retention.attempts")?;
    let attempts = store::attempt::list(request.store.read(), scope, ids).await?;
    let is_kept = |at: Option<Timestamp>| at.is_none_or(|at| at >= until);
    Ok(attempts.iter().filter(|attempt| is_kept(attempt.finished_at)).map(|attempt| attempt.id).collect())
}
