//! One task's progress to its end. Which events there are says the log; whether the task has ended says its row, since
//! a task that failed may have been taken up again by the time its failure is read.

use std::sync::Arc;

use taskloom_entity::{EventId, EventKind, Role, TaskId, task, task_event};

use super::{Request, task as tasks};
use crate::error::{Kind, Result};
use crate::feed::event::{EventTail, TaskEntry};
use crate::store;

/// Everything that moves progress.
const MOVES: &[EventKind] = &[EventKind::Progress, EventKind::TaskChanged, EventKind::SubtaskChanged];
/// Events read at a time.
const PAGE: u64 = 1000;

/// Follows a task until it has ended.
#[derive(Debug)]
pub struct ProgressFollower {
    request: Request,
    id: TaskId,
    tail: EventTail,
    /// The last event that was given or passed over.
    seen: EventId,
    /// The task may have ended: its row decides.
    doubtful: bool,
    /// What stands for the end of a task of which no event is left.
    last: Option<Arc<TaskEntry>>,
}

/// Begins to follow behind `after`. Without it: from now on, or the last step of a task that has ended.
///
/// # Errors
/// `UNAUTHENTICATED`, `TASK_NOT_FOUND`.
#[tracing::instrument(name = "progress.follow", skip_all, fields(%id))]
pub async fn follow(request: &Request, id: TaskId, after: Option<EventId>) -> Result<ProgressFollower> {
    request.reads(Role::Viewer, "progress.follow")?;
    let tail = request.hub.follow(after).await?;
    let seen = tail.seen();
    let mut follow = ProgressFollower { request: request.clone(), id, tail, seen, doubtful: true, last: None };
    let task = tasks::get(request, id).await?;
    if after.is_none() && task.state.is_final() {
        match store::event::last_of_task(request.store.read(), id, MOVES).await? {
            Some(event) => follow.seen = EventId(event.id.0 - 1),
            None => follow.last = Some(Arc::new(end(task))),
        }
    }
    Ok(follow)
}

impl ProgressFollower {
    /// The next steps, at least one, oldest first; none: the task has ended, and every step was given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<Vec<Arc<TaskEntry>>>> {
        if let Some(last) = self.last.take() {
            return Ok(Some(vec![last]));
        }
        loop {
            let mut entries = if self.doubtful {
                match self.rest().await? {
                    Some(entries) => entries,
                    None => return Ok(None),
                }
            } else {
                self.tail.next().await?
            };
            let Some(newest) = entries.last().map(|entry| entry.event.id) else { continue };
            self.seen = newest;
            entries.retain(|entry| entry.event.task_id == self.id && MOVES.contains(&entry.event.kind));
            let ends = |entry: &Arc<TaskEntry>| entry.event.task_state.is_some_and(|state| state.is_final());
            self.doubtful |= entries.iter().any(ends);
            if !entries.is_empty() {
                return Ok(Some(entries));
            }
        }
    }

    /// What is recorded of a task that has ended, none when all of it was given; empty: it has not ended, and the hub
    /// tells what follows.
    async fn rest(&mut self) -> Result<Option<Vec<Arc<TaskEntry>>>> {
        // Looked at before the events: what is recorded between the two looks is not missed.
        let task = match tasks::get(&self.request, self.id).await {
            Ok(task) => Arc::new(task),
            Err(error) if error.code().kind == Kind::NotFound => return Ok(None), // deleted: nothing follows
            Err(error) => return Err(error),
        };
        if !task.state.is_final() {
            self.doubtful = false;
            self.tail = self.request.hub.tail(Some(self.seen));
            return Ok(Some(vec![]));
        }
        let events = store::event::of_task(self.request.store.read(), self.id, self.seen, PAGE).await?;
        let entry = |event| Arc::new(TaskEntry { event, task: Some(task.clone()) });
        Ok(Some(events.into_iter().map(entry).collect()).filter(|entries: &Vec<_>| !entries.is_empty()))
    }
}

/// The end of a task whose events were removed: it stands before every event, so going on behind it repeats nothing.
fn end(task: task::Model) -> TaskEntry {
    let event = task_event::Model {
        id: EventId(0),
        at: task.finished_at.unwrap_or(task.created_at),
        tenant_id: task.tenant_id,
        task_id: task.id,
        subtask_id: None,
        attempt_id: None,
        kind: EventKind::TaskChanged,
        from_state: Some(task.state),
        task_state: Some(task.state),
        subtask_state: None,
        operation: Some(task.operation),
        progress: Some(task.progress),
        message: task.message.clone(),
        actor: None,
    };
    TaskEntry { event, task: Some(Arc::new(task)) }
}
