//! Everything that runs anywhere, in one order under one filter: our own tasks and those of vCenters.
//!
//! Each table gives its own page by its own index, and the pages are merged; a row's place is its instant, then its
//! origin, then its number there, so that a further origin moves no row.

use std::cmp::Ordering;

use sea_orm::Value;
use serde::{Deserialize, Serialize};
use taskloom_entity::{Role, TaskState, Timestamp, VsphereTaskState, task, vsphere_task};

use super::Request;
use super::vsphere::label;
use crate::error::Result;
use crate::store;
use crate::store::keyset::{Key, Part};
use crate::store::page::Slice;
use crate::store::task::TaskFilter;
use crate::store::vsphere::list;

/// A task of whatever origin.
#[derive(Clone, Debug)]
pub enum Any {
    /// One of our own.
    Task(Box<task::Model>),
    /// One of a vCenter.
    Vsphere(Box<vsphere_task::Model>),
}

/// Which system runs it. Rows of one instant stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskOrigin {
    Taskloom,
    Vsphere,
}

/// By which instant everything is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnyTaskOrder {
    /// Of acceptance.
    #[default]
    CreatedAt,
    /// Of the end: only those that have one.
    FinishedAt,
}

impl AnyTaskOrder {
    fn of_tasks(self) -> store::task::TaskOrder {
        match self {
            Self::CreatedAt => store::task::TaskOrder::CreatedAt,
            Self::FinishedAt => store::task::TaskOrder::FinishedAt,
        }
    }

    fn of_vsphere(self) -> list::VsphereTaskOrder {
        match self {
            Self::CreatedAt => list::VsphereTaskOrder::QueuedAt,
            Self::FinishedAt => list::VsphereTaskOrder::CompletedAt,
        }
    }
}

impl Any {
    /// The row's place in an order.
    #[must_use]
    pub fn spot(&self, order: AnyTaskOrder) -> Spot {
        let (value, origin, id) = match self {
            Self::Task(task) => (order.of_tasks().value(task), TaskOrigin::Taskloom, task.id.0),
            Self::Vsphere(task) => (Some(order.of_vsphere().value(task)), TaskOrigin::Vsphere, task.id.0),
        };
        let at = match value {
            Some(Value::BigInt(Some(at))) => at,
            Some(_) | None => 0,
        };
        Spot { at, origin, id }
    }
}

/// A row's place among those of all origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spot {
    /// Its instant, in microseconds.
    pub at: i64,
    /// Whose it is.
    pub origin: TaskOrigin,
    /// Its number there.
    pub id: i64,
}

impl Spot {
    /// The place as one origin's table knows it: another origin's row lies before or behind all of its own of that
    /// instant.
    fn within(self, origin: TaskOrigin) -> Key {
        let id = match origin.cmp(&self.origin) {
            Ordering::Less => i64::MAX,
            Ordering::Equal => self.id,
            Ordering::Greater => 0,
        };
        Key { value: Some(self.at.into()), id }
    }
}

/// A page of everything, or of what some systems run.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "any.list", skip_all)]
pub async fn list(
    request: &Request,
    (filter, origins): (&TaskFilter, &[TaskOrigin]),
    (order, descending): (AnyTaskOrder, bool),
    part: &Part<Spot>,
) -> Result<Slice<Any>> {
    let scope = request.reads(Role::Viewer, "any.list")?;
    let conn = request.store.read();
    let (mut rows, mut more) = (vec![], false);
    if wants(origins, TaskOrigin::Taskloom) {
        let own = within(part, TaskOrigin::Taskloom);
        let ended = TaskFilter { finished_from: filter.finished_from.or(Some(Timestamp(1))), ..filter.clone() };
        let filter = if order == AnyTaskOrder::FinishedAt { &ended } else { filter };
        let slice = store::task::list(conn, scope, filter, (order.of_tasks(), descending), &own).await?;
        more |= if part.backward { slice.has_previous } else { slice.has_next };
        rows.extend(slice.rows.into_iter().map(|task| Any::Task(Box::new(task))));
    }
    if wants(origins, TaskOrigin::Vsphere)
        && let Some(filter) = translate(request, filter).await?
    {
        let own = within(part, TaskOrigin::Vsphere);
        let slice = list::page(conn, scope, &filter, (order.of_vsphere(), descending), &own).await?;
        more |= if part.backward { slice.has_previous } else { slice.has_next };
        rows.extend(slice.rows.into_iter().map(|task| Any::Vsphere(Box::new(task))));
    }
    rows.sort_by_key(|row| row.spot(order));
    if descending {
        rows.reverse();
    }
    let limit = usize::try_from(part.limit).unwrap_or(usize::MAX);
    more |= rows.len() > limit;
    if part.backward {
        rows.drain(..rows.len().saturating_sub(limit));
        return Ok(Slice { rows, has_previous: more, has_next: part.before.is_some() });
    }
    rows.truncate(limit);
    Ok(Slice { rows, has_previous: part.after.is_some(), has_next: more })
}

