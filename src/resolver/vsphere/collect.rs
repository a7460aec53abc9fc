//! The collectors' side: leases on vCenters, and what they bring in. For the process itself.
//!
//! A report is on disk, with the event that tells of it, before anybody is told so; and nothing is written under a
//! lease that has gone on to another server.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use sea_orm::DbBackend;
use taskloom_entity::{Role, Timestamp, VcenterId, VsphereInstanceId, VsphereTaskState, vcenter, vsphere_task};

use super::super::Request;
use super::merge;
use crate::error::Result;
use crate::lease::{LeaseLook, Watch};
use crate::store::vsphere::collection::CollectionTarget;
use crate::store::vsphere::task::Under;
use crate::store::{self, Changed};

pub use super::merge::{ReportSource, is_one};
pub use super::unreadable::Unreadable;
pub use crate::store::vsphere::collection::{Lease, News};
pub use crate::store::vsphere::object::ObservedObject as Object;
pub use crate::store::vsphere::task::Seen;
pub use taskloom_entity::vcenter_collection::Model as Collection;

/// The longest id of an operation that has a label, in bytes: an index of a database has its limits.
const LONGEST_ID: usize = 500;

/// What a task says that a vCenter has forgotten.
pub const LOST: &str = "the vCenter does not know this task any more; how it ended is unknown";

/// What a server has seen of the leases on vCenters.
pub type Leases = Watch<(VcenterId, i64)>;

/// Before this server looks for vCenters: on a database that only one process opens, nobody collects yet.
///
/// # Errors
/// As [`claim`].
pub async fn begin(request: &Request) -> Result<()> {
    request.principal.require(Role::Admin)?;
    if request.store.backend() == DbBackend::Sqlite {
        store::vsphere::collection::free_all(request.store.lease()).await?;
    }
    Ok(())
}

/// Takes what waits for a collector: what has none, and what has one that was seen silent for longer than `lease`.
///
/// # Errors
/// `FORBIDDEN` for all but the process itself; when the database does not answer.
pub async fn claim(
    request: &Request,
    (owner, leases): (&str, &mut Leases),
    lease: Duration,
) -> Result<Vec<(vcenter::Model, Lease, Collection)>> {
    request.principal.require(Role::Admin)?;
    let asked = request.clock.moment();
    let wanted =
        store::vsphere::collection::wanted(request.store.lease()).await.inspect_err(|_| leases.begin_anew())?;
    let look = LeaseLook { asked, answered: request.clock.moment() };
    let silent = leases.look(wanted.iter().filter_map(|wanted| wanted.sign(lease)), look);
    let is_free =
        |wanted: &CollectionTarget| wanted.stands.owner.is_none() || silent.iter().any(|sign| sign.key == wanted.key());
    let mut claimed = vec![];
    for wanted in wanted.into_iter().filter(is_free) {
        let until = request.clock.now().after(lease);
        let tx = request.store.begin().await?;
        let taken = store::vsphere::collection::claim(&tx, &wanted, owner, until).await?;
        store::commit(tx).await?;
        claimed.extend(taken.map(|(lease, row)| (wanted.vcenter, lease, row)));
    }
    Ok(claimed)
}

/// Keeps a lease for another `time`; whether it still holds, for the same settings.
///
/// # Errors
/// As [`claim`].
pub async fn renew(request: &Request, lease: &Lease, time: Duration) -> Result<bool> {
    request.principal.require(Role::Admin)?;
    let until = request.clock.now().after(time);
    let kept = store::vsphere::collection::renew(request.store.lease(), lease, until).await?;
    Ok(kept == Changed::Yes)
}

/// Gives a lease back.
///
/// # Errors
/// As [`claim`].
pub async fn release(request: &Request, lease: &Lease) -> Result<()> {
    request.principal.require(Role::Admin)?;
    let tx = request.store.begin().await?;
    store::vsphere::collection::release(&tx, lease, request.clock.now()).await?;
    store::commit(tx).await
}

