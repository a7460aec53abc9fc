//! Tasks of vCenters: found, listed, counted, followed, cancelled.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use taskloom_entity::vsphere_task::Model;
use taskloom_entity::{EventId, Role, Timestamp, VcenterId, VsphereTaskId, VsphereTaskState};

use super::super::audit::{self, Act};
use super::super::{Request, vcenter};
use super::trouble;
use crate::auth::Scope;
use crate::error::{Error, Result, code};
use crate::feed::event::{EventTail, VsphereEntry, VsphereEventLog};
use crate::store;
use crate::store::keyset::Part;
use crate::store::page::Slice;
use crate::vsphere::Reference;

pub use crate::store::vsphere::list::{VsphereTaskFilter, VsphereTaskOrder};
pub use crate::store::vsphere::statistics::OperationDay;

/// What counts as recent, behind its end.
const RECENT: Duration = Duration::from_secs(600);
/// How many are recent though they ended long ago.
const NEWEST: u64 = 10;

/// A task.
///
/// # Errors
/// `VSPHERE_TASK_NOT_FOUND`, also for one of another tenant.
pub async fn get(request: &Request, id: VsphereTaskId) -> Result<Model> {
    let scope = request.reads(Role::Viewer, "vsphereTask.get")?;
    let found = store::vsphere::task::find(request.store.read(), scope, id).await?;
    found.ok_or_else(|| Error::new(&code::VSPHERE_TASK_NOT_FOUND).with("id", id))
}

/// A page of the caller's.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "vsphereTask.list", skip_all)]
pub async fn list(
    request: &Request,
    filter: &VsphereTaskFilter,
    order: (VsphereTaskOrder, bool),
    part: &Part,
) -> Result<Slice<Model>> {
    let scope = request.reads(Role::Viewer, "vsphereTask.list")?;
    store::vsphere::list::page(request.store.read(), scope, filter, order, part).await
}

/// A page by number, the newest first.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "vsphereTask.page", skip_all)]
pub async fn page(request: &Request, filter: &VsphereTaskFilter, part: (u64, u64)) -> Result<Vec<Model>> {
    let scope = request.reads(Role::Viewer, "vsphereTask.page")?;
    store::vsphere::list::newest(request.store.read(), scope, filter, part).await
}

/// How many match.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, filter: &VsphereTaskFilter) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "vsphereTask.count")?;
    store::vsphere::list::count(request.store.read(), scope, filter).await
}

/// What a vCenter has or had at work just now, the newest first: what has not ended, what ended within ten minutes by
/// its clock, and never fewer than the ten newest.
///
/// # Errors
/// `VCENTER_NOT_FOUND`.
#[tracing::instrument(name = "vsphereTask.recent", skip_all)]
pub async fn recent(request: &Request, vcenter: VcenterId, filter: &VsphereTaskFilter) -> Result<Vec<Model>> {
    let scope = request.reads(Role::Viewer, "vsphereTask.recent")?;
    let read = request.store.read();
    let vcenter = store::vcenter::get(read, scope, vcenter).await?.id;
    let stands = store::vsphere::collection::list(read, scope, &[vcenter]).await?;
    let offset = stands.first().and_then(|stands| stands.clock_offset).unwrap_or_default();
    let theirs = Timestamp(request.clock.now().0 + offset);
    let filter = VsphereTaskFilter { vcenter_id: Some(vcenter), ..filter.clone() };
    let wanted = |state: &VsphereTaskState| filter.states.as_ref().is_none_or(|states| states.contains(state));
    let unfinished = [VsphereTaskState::Queued, VsphereTaskState::Running].into_iter().filter(wanted).collect();
    let unfinished = VsphereTaskFilter { states: Some(unfinished), ..filter.clone() };
    let ended = VsphereTaskFilter { completed_from: Some(theirs.before(RECENT)), ..filter.clone() };
    let mut all = store::vsphere::list::newest(read, scope, &filter, (0, NEWEST)).await?;
    for more in [unfinished, ended] {
        all.extend(store::vsphere::list::newest(read, scope, &more, (0, MOST)).await?);
    }
    all.sort_unstable_by_key(|task| std::cmp::Reverse((task.queued_at, task.id)));
    all.dedup_by_key(|task| task.id);
    Ok(all)
}

