//! Workers, as operators see them.

use std::time::Duration;

use taskloom_entity::Role;

use super::Request;
use crate::error::Result;
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

pub(super) async fn alive(request: &Request) -> Result<Vec<WorkerFacts>> {
    let facts = |load: store::worker::Load| WorkerFacts {
        id: load.id,
        labels: load.labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
        slots: usize::try_from(load.slots).unwrap_or(0),
        busy: usize::try_from(load.busy).unwrap_or(0),
        lease_until: load.lease_until,
        seen_at: load.seen_at,
    };
    Ok(store::worker::alive(request.store.read()).await?.into_iter().map(facts).collect())
}
