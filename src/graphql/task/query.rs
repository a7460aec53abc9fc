//! Questions about tasks.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, Result, SimpleObject};
use taskloom_entity::{SubtaskId, TaskId};

use super::super::context::Has;
use super::super::list::{OrderedList, connection_with};
use super::super::preview::Preview;
use super::super::state::{Action, TaskState};
use super::super::subtask::Subtask;
use super::super::vsphere::VsphereTask;
use super::filter::AnyTaskOrderInput;
use super::{LEGACY, Origin, Target, Task, TaskFilterInput, TaskOrderInput};
use crate::gql::id;
use crate::gql::many::{Many, Paged};
use crate::gql::page::{Args, USUAL, cost, numbered};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::resolver::any::{self, Any};
use crate::resolver::page::{Key, Kind};
use crate::resolver::task::TaskFilter;

/// Anything that runs somewhere and can be watched.
#[derive(Clone, Debug, Interface)]
#[expect(clippy::duplicated_attributes, reason = "two fields of one type are no repetition")]
#[graphql(
    field(name = "id", ty = "ID", desc = "Opaque and unique."),
    field(name = "name", ty = "String", desc = "What people call it."),
    field(name = "state", ty = "TaskState", desc = "Where it stands."),
    field(name = "progress", ty = "f64", desc = "0 to 1."),
    field(name = "user", ty = "&str", desc = "Who began it."),
    field(name = "target", ty = "Option<Target>", desc = "What it is meant for."),
    field(name = "created_at", ty = "Instant", desc = "When it was accepted."),
    field(name = "started_at", ty = "Option<Instant>", desc = "When it began."),
    field(name = "finished_at", ty = "Option<Instant>", desc = "When it ended."),
    field(name = "origin", ty = "Origin", desc = "Which system runs it.")
)]
pub enum TaskLike {
    /// One of Taskloom's own.
    Task(Task),
    /// One of a vCenter.
    VsphereTask(VsphereTask),
}

/// How many tasks a list has.
#[derive(Clone, Debug)]
pub struct TaskTotal(TaskFilter);

/// How many tasks a list has.
#[Object]
impl TaskTotal {
    /// How many match; counted only when asked for.
    #[graphql(complexity = "50")]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::task::count(ctx.request(), &self.0).await?.cast_signed()))
    }
}

/// How many tasks of all systems a list has.
#[derive(Clone, Debug)]
pub struct AnyTaskTotal(TaskFilter, Vec<any::TaskOrigin>);

/// How many tasks of all systems a list has.
#[Object]
impl AnyTaskTotal {
    /// How many match; counted only when asked for.
    #[graphql(complexity = "100")]
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(any::count(ctx.request(), &self.0, &self.1).await?.cast_signed()))
    }
}

/// A page by number, as legacy lists know it.
#[derive(Clone, Debug, SimpleObject)]
pub struct TaskPage {
    /// In order.
    nodes: Many<Task>,
    /// How many match in all.
    total_count: BigInt,
    /// How many pages of this size there are.
    total_pages: BigInt,
    /// From 1.
    number: i32,
    /// As asked for.
    size: i32,
}

type TaskConnection = Paged<ListRow<Task>, TaskTotal>;

/// Questions about tasks.
#[derive(Debug, Default)]
pub struct TaskQuery;

