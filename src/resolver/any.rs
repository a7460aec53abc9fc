//! Everything that runs anywhere, in one order under one filter: our own tasks and those of vCenters.
//!
//! Each table gives its own page by its own index, and the pages are merged; a row's place is its value of the order's
//! column and then a number that tells the tables apart.

use taskloom_entity::{Role, TaskState, Timestamp, VsphereTaskState, task, vsphere_task};

use super::Request;
use super::vsphere::label;
use crate::error::Result;
use crate::store;
use crate::store::keyset::{Key, Part};
use crate::store::page::Slice;
use crate::store::task::Filter;
use crate::store::vsphere::list;

/// A task of whatever origin.
#[derive(Clone, Debug)]
pub enum Any {
    /// One of our own.
    Task(Box<task::Model>),
    /// One of a vCenter.
    Vsphere(Box<vsphere_task::Model>),
}

/// Which system runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This one.
    Taskloom,
    /// A vCenter.
    Vsphere,
}

/// By which instant everything is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// Of acceptance.
    #[default]
    CreatedAt,
    /// Of the end: only those that have one.
    FinishedAt,
}

impl OrderBy {
    fn of_tasks(self) -> store::task::OrderBy {
        match self {
            Self::CreatedAt => store::task::OrderBy::CreatedAt,
            Self::FinishedAt => store::task::OrderBy::FinishedAt,
        }
    }

    fn of_vsphere(self) -> list::OrderBy {
        match self {
            Self::CreatedAt => list::OrderBy::QueuedAt,
            Self::FinishedAt => list::OrderBy::CompletedAt,
        }
    }
}

impl Any {
    /// The row's place in an order.
    #[must_use]
    pub fn key(&self, order: OrderBy) -> Key {
        match self {
            Self::Task(task) => Key { value: order.of_tasks().value(task), id: task.id.0 * 2 },
            Self::Vsphere(task) => Key { value: Some(order.of_vsphere().value(task)), id: task.id.0 * 2 + 1 },
        }
    }

    fn place(&self, order: OrderBy) -> (i64, i64) {
        let key = self.key(order);
        match key.value {
            Some(sea_orm::Value::BigInt(Some(at))) => (at, key.id),
            _ => (0, key.id),
        }
    }
}

/// A page of everything, or of what some systems run.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "any.list", skip_all)]
pub async fn list(
    request: &Request,
    (filter, origins): (&Filter, &[Origin]),
    (order, descending): (OrderBy, bool),
    part: &Part,
) -> Result<Slice<Any>> {
    let scope = request.reads(Role::Viewer, "any.list")?;
    let conn = request.store.read();
    let (mut rows, mut more) = (vec![], false);
    if wants(origins, Origin::Taskloom) {
        let own = within(part, descending, 0);
        let ended = Filter { finished_from: filter.finished_from.or(Some(Timestamp(1))), ..filter.clone() };
        let filter = if order == OrderBy::FinishedAt { &ended } else { filter };
        let slice = store::task::list(conn, scope, filter, (order.of_tasks(), descending), &own).await?;
        more |= if part.backward { slice.has_previous } else { slice.has_next };
        rows.extend(slice.rows.into_iter().map(|task| Any::Task(Box::new(task))));
    }
    if wants(origins, Origin::Vsphere)
        && let Some(filter) = translate(request, filter).await?
    {
        let own = within(part, descending, 1);
        let slice = list::page(conn, scope, &filter, (order.of_vsphere(), descending), &own).await?;
        more |= if part.backward { slice.has_previous } else { slice.has_next };
        rows.extend(slice.rows.into_iter().map(|task| Any::Vsphere(Box::new(task))));
    }
    rows.sort_by_key(|row| row.place(order));
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
pub async fn count(request: &Request, filter: &Filter, origins: &[Origin]) -> Result<u64> {
    let scope = request.reads(Role::Viewer, "any.count")?;
    let mut count = 0;
    if wants(origins, Origin::Taskloom) {
        count += store::task::count(request.store.read(), scope, filter).await?;
    }
    if wants(origins, Origin::Vsphere)
        && let Some(filter) = translate(request, filter).await?
    {
        count += list::count(request.store.read(), scope, &filter).await?;
    }
    Ok(count)
}

fn wants(origins: &[Origin], origin: Origin) -> bool {
    origins.contains(&origin)
}

/// The part as one table knows it: a key of the other one lies between two of its own.
fn within(part: &Part, descending: bool, table: i64) -> Part {
    let below = |id: i64| id.saturating_sub(table).div_euclid(2);
    let above = |id: i64| id.saturating_sub(table - 1).div_euclid(2);
    let cut = |key: &Key, smaller: bool| {
        let id = if smaller { above(key.id) } else { below(key.id) };
        Key { value: key.value.clone(), id }
    };
    Part {
        after: part.after.as_ref().map(|key| cut(key, descending)),
        before: part.before.as_ref().map(|key| cut(key, !descending)),
        ..part.clone()
    }
}

/// The filter as vCenters' tasks know it; none: they have nothing of what it asks for.
async fn translate(request: &Request, filter: &Filter) -> Result<Option<list::Filter>> {
    let Filter { states, name, creator, tenant_id, created_from, created_to, finished_from, finished_to, .. } = filter;
    let common = Filter {
        states: states.clone(),
        name: name.clone(),
        creator: creator.clone(),
        tenant_id: *tenant_id,
        created_from: *created_from,
        created_to: *created_to,
        finished_from: *finished_from,
        finished_to: *finished_to,
        ..Filter::default()
    };
    if common != *filter {
        return Ok(None);
    }
    let outcomes = |states: &Vec<TaskState>| states.iter().filter_map(|state| outcome(*state)).flatten().collect();
    let search = match name {
        Some(name) => {
            let search = label::search(request, None, name, request.language).await?;
            Some(list::Search { is_wide: false, ..search })
        }
        None => None,
    };
    Ok(Some(list::Filter {
        outcomes: states.as_ref().map(outcomes),
        search,
        username: creator.clone(),
        tenant_id: *tenant_id,
        queued_from: *created_from,
        queued_to: *created_to,
        completed_from: *finished_from,
        completed_to: *finished_to,
        ..list::Filter::default()
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
