//! The logs that hubs read: of our own tasks, and of the tasks of vCenters.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use taskloom_core::principal::Scope;
use taskloom_entity::{EventId, TaskId, VsphereTaskId, task, task_event, vsphere_event, vsphere_task};
use tokio::sync::watch;

use super::Bell;
use crate::error::Result;
use crate::store::{self, Store};

/// An append-only log whose numbers ascend in the order of commits.
pub trait EventLog: Debug + Send + Sync + 'static {
    /// An event with what a reader wants beside it.
    type Entry: Debug + Send + Sync;

    /// Its number.
    fn id(entry: &Self::Entry) -> EventId;

    /// Rung when there may be more.
    fn room(bell: &Bell) -> watch::Receiver<u64>;

    /// The number of the newest event; 0 when there is none.
    fn newest(store: &Store) -> impl Future<Output = Result<EventId>> + Send;

    /// The events behind `after`, oldest first, `limit` at the most.
    fn after(store: &Store, after: EventId, limit: u64) -> impl Future<Output = Result<Vec<Self::Entry>>> + Send;
}

/// The log of our own tasks.
#[derive(Clone, Copy, Debug)]
pub struct TaskEventLog;

/// An event with its task as it stood when the event was read; none when it was deleted by then.
#[derive(Debug)]
pub struct TaskEntry {
    /// The event.
    pub event: task_event::Model,
    /// Its task.
    pub task: Option<Arc<task::Model>>,
}

impl EventLog for TaskEventLog {
    type Entry = TaskEntry;

    fn id(entry: &TaskEntry) -> EventId {
        entry.event.id
    }

    fn room(bell: &Bell) -> watch::Receiver<u64> {
        bell.events()
    }

    async fn newest(store: &Store) -> Result<EventId> {
        store::event::newest(store.read()).await
    }

    async fn after(store: &Store, after: EventId, limit: u64) -> Result<Vec<TaskEntry>> {
        let events = store::event::after(store.read(), after, limit).await?;
        let ids: BTreeSet<TaskId> = events.iter().map(|event| event.task_id).collect();
        let ids: Vec<TaskId> = ids.into_iter().collect();
        // Read once for all who follow: what each of them may see, the resolvers say.
        let tasks = match ids.is_empty() {
            true => vec![],
            false => store::task::list_by_id(store.read(), &Scope::All, &ids).await?,
        };
        let tasks: HashMap<TaskId, Arc<task::Model>> =
            tasks.into_iter().map(|task| (task.id, Arc::new(task))).collect();
        let entry = |event: task_event::Model| TaskEntry { task: tasks.get(&event.task_id).cloned(), event };
        Ok(events.into_iter().map(entry).collect())
    }
}

/// The log of the tasks of vCenters.
#[derive(Clone, Copy, Debug)]
pub struct VsphereEventLog;

/// An event with its task as it stood when the event was read; none when it was deleted by then.
#[derive(Debug)]
pub struct VsphereEntry {
    /// The event.
    pub event: vsphere_event::Model,
    /// Its task.
    pub task: Option<Arc<vsphere_task::Model>>,
}

impl EventLog for VsphereEventLog {
    type Entry = VsphereEntry;

    fn id(entry: &VsphereEntry) -> EventId {
        entry.event.id
    }

    fn room(bell: &Bell) -> watch::Receiver<u64> {
        bell.vsphere()
    }

    async fn newest(store: &Store) -> Result<EventId> {
        store::vsphere::event::newest(store.read()).await
    }

    async fn after(store: &Store, after: EventId, limit: u64) -> Result<Vec<VsphereEntry>> {
        let events = store::vsphere::event::after(store.read(), after, limit).await?;
        let ids: BTreeSet<VsphereTaskId> = events.iter().map(|event| event.task_id).collect();
        let ids: Vec<VsphereTaskId> = ids.into_iter().collect();
        // As above.
        let tasks = match ids.is_empty() {
            true => vec![],
            false => store::vsphere::task::list_by_id(store.read(), &Scope::All, &ids).await?,
        };
        let tasks: HashMap<VsphereTaskId, Arc<vsphere_task::Model>> =
            tasks.into_iter().map(|task| (task.id, Arc::new(task))).collect();
        let entry = |event: vsphere_event::Model| VsphereEntry { task: tasks.get(&event.task_id).cloned(), event };
        Ok(events.into_iter().map(entry).collect())
    }
}
