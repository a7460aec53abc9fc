//! Workers, as operators see them.

use std::time::Duration;

use taskloom_entity::{Role, Timestamp};

use super::Request;
use crate::error::Result;
use crate::lease;
use crate::store;
pub use crate::store::worker::WorkerLoad;
use crate::task::waiting::WorkerFacts;

/// A worker renews every 5 s: one that was not heard of for twice that is missed.
pub const SILENT: Duration = Duration::from_secs(10);

/// A worker as this process has seen it: what workers write of themselves is by clocks of their own.
#[derive(Clone, Debug)]
pub struct SeenWorker {
    pub load: WorkerLoad,
    /// When it was heard of last, by this process's clock.
    pub seen_at: Timestamp,
    /// For how long it was not.
    pub silence: Duration,
}

/// The workers that hold a lease.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "worker.list", skip_all)]
pub async fn list(request: &Request) -> Result<Vec<SeenWorker>> {
    request.reads(Role::Viewer, "worker.list")?;
    let loads = store::worker::alive(request.store.read()).await?;
    let (now, moment) = (request.clock.now(), request.clock.moment());
    let lives = request.lives.seen();
    let seen = |load: WorkerLoad| {
        let silence = lives.silence(&load.id, moment).unwrap_or_default();
        SeenWorker { seen_at: now.before(silence), silence, load }
    };
    Ok(loads.into_iter().map(seen).collect())
}

/// Who is silent, and until when its lease holds.
pub(super) async fn alive(request: &Request) -> Result<Vec<WorkerFacts>> {
    let now = request.clock.now();
    let facts = |SeenWorker { load, seen_at, silence }: SeenWorker| {
        let lease = Duration::from_millis(load.lease_ms.unsigned_abs()) + lease::MARGIN;
        WorkerFacts {
            labels: load.labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
            slots: usize::try_from(load.slots).unwrap_or(0),
            busy: usize::try_from(load.busy).unwrap_or(0),
            lease_until: now.after(lease.saturating_sub(silence)),
            seen_at,
            id: load.id,
        }
    };
    Ok(list(request).await?.into_iter().map(facts).collect())
}