/// Writes how the collection stands; whether the lease still holds.
///
/// # Errors
/// As [`claim`].
pub async fn tell(request: &Request, lease: &Lease, news: News) -> Result<bool> {
    request.principal.require(Role::Admin)?;
    let tx = request.store.begin().await?;
    let told = store::vsphere::collection::tell(&tx, lease, request.clock.now(), news).await?;
    store::commit(tx).await?;
    Ok(told == Changed::Yes)
}

/// The vCenter that answered, by the identity that it gives itself.
///
/// # Errors
/// As [`claim`].
pub async fn meet(request: &Request, lease: &Lease, uuid: &str) -> Result<VsphereInstanceId> {
    request.principal.require(Role::Admin)?;
    let tx = request.store.begin().await?;
    let id = store::vsphere::collection::instance(&tx, lease.vcenter_id, uuid).await?;
    store::commit(tx).await?;
    Ok(id)
}

/// What one collector brings in.
#[derive(Debug)]
pub struct Report {
    /// Its right to.
    pub lease: Lease,
    /// The vCenter that told.
    pub instance: VsphereInstanceId,
    pub source: ReportSource,
    /// In the order they were told.
    pub tasks: Vec<Seen>,
}

/// Writes what collectors bring in, in one transaction; for each report whether its lease held.
///
/// # Errors
/// As [`claim`].
#[tracing::instrument(name = "vsphere.record", skip_all, fields(reports = reports.len()))]
pub async fn record(request: &Request, reports: &[Report]) -> Result<Vec<bool>> {
    request.principal.require(Role::Admin)?;
    let now = request.clock.now();
    let tx = request.store.begin().await?;
    let leases: Vec<&Lease> = reports.iter().map(|report| &report.lease).collect();
    let held = store::vsphere::collection::hold(&tx, &leases).await?;
    let told = newest(reports.iter().zip(&held).filter(|(_, held)| **held).map(|(report, _)| report), now);
    let all: Vec<(&Seen, Under<'_>)> = told.iter().map(|told| (&*told.task, told.under)).collect();
    let known = store::vsphere::task::known(&tx, &all).await?;
    let (mut changed, mut new, mut events) = (vec![], vec![], vec![]);
    for MergedTaskReport { task, source, under } in &told {
        match known.find(under.instance, task) {
            None => {
                new.push((&**task, *under));
                events.extend(merge::is_told(task, *source).then(|| (task.clone(), *under)));
            }
            Some(row) => {
                let kept = Seen::of(row.clone());
                if let Some(next) = merge::merge(&kept, task, *source) {
                    events.extend(merge::is_change(&kept, &next).then(|| (Cow::Owned(next.clone()), *under)));
                    changed.push((row.id, next, *under));
                }
            }
        }
    }
    store::vsphere::task::insert(&tx, &new).await?;
    let changes: Vec<_> = changed.iter().map(|(id, task, under)| (*id, task, *under)).collect();
    store::vsphere::task::update(&tx, &changes).await?;
    let events: Vec<(&Seen, Under<'_>)> = events.iter().map(|(task, under)| (&**task, *under)).collect();
    store::vsphere::event::append(&tx, &events).await?;
    store::commit(tx).await?;
    request.store.metrics().vsphere_changes.inc_by((new.len() + changed.len()) as u64);
    if !events.is_empty() {
        request.bell.ring_vsphere();
    }
    Ok(held)
}

/// What was told of a task.
struct MergedTaskReport<'r> {
    task: Cow<'r, Seen>,
    source: ReportSource,
    under: Under<'r>,
}

/// What each task's reports come to: one statement cannot write a row twice.
fn newest<'r>(reports: impl Iterator<Item = &'r Report>, now: Timestamp) -> Vec<MergedTaskReport<'r>> {
    let mut places: HashMap<(VsphereInstanceId, &str), Vec<usize>> = HashMap::new();
    let mut all: Vec<MergedTaskReport<'r>> = vec![];
    for report in reports {
        let under = Under { lease: &report.lease, instance: report.instance, now };
        for task in &report.tasks {
            let same = places.entry((report.instance, task.key.as_str())).or_default();
            match same.iter().find(|at| merge::is_one(all[**at].task.queued_at, task.queued_at)) {
                Some(at) => {
                    let told = &mut all[*at];
                    if let Some(next) = merge::merge(&told.task, task, report.source) {
                        (told.task, told.source) = (Cow::Owned(next), told.source.max(report.source));
                    }
                }
                None => {
                    same.push(all.len());
                    all.push(MergedTaskReport { task: Cow::Borrowed(task), source: report.source, under });
                }
            }
        }
    }
    all
}

