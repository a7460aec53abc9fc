//! Changes of tasks: one input, one payload with the changed object.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use taskloom_entity::{TaskId, task};

use super::super::change::{names_one, shows_one};
use super::super::context::Has;
use super::{SubmitTaskInput, Task, TaskFilterInput};
use crate::error::{Error, Language};
use crate::gql::id;
use crate::gql::many::Many;
use crate::gql::scalar::BigInt;
use crate::resolver;
use crate::resolver::task::bulk::{self, BulkSelection};
use crate::task::command::Verb;

names_one! {
    "Task" as TaskId:
    /// Which task is run again.
    RetryTaskInput
    /// Which task is undone.
    RollbackTaskInput
    /// Which task is stopped.
    CancelTaskInput
    /// Which task is frozen.
    PauseTaskInput
    /// Which task goes on.
    ResumeTaskInput
    /// Which task is removed.
    DeleteTaskInput
}

shows_one! {
    task: Task, of task::Model:
    /// The task that was accepted.
    SubmitTaskPayload
    /// The task that runs again.
    RetryTaskPayload
    /// The task that is undone.
    RollbackTaskPayload
    /// The task that stops.
    CancelTaskPayload
    /// The task that is frozen.
    PauseTaskPayload
    /// The task that goes on.
    ResumeTaskPayload
}

/// The task that was deleted.
#[derive(Clone, Debug, SimpleObject)]
pub struct DeleteTaskPayload {
    /// As it was.
    task: Task,
    /// Its id, which is free of use now.
    deleted_id: ID,
}

/// A task that a bulk operation did not change.
#[derive(Clone, Debug, SimpleObject)]
pub struct RefusedTask {
    /// Which.
    id: ID,
    /// The code of the refusal.
    code: String,
    /// Why.
    message: String,
}

