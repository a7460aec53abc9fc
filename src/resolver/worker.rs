//! Workers, as operators see them.

use std::time::Duration;

use taskloom_entity::Role;

use super::Request;
use crate::error::Result;
use crate::lease;
use crate::store;
pub use crate::store::worker::Load;
use crate::task::waiting::WorkerFacts;

/// A worker renews every 5 s: one that was not heard of for twice that is missed.
pub const SILENT: Duration = Duration::from_secs(10);

/// The workers that hold a lease.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "worker.list", skip_all)]
pub async fn list(request: &Request) -> Result<Vec<store::worker::Load>> {
    request.principal.require(Role::Viewer)?;
    store::worker::alive(request.store.read()).await
}

/// Who is silent, and until when its lease holds, by what this process has seen: what workers write of themselves is by
/// clocks of their own.
pub(super) async fn alive(request: &Request) -> Result<Vec<WorkerFacts>> {
    let loads = store::worker::alive(request.store.read()).await?;
    let (now, moment) = (request.clock.now(), request.clock.moment());
    let seen = request.lives.seen();
    let facts = |load: store::worker::Load| {
        let silence = seen.silence(&load.id, moment).unwrap_or_default();
        let lease = Duration::from_millis(load.lease_ms.unsigned_abs()) + lease::MARGIN;
        WorkerFacts {
            labels: load.labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
            slots: usize::try_from(load.slots).unwrap_or(0),
            busy: usize::try_from(load.busy).unwrap_or(0),
            lease_until: now.after(lease.saturating_sub(silence)),
            seen_at: now.before(silence),
            id: load.id,
        }
    };
    Ok(loads.into_iter().map(facts).collect())
}