/// What is known to be unfinished on a vCenter: of this one, and of those that answered there before.
///
/// # Errors
/// As [`claim`].
pub async fn unfinished(request: &Request, vcenter: VcenterId) -> Result<Vec<vsphere_task::Model>> {
    request.principal.require(Role::Admin)?;
    store::vsphere::task::unfinished(request.store.read(), vcenter).await
}

/// A task that its vCenter has forgotten, as it ends here.
#[must_use]
pub fn lost(task: vsphere_task::Model) -> Seen {
    let mut seen = Seen::of(task);
    seen.state = VsphereTaskState::Error;
    seen.is_lost = true;
    seen.message = Some(LOST.to_owned());
    seen
}

/// Keeps objects of a vCenter; of one that is named twice what was said last.
///
/// # Errors
/// As [`claim`].
pub async fn objects(request: &Request, lease: &Lease, objects: &[Object]) -> Result<()> {
    request.principal.require(Role::Admin)?;
    // One statement cannot write a row twice.
    let once: BTreeMap<&str, &Object> = objects.iter().map(|object| (object.reference.as_str(), object)).collect();
    let once: Vec<&Object> = once.into_values().collect();
    for some in once.chunks(5000) {
        let tx = request.store.begin().await?;
        if store::vsphere::collection::hold(&tx, &[lease]).await? == [true] {
            store::vsphere::object::put(&tx, lease.vcenter_id, some, request.clock.now()).await?;
        }
        store::commit(tx).await?;
    }
    Ok(())
}

/// Those of these references of a vCenter's objects that are not kept.
///
/// # Errors
/// As [`claim`].
pub async fn strangers(request: &Request, lease: &Lease, references: Vec<String>) -> Result<Vec<String>> {
    let scope = request.principal.require(Role::Admin)?;
    let asked = references.iter().cloned();
    let kept = store::vsphere::object::list(request.store.read(), scope, lease.vcenter_id, asked).await?;
    let kept: HashSet<String> = kept.into_iter().map(|row| row.reference).collect();
    Ok(references.into_iter().filter(|reference| !kept.contains(reference)).collect())
}

/// How the collection stands, as it was written last.
///
/// # Errors
/// As [`claim`].
pub async fn stands(request: &Request, lease: &Lease) -> Result<Option<Collection>> {
    let scope = request.principal.require(Role::Admin)?;
    Ok(store::vsphere::collection::list(request.store.read(), scope, &[lease.vcenter_id]).await?.pop())
}

/// Keeps what a vCenter calls its operations in a language, but for those that are named already so.
///
/// # Errors
/// As [`claim`].
pub async fn labels(request: &Request, lease: &Lease, locale: &str, labels: Vec<(String, String)>) -> Result<()> {
    request.principal.require(Role::Admin)?;
    let kept = store::vsphere::label::all(request.store.read(), Some(lease.vcenter_id), locale).await?;
    let kept: HashSet<(String, String)> = kept.into_iter().map(|row| (row.description_id, row.label)).collect();
    let is_new = |label: &(String, String)| label.0.len() <= LONGEST_ID && !kept.contains(label);
    let new: Vec<(String, String)> = labels.into_iter().filter(is_new).collect();
    let tx = request.store.begin().await?;
    if !new.is_empty() && store::vsphere::collection::hold(&tx, &[lease]).await? == [true] {
        store::vsphere::label::put(&tx, lease.vcenter_id, locale, &new).await?;
    }
    store::commit(tx).await
}
