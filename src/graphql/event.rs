//! Events and the subscriptions that follow them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Subscription};
use futures::Stream;
use taskloom_entity::{EventId, TaskId, task_event};

use super::context::Has;
use super::list::OrderedList;
use super::log::LogPage;
use super::state::{EventKind, Operation, SubtaskState, TaskState};
use super::subtask::{FIRST, Subtask};
use super::task::{Task, TaskFilterInput};
use crate::feed::event::TaskEntry;
use crate::gql::id;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::resolver::event::FollowedTaskChange;

/// Something that happened to a task or one of its subtasks.
#[derive(Clone, Debug)]
pub struct TaskEvent(pub task_event::Model);

/// Something that happened to a task or one of its subtasks.
#[Object]
impl TaskEvent {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("TaskEvent", self.0.id)
    }
    /// Its place in the log of events: subscriptions go on behind it.
    async fn cursor(&self) -> String {
        EVENTS.cursor(self.0.id.0)
    }
    /// When.
    async fn at(&self) -> Instant {
        self.0.at.into()
    }
    /// What it tells.
    async fn kind(&self) -> EventKind {
        self.0.kind.into()
    }
    /// Of which task.
    async fn task_id(&self) -> ID {
        id::encode("Task", self.0.task_id)
    }
    /// Of which subtask; none: of the task itself.
    async fn subtask_id(&self) -> Option<ID> {
        self.0.subtask_id.map(|subtask| id::encode("Subtask", subtask))
    }
    /// Of which attempt.
    async fn attempt_id(&self) -> Option<ID> {
        self.0.attempt_id.map(|attempt| id::encode("Attempt", attempt))
    }
    /// The state of the task before; null: it began with this, or an earlier release kept it.
    async fn from_state(&self) -> Option<TaskState> {
        self.0.from_state.map(Into::into)
    }
    /// The task's new state.
    async fn task_state(&self) -> Option<TaskState> {
        self.0.task_state.map(Into::into)
    }
    /// The subtask's new state.
    async fn subtask_state(&self) -> Option<SubtaskState> {
        self.0.subtask_state.map(Into::into)
    }
    /// The operation by then.
    async fn operation(&self) -> Option<Operation> {
        self.0.operation.map(Into::into)
    }
    /// The progress by then, 0 to 1.
    async fn progress(&self) -> Option<f64> {
        self.0.progress
    }
    /// Why, or what is being done.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
    /// Who asked for it; none: the engine.
    async fn actor(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }
}

/// The log of events, which all of its readers have one place in.
pub const EVENTS: OrderedList = OrderedList::by_id("taskEvents");

/// The place of a cursor.
///
/// # Errors
/// `INVALID_CURSOR`.
pub fn place(list: &OrderedList, cursor: Option<&str>) -> crate::error::Result<Option<EventId>> {
    cursor.map(|cursor| list.place(cursor).map(|key| EventId(key.id))).transpose()
}

/// A change of a task, with the task as it stands.
#[derive(Clone, Debug)]
pub struct TaskChange(FollowedTaskChange);

/// A change of a task, with the task as it stands.
#[Object]
impl TaskChange {
    /// Go on behind this one with `after`.
    async fn cursor(&self) -> String {
        EVENTS.cursor(self.0.entry.event.id.0)
    }
    /// Whether the task matches the filter after this; `task` itself may have gone on since. False: it has left what
    /// the filter shows, or was deleted.
    async fn matches(&self) -> bool {
        self.0.matches
    }
    /// What happened.
    async fn event(&self) -> TaskEvent {
        TaskEvent(self.0.entry.event.clone())
    }
    /// The task as it stood when the event was read; none when it was deleted by then.
    async fn task(&self, ctx: &Context<'_>) -> Result<Option<Task>> {
        match &self.0.entry.task {
            Some(task) => Ok(Some(Task(task.clone()))),
            None => Ok(ctx.loaders().one(self.0.entry.event.task_id).await?.map(Task)),
        }
    }
    /// The subtask that changed, as it stands now.
    async fn subtask(&self, ctx: &Context<'_>) -> Result<Option<Subtask>> {
        match self.0.entry.event.subtask_id {
            Some(id) => Ok(ctx.loaders().one(id).await?.map(Subtask)),
            None => Ok(None),
        }
    }
}

/// How far a task is.
#[derive(Clone, Debug, SimpleObject)]
pub struct TaskProgress {
    /// Go on behind this one with `after`.
    cursor: String,
    /// When.
    at: Instant,
    /// The task, 0 to 1; none when it was deleted by then.
    progress: Option<f64>,
    /// The subtask whose report this is.
    subtask_id: Option<ID>,
    /// That subtask's progress, 0 to 1.
    subtask_progress: Option<f64>,
    /// What it is doing, in its own words.
    message: Option<String>,
    /// The task's state.
    state: Option<TaskState>,
}

