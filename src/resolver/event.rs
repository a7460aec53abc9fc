//! Events, as they happen and as they happened: the same rows, read on from a cursor that survives restarts.

use std::sync::Arc;

use taskloom_entity::{EventId, EventKind, Role, TaskId, task_event};

use super::Request;
use super::page::{Page, Slice};
use crate::auth::Scope;
use crate::error::Result;
use crate::feed::event::{EventTail, TaskEntry};
use crate::store;
use crate::store::task::TaskFilter;

/// A page of the events of one task, oldest first.
///
/// # Errors
/// `TASK_NOT_FOUND`.
#[tracing::instrument(name = "event.list", skip_all, fields(%id))]
pub async fn list(request: &Request, id: TaskId, page: Page) -> Result<Slice<task_event::Model>> {
    super::task::get(request, id).await?;
    store::event::page(request.store.read(), id, page).await
}

/// One event of the caller's tenants.
///
/// # Errors
/// `UNAUTHENTICATED`.
#[tracing::instrument(name = "event.find", skip_all, fields(%id))]
pub async fn find(request: &Request, id: EventId) -> Result<Option<task_event::Model>> {
    let scope = request.reads(Role::Viewer, "event.find")?;
    let found = store::event::find(request.store.read(), id).await?;
    Ok(found.filter(|event| scope.covers(event.tenant_id)))
}

/// A change of a task, and whether the task matched what somebody follows.
#[derive(Clone, Debug)]
pub struct FollowedTaskChange {
    /// The change.
    pub entry: Arc<TaskEntry>,
    /// Whether the task matches after it.
    pub matches: bool,
}

impl FollowedTaskChange {
    /// This change for who follows the tasks of `filter`; none: the task matched neither before nor after.
    ///
    /// What was before is judged by the state alone, which the event keeps: everything else that a filter asks for stays
    /// as it is, or goes by the state. The state after it is the event's too, whatever the task's has become meanwhile.
    #[must_use]
    pub fn seen_by(filter: Option<&TaskFilter>, entry: &Arc<TaskEntry>) -> Option<Self> {
        let (event, told) = (&entry.event, |matches| Some(Self { entry: entry.clone(), matches }));
        if event.kind == EventKind::TaskDeleted {
            return told(false);
        }
        let Some(filter) = filter else { return told(true) };
        let begins = event.kind == EventKind::TaskSubmitted;
        let before = !begins && event.from_state.is_none_or(|state| filter.may_be(state));
        let Some(task) = entry.task.as_deref() else {
            // Deleted since: nobody knows what else it was.
            return if before { told(false) } else { None };
        };
        let after = event.task_state.or(event.from_state).unwrap_or(task.state);
        let is_the_same = filter.matches_but_for_state(task);
        let matches = is_the_same && filter.may_be(after) && filter.is_in_time(task, after);
        if matches || (before && is_the_same) { told(matches) } else { None }
    }
}

/// Follows the caller's events.
#[derive(Debug)]
pub struct EventFollower {
    scope: Scope,
    tail: EventTail,
    task: Option<TaskId>,
    kinds: Vec<EventKind>,
}

/// What is told where nothing is said: all but progress.
pub const CHANGES: &[EventKind] = &[
    EventKind::TaskSubmitted,
    EventKind::TaskChanged,
    EventKind::TaskDeleted,
    EventKind::SubtaskChanged,
    EventKind::Warning,
];

/// Begins to follow behind `after`, or behind the newest event.
///
/// # Errors
/// `UNAUTHENTICATED`; `TASK_NOT_FOUND` when it is about one task.
#[tracing::instrument(name = "event.follow", skip_all)]
pub async fn follow(
    request: &Request,
    task: Option<TaskId>,
    kinds: Vec<EventKind>,
    after: Option<EventId>,
) -> Result<EventFollower> {
    let scope = request.reads(Role::Viewer, "event.follow")?.clone();
    let tail = request.hub.follow(after).await?;
    if let Some(id) = task {
        super::task::get(request, id).await?;
    }
    Ok(EventFollower { scope, tail, task, kinds })
}

impl EventFollower {
    /// The next events of the caller's tenants; at least one, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<TaskEntry>>> {
        loop {
            let mut entries = self.tail.next().await?;
            entries.retain(|entry| {
                let event = &entry.event;
                self.kinds.contains(&event.kind)
                    && self.task.is_none_or(|task| task == event.task_id)
                    && self.scope.covers(event.tenant_id)
            });
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
    }
}
