//! Everything that has an id, found by it.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, Result};
use taskloom_entity::{AttemptId, AuditId, DefinitionId, EventId, SubtaskId, TaskId, VsphereTaskId};

use super::attempt::Attempt;
use super::audit::AuditEntry;
use super::context::Has;
use super::definition::Definition;
use super::event::TaskEvent;
use super::secret::Secret;
use super::source::DataSource;
use super::subtask::Subtask;
use super::task::Task;
use super::tenant::Tenant;
use super::token::Token;
use super::user::User;
use super::vcenter::Vcenter;
use super::vsphere::VsphereTask;
use super::{secret, source, tenant, token, user, vcenter};
use crate::error::Kind;
use crate::gql::id;
use crate::resolver;

/// Something with an id.
#[derive(Clone, Debug, Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque and unique."))]
pub enum Node {
    /// A task.
    Task(Task),
    /// A subtask.
    Subtask(Subtask),
    /// An attempt.
    Attempt(Attempt),
    /// A definition.
    Definition(Definition),
    /// A user.
    User(User),
    /// A tenant.
    Tenant(Tenant),
    /// A token.
    Token(Token),
    /// A secret, without its value.
    Secret(Secret),
    /// A data source, without its password.
    DataSource(DataSource),
    /// A vCenter, without its password.
    Vcenter(Vcenter),
    /// A task of a vCenter.
    VsphereTask(VsphereTask),
    /// An act.
    AuditEntry(AuditEntry),
    /// Something that happened to a task.
    TaskEvent(TaskEvent),
}

/// Anything by its id.
#[derive(Debug, Default)]
pub struct NodeQuery;

/// Anything by its id.
#[Object]
impl NodeQuery {
    /// The thing of this id; none when there is no such thing, or it is of another tenant.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        Ok(find(ctx, &id).await?)
    }

    /// The things of these ids, at most 100 at a time, in their order.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        Ok(futures::future::try_join_all(ids.iter().map(|id| find_among(ctx, id))).await?)
    }
}

/// One of several: what mostly comes in numbers is read together.
async fn find_among(ctx: &Context<'_>, id: &ID) -> crate::error::Result<Option<Node>> {
    let Some((kind, _)) = id::split(id) else { return Ok(None) };
    let loaders = ctx.loaders();
    Ok(match kind.as_str() {
        "Task" => loaders.one(TaskId(id::decode("Task", id)?)).await?.map(|task| Node::Task(Task(task))),
        "Subtask" => {
            let subtask = loaders.one(SubtaskId(id::decode("Subtask", id)?)).await?;
            subtask.map(|subtask| Node::Subtask(Subtask(subtask)))
        }
        "Attempt" => {
            let Some(attempt) = loaders.one(AttemptId(id::decode("Attempt", id)?)).await? else { return Ok(None) };
            // Of a task that was deleted, attempts may be left: they are nobody's any more.
            loaders.one(attempt.subtask_id).await?.map(|_| Node::Attempt(Attempt(attempt)))
        }
        "VsphereTask" => {
            let task = loaders.one(VsphereTaskId(id::decode("VsphereTask", id)?)).await?;
            task.map(|task| Node::VsphereTask(VsphereTask(task)))
        }
        _ => return find(ctx, id).await,
    })
}

async fn find(ctx: &Context<'_>, id: &ID) -> crate::error::Result<Option<Node>> {
    let request = ctx.request();
    let Some((kind, _)) = id::split(id) else { return Ok(None) };
    let found = match kind.as_str() {
        "Task" => {
            let task = resolver::task::get(request, TaskId(id::decode("Task", id)?)).await;
            task.map(|task| Node::Task(Task(Arc::new(task))))
        }
        "Subtask" => {
            let subtask = resolver::subtask::get(request, SubtaskId(id::decode("Subtask", id)?).into()).await;
            subtask.map(|subtask| Node::Subtask(Subtask(Arc::new(subtask))))
        }
        "Attempt" => {
            let attempt = resolver::subtask::attempt(request, AttemptId(id::decode("Attempt", id)?)).await;
            attempt.map(|attempt| Node::Attempt(Attempt(attempt)))
        }
        "Definition" => {
            let kept = resolver::definition::get(request, DefinitionId(id::decode("Definition", id)?)).await;
            kept.map(|kept| Node::Definition(kept.into()))
        }
        "User" => resolver::user::get(request, user::key(id)?).await.map(|user| Node::User(user.into())),
        "Tenant" => resolver::tenant::get(request, tenant::key(id)?).await.map(|tenant| Node::Tenant(tenant.into())),
        "Token" => resolver::token::get(request, token::key(id)?).await.map(|token| Node::Token(token.into())),
        "Secret" => resolver::secret::get(request, secret::key(id)?).await.map(|secret| Node::Secret(secret.into())),
        "DataSource" => {
            resolver::source::get(request, source::key(id)?).await.map(|source| Node::DataSource(source.into()))
        }
        "Vcenter" => resolver::vcenter::get(request, vcenter::key(id)?).await.map(|row| Node::Vcenter(row.into())),
        "VsphereTask" => {
            let task = resolver::vsphere::task::get(request, VsphereTaskId(id::decode("VsphereTask", id)?)).await;
            task.map(|task| Node::VsphereTask(task.into()))
        }
        "AuditEntry" => {
            let act = resolver::audit::find(request, AuditId(id::decode("AuditEntry", id)?)).await?;
            return Ok(act.map(|act| Node::AuditEntry(act.into())));
        }
        "TaskEvent" => {
            let event = resolver::event::find(request, EventId(id::decode("TaskEvent", id)?)).await?;
            return Ok(event.map(|event| Node::TaskEvent(TaskEvent(event))));
        }
        _ => return Ok(None),
    };
    match found {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.code().kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
