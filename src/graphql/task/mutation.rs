//! Changes of tasks: one input, one payload with the changed object.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{TaskId, task};

use super::super::context::Has;
use super::super::id;
use super::{SubmitTaskInput, Task, TaskFilter};
use crate::error::Language;
use crate::resolver;
use crate::task::command::Verb;

/// Which task.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "TaskIdInput")]
pub(super) struct TaskInput {
    /// Its id.
    id: ID,
}

/// The changed task.
#[derive(Clone, Debug, SimpleObject)]
pub struct TaskPayload {
    /// As it stands now.
    task: Task,
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

/// What became of many tasks.
#[derive(Clone, Debug, SimpleObject)]
pub struct BulkPayload {
    /// Those that were changed.
    tasks: Vec<Task>,
    /// Those that were refused, and why.
    refused: Vec<RefusedTask>,
    /// More match than one call takes (1,000): call again.
    has_more: bool,
}

impl From<task::Model> for TaskPayload {
    fn from(task: task::Model) -> Self {
        Self { task: Task(Arc::new(task)) }
    }
}

fn decode(input: &TaskInput) -> crate::error::Result<TaskId> {
    id::decode("Task", &input.id).map(TaskId)
}

async fn bulk(ctx: &Context<'_>, filter: TaskFilter, verb: Verb) -> Result<BulkPayload> {
    let done = resolver::task::bulk::run(ctx.request(), &filter.decode()?, verb).await?;
    let language: Language = ctx.request().language;
    let refused = |(task, error): (TaskId, crate::error::Error)| RefusedTask {
        id: id::encode("Task", task),
        code: error.code().name.to_owned(),
        message: error.message(language),
    };
    Ok(BulkPayload {
        tasks: done.tasks.into_iter().map(|task| Task(Arc::new(task))).collect(),
        refused: done.refused.into_iter().map(refused).collect(),
        has_more: done.more,
    })
}

/// Changes of tasks.
#[derive(Debug, Default)]
pub struct TaskMutation;

/// Changes of tasks.
#[Object]
impl TaskMutation {
    /// Accepts a task. It is on disk before the answer; sent again with the same `idempotencyKey` it is the same task.
    async fn submit_task(&self, ctx: &Context<'_>, input: SubmitTaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::submit(ctx.request(), input.decode()?).await?.into())
    }

    /// Runs again what failed. Subtasks that have finished are not repeated.
    async fn retry_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::retry(ctx.request(), decode(&input)?).await?.into())
    }

    /// Undoes what ran, against the arrows.
    async fn rollback_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::rollback(ctx.request(), decode(&input)?).await?.into())
    }

    /// Stops what runs, with all its processes; what has not begun never begins.
    async fn cancel_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::cancel(ctx.request(), decode(&input)?).await?.into())
    }

    /// Freezes what runs; nothing new starts.
    async fn pause_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::pause(ctx.request(), decode(&input)?).await?.into())
    }

    /// Lets a paused task go on.
    async fn resume_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<TaskPayload> {
        Ok(resolver::task::resume(ctx.request(), decode(&input)?).await?.into())
    }

    /// Removes an ended task with its subtasks, attempts and logs; its events stay.
    async fn delete_task(&self, ctx: &Context<'_>, input: TaskInput) -> Result<DeleteTaskPayload> {
        let task = resolver::task::delete(ctx.request(), decode(&input)?).await?;
        Ok(DeleteTaskPayload { deleted_id: id::encode("Task", task.id), task: Task(Arc::new(task)) })
    }

    /// Retries every task that matches, oldest first; one that is refused stops no other.
    #[graphql(complexity = "100 + child_complexity")]
    async fn retry_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Retry).await
    }

    /// Rolls back every task that matches.
    #[graphql(complexity = "100 + child_complexity")]
    async fn rollback_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Rollback).await
    }

    /// Cancels every task that matches.
    #[graphql(complexity = "100 + child_complexity")]
    async fn cancel_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Cancel).await
    }

    /// Pauses every task that matches.
    #[graphql(complexity = "100 + child_complexity")]
    async fn pause_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Pause).await
    }

    /// Lets every task that matches go on.
    #[graphql(complexity = "100 + child_complexity")]
    async fn resume_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Resume).await
    }

    /// Deletes every task that matches.
    #[graphql(complexity = "100 + child_complexity")]
    async fn delete_tasks(&self, ctx: &Context<'_>, filter: TaskFilter) -> Result<BulkPayload> {
        bulk(ctx, filter, Verb::Delete).await
    }
}