/// Rows of a list that has no pages.
pub const MOST: u64 = 10_000;

/// What became of a vCenter's tasks by operation and day.
///
/// # Errors
/// `VCENTER_NOT_FOUND`.
#[tracing::instrument(name = "vsphereTask.statistics", skip_all)]
pub async fn statistics(
    request: &Request,
    vcenter: VcenterId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<OperationDay>> {
    let scope = request.reads(Role::Viewer, "vsphereTask.statistics")?;
    let vcenter = store::vcenter::get(request.store.read(), scope, vcenter).await?;
    store::vsphere::statistics::list(request.store.read(), vcenter.id, from, to).await
}

/// Asks a vCenter to cancel a task; as it stood before.
///
/// # Errors
/// `VSPHERE_TASK_NOT_FOUND`, `OPERATION_NOT_ALLOWED` when it has ended or cannot be cancelled, `VCENTER_REFUSED` with
/// the vCenter's own reason.
#[tracing::instrument(name = "vsphereTask.cancel", skip_all, fields(%id))]
pub async fn cancel(request: &Request, id: VsphereTaskId) -> Result<Model> {
    let act = Act::new("vsphereTask.cancel", format_args!("vsphereTask:{id}"));
    audit::permit(request, Role::Manager, &act).await?;
    let ask = async {
        let task = get(request, id).await?;
        let is_over = matches!(task.state, VsphereTaskState::Success | VsphereTaskState::Error);
        if is_over || !task.cancelable {
            let refused = Error::new(&code::OPERATION_NOT_ALLOWED).with("object", format_args!("vsphereTask {id}"));
            let state = if is_over { task.state.name() } else { "not cancelable" };
            return Err(refused.with("state", state).with("operation", "cancel"));
        }
        let entrance = vcenter::entrance(request, task.vcenter_id).await?;
        let session = entrance.sign_in().await.map_err(refused)?;
        let asked = session.cancel(&Reference::task(task.key.as_str())).await;
        if let Err(error) = session.sign_out().await {
            tracing::debug!(%error, "the session ends by itself");
        }
        asked.map_err(refused)?;
        Ok(task)
    };
    match ask.await {
        Ok(task) => {
            let act = act.of(task.tenant_id).with(&json!({"vcenter": task.vcenter_id, "key": task.key}));
            audit::change(request, act, async |_, _| Ok(task)).await
        }
        Err(error) => Err(audit::refuse(request, &act, error).await),
    }
}

/// What a vCenter did not do, with its reason.
pub(in crate::resolver) fn refused(error: crate::vsphere::Error) -> Error {
    let (word, reason) = (trouble::code(&error), error.to_string());
    Error::new(&code::VCENTER_REFUSED).with("why", word).with("reason", reason).source(error)
}

/// Follows the caller's.
#[derive(Debug)]
pub struct VsphereTaskFollower {
    scope: Scope,
    tail: EventTail<VsphereEventLog>,
    vcenter: Option<VcenterId>,
}

/// Begins to follow behind `after`, or behind the newest event.
///
/// # Errors
/// `UNAUTHENTICATED`; `VCENTER_NOT_FOUND` when it is about one vCenter.
#[tracing::instrument(name = "vsphereTask.follow", skip_all)]
pub async fn follow(
    request: &Request,
    vcenter: Option<VcenterId>,
    after: Option<EventId>,
) -> Result<VsphereTaskFollower> {
    let scope = request.reads(Role::Viewer, "vsphereTask.follow")?.clone();
    let tail = request.vsphere_hub.follow(after).await?;
    if let Some(id) = vcenter {
        store::vcenter::get(request.store.read(), &scope, id).await?;
    }
    Ok(VsphereTaskFollower { scope, tail, vcenter })
}

impl VsphereTaskFollower {
    /// The next events of the caller's tenants; at least one, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<VsphereEntry>>> {
        loop {
            let mut entries = self.tail.next().await?;
            entries.retain(|entry| {
                let event = &entry.event;
                self.vcenter.is_none_or(|vcenter| vcenter == event.vcenter_id) && self.scope.covers(event.tenant_id)
            });
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
    }
}