/// Payloads of changes of many tasks.
macro_rules! shows_many {
    ($($(#[$about:meta])* $payload:ident)+) => {$(
        $(#[$about])*
        #[derive(Debug, SimpleObject)]
        pub struct $payload {
            /// How many match: with `dryRun` all of them, whatever may be done with them; else those of this call.
            count: BigInt,
            /// Those that were changed; none with `dryRun`.
            tasks: Many<Task>,
            /// Those that were refused, and why.
            refused: Many<RefusedTask>,
            /// More match than one call takes (1,000): call again.
            has_more: bool,
        }

        impl $payload {
            async fn of(ctx: &Context<'_>, wanted: BulkSelection, verb: Verb) -> Result<Self> {
                let done = bulk::run(ctx.request(), &wanted, verb).await?;
                Ok(Self {
                    count: BigInt(done.count.cast_signed()),
                    tasks: done.tasks.into_iter().map(Task::from).collect(),
                    refused: done.refused.into_iter().map(|it| RefusedTask::of(it, ctx.request().language)).collect(),
                    has_more: done.more,
                })
            }
        }
    )+};
}

shows_many! {
    /// What became of the tasks that were to run again.
    RetryTasksPayload
    /// What became of the tasks that were to be undone.
    RollbackTasksPayload
    /// What became of the tasks that were to stop.
    CancelTasksPayload
    /// What became of the tasks that were to freeze.
    PauseTasksPayload
    /// What became of the tasks that were to go on.
    ResumeTasksPayload
    /// What became of the tasks that were to be removed.
    DeleteTasksPayload
}

impl RefusedTask {
    fn of((task, error): (TaskId, Error), language: Language) -> Self {
        Self { id: id::encode("Task", task), code: error.code().name.to_owned(), message: error.message(language) }
    }
}

fn wanted(
    filter: Option<TaskFilterInput>,
    all: Option<bool>,
    dry_run: Option<bool>,
) -> crate::error::Result<BulkSelection> {
    let filter = filter.unwrap_or_default().decode()?;
    BulkSelection::new(filter, all.unwrap_or_default(), dry_run.unwrap_or_default())
}

/// Changes of tasks.
#[derive(Debug, Default)]
pub struct TaskMutation;

/// Changes of tasks.
#[Object]
impl TaskMutation {
    /// Accepts a task. It is on disk before the answer; sent again with the same `idempotencyKey` it is the same task.
    async fn submit_task(&self, ctx: &Context<'_>, input: SubmitTaskInput) -> Result<SubmitTaskPayload> {
        Ok(resolver::task::submit(ctx.request(), input.decode()?).await?.into())
    }

    /// Runs again what failed. Subtasks that have finished are not repeated.
    async fn retry_task(&self, ctx: &Context<'_>, input: RetryTaskInput) -> Result<RetryTaskPayload> {
        Ok(resolver::task::retry(ctx.request(), input.decode()?).await?.into())
    }

    /// Undoes what ran, against the arrows.
    async fn rollback_task(&self, ctx: &Context<'_>, input: RollbackTaskInput) -> Result<RollbackTaskPayload> {
        Ok(resolver::task::rollback(ctx.request(), input.decode()?).await?.into())
    }

    /// Stops what runs, with all its processes; what has not begun never begins.
    async fn cancel_task(&self, ctx: &Context<'_>, input: CancelTaskInput) -> Result<CancelTaskPayload> {
        Ok(resolver::task::cancel(ctx.request(), input.decode()?).await?.into())
    }

    /// Freezes what runs; nothing new starts.
    async fn pause_task(&self, ctx: &Context<'_>, input: PauseTaskInput) -> Result<PauseTaskPayload> {
        Ok(resolver::task::pause(ctx.request(), input.decode()?).await?.into())
    }

    /// Lets a paused task go on.
    async fn resume_task(&self, ctx: &Context<'_>, input: ResumeTaskInput) -> Result<ResumeTaskPayload> {
        Ok(resolver::task::resume(ctx.request(), input.decode()?).await?.into())
    }

    /// Removes an ended task with its subtasks, attempts and logs; its events stay.
    async fn delete_task(&self, ctx: &Context<'_>, input: DeleteTaskInput) -> Result<DeleteTaskPayload> {
        let task = resolver::task::delete(ctx.request(), input.decode()?).await?;
        Ok(DeleteTaskPayload { deleted_id: id::encode("Task", task.id), task: task.into() })
    }

    /// Retries every task that matches, oldest first; one that is refused stops no other. All of them are changed only
    /// with `all` instead of a filter; `dryRun` counts and changes nothing.
    #[graphql(complexity = "100 + child_complexity")]
    async fn retry_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<RetryTasksPayload> {
        RetryTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Retry).await
    }

    /// Rolls back every task that matches, as `retryTasks` does.
    #[graphql(complexity = "100 + child_complexity")]
    async fn rollback_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<RollbackTasksPayload> {
        RollbackTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Rollback).await
    }

    /// Cancels every task that matches, as `retryTasks` does.
    #[graphql(complexity = "100 + child_complexity")]
    async fn cancel_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<CancelTasksPayload> {
        CancelTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Cancel).await
    }

    /// Pauses every task that matches, as `retryTasks` does.
    #[graphql(complexity = "100 + child_complexity")]
    async fn pause_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<PauseTasksPayload> {
        PauseTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Pause).await
    }

    /// Lets every task that matches go on, as `retryTasks` does.
    #[graphql(complexity = "100 + child_complexity")]
    async fn resume_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<ResumeTasksPayload> {
        ResumeTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Resume).await
    }

    /// Deletes every task that matches, as `retryTasks` does.
    #[graphql(complexity = "100 + child_complexity")]
    async fn delete_tasks(
        &self,
        ctx: &Context<'_>,
        filter: Option<TaskFilterInput>,
        #[graphql(default_with = "Some(false)")] all: Option<bool>,
        #[graphql(default_with = "Some(false)")] dry_run: Option<bool>,
    ) -> Result<DeleteTasksPayload> {
        DeleteTasksPayload::of(ctx, wanted(filter, all, dry_run)?, Verb::Delete).await
    }
}
