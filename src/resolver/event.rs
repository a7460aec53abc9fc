//! Events, as they happen and as they happened: the same rows, read on from a cursor that survives restarts.

use std::sync::Arc;

use taskloom_entity::{EventId, EventKind, Role, TaskId, task_event};

use super::Request;
use crate::auth::Scope;
use crate::error::Result;
use crate::event::{Entry, Tail};
use crate::store;

/// The events of one task behind `after`, oldest first.
///
/// # Errors
/// `TASK_NOT_FOUND`.
#[tracing::instrument(name = "event.list", skip_all, fields(%id))]
pub async fn list(request: &Request, id: TaskId, after: EventId, limit: u64) -> Result<Vec<task_event::Model>> {
    super::task::get(request, id).await?;
    store::event::of_task(request.store.read(), id, after, limit).await
}

/// Follows the caller's events.
#[derive(Debug)]
pub struct Follow {
    scope: Scope,
    tail: Tail,
    task: Option<TaskId>,
    kinds: &'static [EventKind],
}

/// States of tasks and subtasks, and what else is worth a look; no progress.
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
    kinds: &'static [EventKind],
    after: Option<EventId>,
) -> Result<Follow> {
    let scope = request.principal.require(Role::Viewer)?.clone();
    let tail = request.hub.tail(after);
    if let Some(id) = task {
        super::task::get(request, id).await?;
    }
    Ok(Follow { scope, tail, task, kinds })
}

impl Follow {
    /// The next events of the caller's tenants; at least one, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Vec<Arc<Entry>>> {
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