/// How many there are.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub async fn count(request: &Request, filter: &TaskFilter, origins: &[TaskOrigin]) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "any.count")?;
    let mut count = 0;
    if wants(origins, TaskOrigin::Taskloom) {
        count += store::task::count(request.store.read(), scope, filter).await?;
    }
    if wants(origins, TaskOrigin::Vsphere)
        && let Some(filter) = translate(request, filter).await?
    {
        count += list::count(request.store.read(), scope, &filter).await?;
    }
    Ok(count)
}

fn wants(origins: &[TaskOrigin], origin: TaskOrigin) -> bool {
    origins.contains(&origin)
}

fn within(part: &Part<Spot>, origin: TaskOrigin) -> Part {
    let cut = |spot: Option<Spot>| spot.map(|spot| spot.within(origin));
    Part { limit: part.limit, after: cut(part.after), before: cut(part.before), backward: part.backward }
}

/// The filter as vCenters' tasks know it; none: they have nothing of what it asks for.
async fn translate(request: &Request, filter: &TaskFilter) -> Result<Option<list::VsphereTaskFilter>> {
    let TaskFilter { states, name, creator, tenant_id, created_from, created_to, finished_from, finished_to, .. } =
        filter;
    let common = TaskFilter {
        states: states.clone(),
        name: name.clone(),
        creator: creator.clone(),
        tenant_id: *tenant_id,
        created_from: *created_from,
        created_to: *created_to,
        finished_from: *finished_from,
        finished_to: *finished_to,
        ..TaskFilter::default()
    };
    if common != *filter {
        return Ok(None);
    }
    let outcomes = |states: &Vec<TaskState>| states.iter().filter_map(|state| outcome(*state)).flatten().collect();
    let search = match name {
        Some(name) => {
            let search = label::search(request, None, name, request.language).await?;
            Some(list::VsphereSearch { is_wide: false, ..search })
        }
        None => None,
    };
    Ok(Some(list::VsphereTaskFilter {
        outcomes: states.as_ref().map(outcomes),
        search,
        username: creator.clone(),
        tenant_id: *tenant_id,
        queued_from: *created_from,
        queued_to: *created_to,
        completed_from: *finished_from,
        completed_to: *finished_to,
        ..list::VsphereTaskFilter::default()
    }))
}

/// What a state of ours is there; none: there is no such state.
fn outcome(state: TaskState) -> Option<Vec<(VsphereTaskState, bool)>> {
    let both = |state| vec![(state, false), (state, true)];
    match state {
        TaskState::Pending => Some(both(VsphereTaskState::Queued)),
        TaskState::Running => Some(both(VsphereTaskState::Running)),
        TaskState::Successful => Some(both(VsphereTaskState::Success)),
        TaskState::Failed => Some(vec![(VsphereTaskState::Error, false)]),
        TaskState::Canceled => Some(vec![(VsphereTaskState::Error, true)]),
        TaskState::Paused | TaskState::Canceling | TaskState::RolledBack => None,
    }
}

/// The state of a vCenter's task, as one of ours.
#[must_use]
pub fn state(task: &vsphere_task::Model) -> TaskState {
    match task.state {
        VsphereTaskState::Queued => TaskState::Pending,
        VsphereTaskState::Running => TaskState::Running,
        VsphereTaskState::Success => TaskState::Successful,
        VsphereTaskState::Error if task.cancelled => TaskState::Canceled,
        VsphereTaskState::Error => TaskState::Failed,
    }
}
