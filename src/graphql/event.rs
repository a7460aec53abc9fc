//! Events and the subscriptions that follow them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject, Subscription};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use futures::Stream;
use taskloom_entity::{EventId, TaskId, task_event};

use super::context::Has;
use super::id;
use super::log::LogPage;
use super::state::{EventKind, Operation, SubtaskState, TaskState};
use super::subtask::Subtask;
use super::task::{Task, TaskFilter};
use crate::error::{Error, code};
use crate::event::Entry;
use crate::resolver;

/// Something that happened to a task or one of its subtasks.
#[derive(Clone, Debug)]
pub struct TaskEvent(pub task_event::Model);

/// Something that happened to a task or one of its subtasks.
#[Object]
impl TaskEvent {
    /// Its place in the log of events: subscriptions go on behind it.
    async fn cursor(&self) -> String {
        cursor(self.0.id)
    }
    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.0.at.utc()
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

/// The text of an event's place.
#[must_use]
pub fn cursor(id: EventId) -> String {
    URL_SAFE_NO_PAD.encode(format!("event:{id}"))
}

/// The place of such a text.
///
/// # Errors
/// `INVALID_CURSOR`.
pub fn place(cursor: Option<&str>) -> crate::error::Result<Option<EventId>> {
    let Some(text) = cursor else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let number = decoded.as_deref().and_then(|text| text.strip_prefix("event:")).and_then(|text| text.parse().ok());
    number.map(|number| Some(EventId(number))).ok_or_else(|| Error::new(&code::INVALID_CURSOR).with("cursor", text))
}

/// A change of a task, with the task as it stands.
#[derive(Clone, Debug)]
pub struct TaskChange(Arc<Entry>);

/// A change of a task, with the task as it stands.
#[Object]
impl TaskChange {
    /// Go on behind this one with `after`.
    async fn cursor(&self) -> String {
        cursor(self.0.event.id)
    }
    /// What happened.
    async fn event(&self) -> TaskEvent {
        TaskEvent(self.0.event.clone())
    }
    /// The task as it stood when the event was read; none when it was deleted by then.
    async fn task(&self, ctx: &Context<'_>) -> Result<Option<Task>> {
        match &self.0.task {
            Some(task) => Ok(Some(Task(task.clone()))),
            None => Ok(ctx.loaders().one(self.0.event.task_id).await?.map(Task)),
        }
    }
    /// The subtask that changed, as it stands now.
    async fn subtask(&self, ctx: &Context<'_>) -> Result<Option<Subtask>> {
        match self.0.event.subtask_id {
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
    at: DateTime<Utc>,
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

impl From<&Entry> for TaskProgress {
    fn from(entry: &Entry) -> Self {
        let (event, task) = (&entry.event, entry.task.as_deref());
        Self {
            cursor: cursor(event.id),
            at: event.at.utc(),
            progress: task.map(|task| task.progress),
            subtask_id: event.subtask_id.map(|subtask| id::encode("Subtask", subtask)),
            subtask_progress: event.subtask_id.and(event.progress),
            message: event.message.clone(),
            state: task.map(|task| task.state.into()),
        }
    }
}

/// Which changes to follow.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TaskChangeFilter {
    /// Of this task only.
    task_id: Option<ID>,
    /// Of the tasks that match when the change is read.
    tasks: Option<TaskFilter>,
    /// Of the task itself only, not of its subtasks.
    #[graphql(default)]
    tasks_only: bool,
}

/// Follows tasks.
#[derive(Debug, Default)]
pub struct TaskSubscription;

/// Follows tasks.
#[Subscription]
impl TaskSubscription {
    /// Each change of the caller's tasks and their subtasks, once and in order. With `after`, a cursor of an earlier
    /// one, what happened meanwhile comes first; without it, what happens from now on.
    async fn task_changed(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskChangeFilter>,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<TaskChange>> + use<>> {
        let filter = filter.unwrap_or_default();
        let only = filter.task_id.as_ref().map(|task| id::decode("Task", task)).transpose()?.map(TaskId);
        let tasks = filter.tasks.map(TaskFilter::decode).transpose()?;
        let follow =
            resolver::event::follow(ctx.request(), only, resolver::event::CHANGES, place(after.as_deref())?).await?;
        let tasks_only = filter.tasks_only;
        let wanted = move |entry: &Entry| {
            let matches =
                |filter: &crate::resolver::task::Filter| entry.task.as_ref().is_some_and(|task| filter.matches(task));
            !(tasks_only && entry.event.subtask_id.is_some()) && tasks.as_ref().is_none_or(matches)
        };
        let batches = futures::stream::try_unfold(follow, |mut follow| async move {
            let batch = follow.next().await?;
            Ok::<_, async_graphql::Error>(Some((batch, follow)))
        });
        Ok(one_by_one(batches, move |entry: &Arc<Entry>| wanted(entry).then(|| TaskChange(entry.clone()))))
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
        let follow = resolver::progress::follow(ctx.request(), task, place(after.as_deref())?).await?;
        let batches = futures::stream::try_unfold(follow, |mut follow| async move {
            Ok::<_, async_graphql::Error>(follow.next().await?.map(|batch| (batch, follow)))
        });
        Ok(one_by_one(batches, |entry: &Arc<Entry>| Some(TaskProgress::from(&**entry))))
    }

    /// The lines of a subtask's log from `fromLine` on, as they are written; it ends when the subtask and its task
    /// have ended and every line was sent. Go on with the last `nextLine`.
    async fn subtask_log(
        &self,
        ctx: &Context<'_>,
        subtask_id: ID,
        #[graphql(default = 1)] from_line: i64,
    ) -> Result<impl Stream<Item = Result<LogPage>> + use<>> {
        let subtask = taskloom_entity::SubtaskId(id::decode("Subtask", &subtask_id)?);
        let follow = resolver::log::follow(ctx.request(), subtask, from_line).await?;
        Ok(futures::stream::try_unfold(follow, |mut follow| async move {
            Ok(follow.next().await?.map(|page| (LogPage::from(page), follow)))
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