/// Questions about tasks.
#[Object]
impl TaskQuery {
    /// The caller's tasks; the newest first unless ordered otherwise.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection are given by the Relay specification")]
    async fn tasks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<TaskFilterInput>,
        order: Option<TaskOrderInput>,
    ) -> Result<TaskConnection> {
        let args = Args { first, after, last, before };
        let filter = filter.unwrap_or_default().decode()?;
        let order = order.unwrap_or_default().decode();
        let list = OrderedList::ordered("tasks", order.0, order.1, order.0.kind());
        let slice = resolver::task::list(ctx.request(), &filter, order, &list.part(&args)?).await?;
        Ok(connection_with(slice, TaskTotal(filter), |task| {
            let key = Key { value: order.0.value(&task), id: task.id.0 };
            (list.keyed_cursor(&key), ListRow(task.into()))
        }))
    }

    /// Everything that runs anywhere, in one order under one filter; the newest first unless ordered otherwise. Tasks of
    /// vCenters have a state, a name, a user, a tenant and instants to be asked for; a filter that asks for more finds
    /// none of them.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection are given by the Relay specification")]
    async fn all_tasks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<TaskFilterInput>,
        origins: Option<Vec<Origin>>,
        order: Option<AnyTaskOrderInput>,
    ) -> Result<Paged<TaskLike, AnyTaskTotal>> {
        let order = order.unwrap_or_default().decode();
        let list = OrderedList::ordered("allTasks", order.0, order.1, Kind::Number);
        let part = list.spots(&Args { first, after, last, before })?;
        let filter = filter.unwrap_or_default().decode()?;
        let origins = origins.unwrap_or_else(|| vec![Origin::Taskloom, Origin::Vsphere]);
        let origins: Vec<any::TaskOrigin> = origins.into_iter().map(Into::into).collect();
        let slice = any::list(ctx.request(), (&filter, &origins), order, &part).await?;
        Ok(connection_with(slice, AnyTaskTotal(filter, origins), |row| {
            let place = list.spot_cursor(row.spot(order.0));
            let node = match row {
                Any::Task(task) => TaskLike::Task(Task(Arc::from(task))),
                Any::Vsphere(task) => TaskLike::VsphereTask(VsphereTask(Arc::from(task))),
            };
            (place, node)
        }))
    }

    /// A page of the caller's tasks by its number, from 1, in several orders one within the other; the newest first
    /// unless ordered otherwise. For clients that cannot keep a cursor.
    #[graphql(complexity = "usize::try_from(size.unwrap_or(USUAL)).unwrap_or(0) * child_complexity + 50")]
    #[expect(clippy::too_many_arguments, reason = "a field has as many arguments as the schema gives it")]
    async fn task_page(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 1)] number: Option<i32>,
        #[graphql(default_with = "Some(USUAL)")] size: Option<i32>,
        filter: Option<TaskFilterInput>,
        order: Option<Vec<TaskOrderInput>>,
    ) -> Result<TaskPage> {
        let (number, size) = (i64::from(number.unwrap_or(1)), i64::from(size.unwrap_or(USUAL)));
        let part = numbered(number, size, LEGACY)?;
        let filter = filter.unwrap_or_default().decode()?;
        let orders: Vec<_> = order.unwrap_or_default().into_iter().map(TaskOrderInput::decode).collect();
        let (rows, total) = resolver::task::page(ctx.request(), &filter, &orders, part).await?;
        let total = total.cast_signed();
        Ok(TaskPage {
            nodes: rows.into_iter().map(Task::from).collect(),
            total_count: BigInt(total),
            total_pages: BigInt(total.unsigned_abs().div_ceil(size.unsigned_abs()).cast_signed()),
            number: i32::try_from(number).unwrap_or(i32::MAX),
            size: i32::try_from(size).unwrap_or(i32::MAX),
        })
    }

    /// One task, by its id or by its number.
    async fn task(&self, ctx: &Context<'_>, id: Option<ID>, database_id: Option<BigInt>) -> Result<Option<Task>> {
        let id = TaskId(id::pick("Task", id, database_id)?);
        Ok(Some(resolver::task::get(ctx.request(), id).await?.into()))
    }

    /// One subtask, by its id or by its number.
    async fn subtask(&self, ctx: &Context<'_>, id: Option<ID>, database_id: Option<BigInt>) -> Result<Option<Subtask>> {
        let id = SubtaskId(id::pick("Subtask", id, database_id)?);
        Ok(Some(resolver::subtask::get(ctx.request(), id.into()).await?.into()))
    }

    /// What an operation on a task or subtask would do, before it is done; or the refusal that it would get.
    async fn preview_operation(&self, ctx: &Context<'_>, id: ID, operation: Action) -> Result<Preview> {
        let target = match id::decode("Subtask", &id) {
            Ok(number) => {
                let subtask = resolver::subtask::get(ctx.request(), SubtaskId(number).into()).await?;
                (subtask.task_id, Some(subtask.id))
            }
            Err(_) => (TaskId(id::decode("Task", &id)?), None),
        };
        let (snapshot, preview) = resolver::task::preview(ctx.request(), target, operation.into()).await?;
        Ok(Preview::new(&snapshot, preview))
    }
}