impl From<&TaskEntry> for TaskProgress {
    fn from(entry: &TaskEntry) -> Self {
        let (event, task) = (&entry.event, entry.task.as_deref());
        Self {
            cursor: EVENTS.cursor(event.id.0),
            at: event.at.into(),
            progress: task.map(|task| task.progress),
            subtask_id: event.subtask_id.map(|subtask| id::encode("Subtask", subtask)),
            subtask_progress: event.subtask_id.and(event.progress),
            message: event.message.clone(),
            state: event.task_state.or(event.from_state).or(task.map(|task| task.state)).map(Into::into),
        }
    }
}

/// Which changes to follow.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TaskChangeFilter {
    /// Of this task only.
    task_id: Option<ID>,
    /// Of the tasks that match this before or after the change.
    tasks: Option<TaskFilterInput>,
    /// Of these kinds; left out: all but `PROGRESS`. Deletions are always told.
    kinds: Option<Vec<EventKind>>,
    /// Of the task itself only, not of its subtasks.
    #[graphql(default_with = "Some(false)")]
    tasks_only: Option<bool>,
}

/// Follows tasks.
#[derive(Debug, Default)]
pub struct TaskSubscription;

/// Follows tasks.
#[Subscription]
impl TaskSubscription {
    /// Each change of the caller's tasks and their subtasks, once and in order; with a filter, those of tasks that match
    /// it before or after the change, as `matches` says. With `after`, a cursor of an earlier
    /// one, what happened meanwhile comes first; without it, what happens from now on.
    async fn task_changed(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskChangeFilter>,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<TaskChange>> + use<>> {
        let filter = filter.unwrap_or_default();
        let only = filter.task_id.as_ref().map(|task| id::decode("Task", task)).transpose()?.map(TaskId);
        let tasks = filter.tasks.map(TaskFilterInput::decode).transpose()?;
        let kinds = match filter.kinds {
            Some(kinds) => kinds.into_iter().map(Into::into).chain([taskloom_entity::EventKind::TaskDeleted]).collect(),
            None => resolver::event::CHANGES.to_vec(),
        };
        let after = place(&EVENTS, after.as_deref())?;
        let follow = resolver::event::follow(ctx.request(), only, kinds, after).await?;
        let tasks_only = filter.tasks_only.unwrap_or_default();
        let batches = futures::stream::try_unfold(follow, |mut follow| async move {
            let batch = follow.next().await?;
            Ok::<_, async_graphql::Error>(Some((batch, follow)))
        });
        Ok(one_by_one(batches, move |entry: &Arc<TaskEntry>| {
            let is_told = !(tasks_only && entry.event.subtask_id.is_some());
            is_told.then(|| FollowedTaskChange::seen_by(tasks.as_ref(), entry)).flatten().map(TaskChange)
        }))
    }

    /// The progress of one task, as it moves; it completes when the task has ended (SUCCESSFUL, FAILED, CANCELED or
    /// ROLLED_BACK) and its last state was sent. Of a task that had ended before, the last state is sent at once. A task
    /// that is retried or rolled back after its end moves again: subscribe again, with the last cursor as `after`.
    async fn task_progress(
        &self,
        ctx: &Context<'_>,
        task_id: ID,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<TaskProgress>> + use<>> {
        let task = TaskId(id::decode("Task", &task_id)?);
        let follow = resolver::progress::follow(ctx.request(), task, place(&EVENTS, after.as_deref())?).await?;
        let batches = futures::stream::try_unfold(follow, |mut follow| async move {
            Ok::<_, async_graphql::Error>(follow.next().await?.map(|batch| (batch, follow)))
        });
        Ok(one_by_one(batches, |entry: &Arc<TaskEntry>| Some(TaskProgress::from(&**entry))))
    }

    /// The lines of a subtask's log from `fromLine` on, as they are written; it ends when the subtask and its task
    /// have ended and every line was sent. Go on with the last `nextLine`.
    async fn subtask_log(
        &self,
        ctx: &Context<'_>,
        subtask_id: ID,
        #[graphql(default_with = "Some(FIRST)")] from_line: Option<BigInt>,
    ) -> Result<impl Stream<Item = Result<LogPage>> + use<>> {
        let subtask = taskloom_entity::SubtaskId(id::decode("Subtask", &subtask_id)?);
        let follow = resolver::log::follow(ctx.request(), subtask, from_line.unwrap_or(FIRST).0).await?;
        Ok(futures::stream::try_unfold(follow, move |mut follow| async move {
            Ok(follow.next().await?.map(|page| (LogPage::of(subtask, page), follow)))
        }))
    }
}

/// Those entries of the batches that are shown; an error ends the stream.
pub(super) fn one_by_one<E, T>(
    batches: impl Stream<Item = Result<Vec<Arc<E>>>>,
    show: impl Fn(&Arc<E>) -> Option<T>,
) -> impl Stream<Item = Result<T>> {
    futures::StreamExt::flat_map(batches, move |batch| {
        let shown: Vec<Result<T>> = match batch {
            Ok(batch) => batch.iter().filter_map(&show).map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        futures::stream::iter(shown)
    })
}
