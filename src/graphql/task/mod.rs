//! Tasks: the type, the lists, and where to find what belongs to one.

mod filter;
mod input;
mod mutation;
mod query;
mod vsphere;

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use taskloom_entity::task;

pub use filter::{TaskFilterInput, TaskOrderField, TaskOrderInput};
pub use input::{LabelInput, SpecInput, SubmitTaskInput, TargetInput, source};
pub use mutation::TaskMutation;
pub use query::{TaskQuery, TaskTotal};

use super::context::Has;
use super::definition::Definition;
use super::event::{EVENTS, TaskEvent};
use super::list::connection;
use super::loader::TotalsOf;
use super::state::{Action, Operation, TaskState, TaskType};
use super::subtask::Subtask;
use crate::gql::id;
use crate::gql::many::{Many, Paged};
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant, StoredJson};
use crate::resolver;
use crate::resolver::read::Document;
use crate::resolver::task::submit::TargetFacts;
use crate::task::command::{self, Target as Of};

/// A task: a graph of subtasks that was accepted to be run.
#[derive(Clone, Debug)]
pub struct Task(pub Arc<task::Model>);

impl From<task::Model> for Task {
    fn from(task: task::Model) -> Self {
        Self(Arc::new(task))
    }
}

/// Which system runs a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::resolver::any::TaskOrigin")]
pub enum Origin {
    /// Taskloom itself.
    Taskloom,
    /// A vCenter.
    Vsphere,
}

/// What a task is meant for.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct Target {
    /// A cluster.
    cluster: Option<String>,
    /// A tenant of that cluster.
    tenant: Option<String>,
    /// A host.
    host: Option<String>,
    /// The cluster's number in the system that knows it.
    cluster_id: Option<BigInt>,
    /// The cluster's number in OceanBase.
    ob_cluster_id: Option<BigInt>,
    /// `PRIMARY` or `STANDBY`.
    cluster_type: Option<String>,
    /// The tenant's number in the system that knows it.
    tenant_id: Option<BigInt>,
    /// The tenant's number in OceanBase.
    ob_tenant_id: Option<BigInt>,
    /// `ORACLE` or `MYSQL`.
    tenant_mode: Option<String>,
    /// The host's number in the system that knows it.
    host_id: Option<BigInt>,
    /// An object of a vCenter, such as a virtual machine.
    object: Option<String>,
}

impl Target {
    /// An object of a vCenter.
    pub(super) fn of_object(name: String) -> Self {
        Self { object: Some(name), ..Self::default() }
    }

    fn of(task: &task::Model) -> Option<Self> {
        // What is more than a name comes with the name.
        if task.cluster.is_none() && task.target_tenant.is_none() && task.host.is_none() {
            return None;
        }
        let facts = TargetFacts::of(task);
        Some(Self {
            cluster: task.cluster.clone(),
            tenant: task.target_tenant.clone(),
            host: task.host.clone(),
            cluster_id: task.cluster_id.map(BigInt),
            ob_cluster_id: facts.ob_cluster_id.map(BigInt),
            cluster_type: facts.cluster_type,
            tenant_id: task.target_tenant_id.map(BigInt),
            ob_tenant_id: facts.ob_tenant_id.map(BigInt),
            tenant_mode: facts.tenant_mode,
            host_id: task.host_id.map(BigInt),
            object: None,
        })
    }
}

/// Who submitted a task.
#[derive(Clone, Debug, SimpleObject)]
pub struct Creator {
    /// The user's number; none: a part of Taskloom itself, or a guest.
    database_id: Option<BigInt>,
    /// The name at that time.
    name: String,
}

/// A label.
#[derive(Clone, Debug, SimpleObject)]
pub struct Label {
    /// Its name.
    key: String,
    /// Its value.
    value: String,
}

/// How many subtasks stand where.
#[derive(Clone, Copy, Debug, Default, SimpleObject)]
pub struct Totals {
    /// All of them.
    subtasks: i32,
    /// Waiting, or undone.
    pending: i32,
    /// To be taken.
    ready: i32,
    /// Running, or being stopped.
    running: i32,
    /// Failed.
    failed: i32,
    /// Done or skipped.
    successful: i32,
}

/// A task: a graph of subtasks that was accepted to be run.
#[Object]
impl Task {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Task", self.0.id)
    }
    /// The number that scripts and legacy clients know.
    async fn database_id(&self) -> BigInt {
        BigInt(self.0.id.0)
    }
    /// What people call it.
    pub async fn name(&self) -> &str {
        &self.0.name
    }
    /// Where it came from.
    #[graphql(name = "type")]
    async fn task_type(&self) -> TaskType {
        self.0.task_type.into()
    }
    /// Where it stands.
    pub async fn state(&self) -> TaskState {
        self.0.state.into()
    }
    /// What it is, or was last, doing.
    async fn operation(&self) -> Operation {
        self.0.operation.into()
    }
    /// 0 to 1; never runs backwards within an operation.
    pub async fn progress(&self) -> f64 {
        self.0.progress
    }
    /// Why it failed.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
    /// The name of who submitted it.
    pub async fn user(&self) -> &str {
        &self.0.creator
    }
    /// Who submitted it.
    async fn creator(&self) -> Creator {
        Creator { database_id: self.0.creator_id.map(|id| BigInt(id.0)), name: self.0.creator.clone() }
    }
    /// What it is meant for.
    pub async fn target(&self) -> Option<Target> {
        Target::of(&self.0)
    }
    /// Labels, for filters.
    async fn labels(&self) -> Many<Label> {
        let labels: serde_json::Map<String, serde_json::Value> = self.0.labels.parse().unwrap_or_default();
        let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        labels.into_iter().map(|(key, value)| Label { key, value: text(value) }).collect()
    }
    /// 1 to 100, the highest first.
    async fn priority(&self) -> i16 {
        self.0.priority
    }
    /// Which system runs it.
    pub async fn origin(&self) -> Origin {
        Origin::Taskloom
    }
    /// When it was accepted.
    pub async fn created_at(&self) -> Instant {
        self.0.created_at.into()
    }
    /// When its first subtask began.
    pub async fn started_at(&self) -> Option<Instant> {
        self.0.started_at.map(Into::into)
    }
    /// When it ended.
    pub async fn finished_at(&self) -> Option<Instant> {
        self.0.finished_at.map(Into::into)
    }
    /// The key it was submitted with.
    async fn idempotency_key(&self) -> Option<&str> {
        self.0.idempotency_key.as_deref()
    }
    /// The kept definition it was made of; none: it brought its own, which is `spec`.
    async fn definition(&self, ctx: &Context<'_>) -> Result<Option<Definition>> {
        match self.0.definition_id {
            Some(id) => Ok(ctx.loaders().one(id).await?.map(Definition)),
            None => Ok(None),
        }
    }
    /// The definition as it was accepted.
    async fn spec(&self, ctx: &Context<'_>) -> Result<Option<StoredJson>> {
        Ok(ctx.document(Document::TaskSpec, self.0.id.0).await?)
    }
    /// Its parameters, defaults filled in.
    async fn parameters(&self, ctx: &Context<'_>) -> Result<Option<StoredJson>> {
        Ok(ctx.document(Document::TaskParameters, self.0.id.0).await?)
    }
    /// The request of an old client, as it was sent; none: it came through this door.
    async fn submission(&self, ctx: &Context<'_>) -> Result<Option<StoredJson>> {
        Ok(ctx.document(Document::TaskSubmission, self.0.id.0).await?)
    }
    /// Its subtasks, upstreams first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn subtasks(&self, ctx: &Context<'_>) -> Result<Many<Subtask>> {
        let subtasks = ctx.subtasks(self.0.id).await?;
        Ok(subtasks.iter().cloned().map(Subtask).collect())
    }
    /// How many subtasks stand where.
    async fn totals(&self, ctx: &Context<'_>) -> Result<Totals> {
        use taskloom_entity::SubtaskState as S;
        let mut totals = Totals::default();
        for (state, count) in ctx.loaders().one(TotalsOf(self.0.id)).await?.unwrap_or_default() {
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            totals.subtasks += count;
            *match state {
                S::Pending => &mut totals.pending,
                S::Ready => &mut totals.ready,
                S::Running | S::Canceling => &mut totals.running,
                S::Failed => &mut totals.failed,
                S::Successful => &mut totals.successful,
            } += count;
        }
        Ok(totals)
    }
    /// Whether it can never be rolled back: its definition forbids it, or a subtask that has run does.
    async fn prohibit_rollback(&self, ctx: &Context<'_>) -> Result<bool> {
        let snapshot = ctx.snapshot(self.0.id).await?;
        Ok(snapshot.is_some_and(|snapshot| snapshot.forbids_rollback().is_some()))
    }
    /// What you may do with it now.
    async fn available_operations(&self, ctx: &Context<'_>) -> Result<Vec<Action>> {
        if !resolver::task::may_steer(ctx.request()) {
            return Ok(vec![]);
        }
        let snapshot = ctx.snapshot(self.0.id).await?;
        let available = snapshot.map(|snapshot| command::available(&snapshot, Of::Task)).unwrap_or_default();
        Ok(available.into_iter().map(Action::from).collect())
    }
    /// What happened to it, oldest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Paged<ListRow<TaskEvent>>> {
        let part = EVENTS.page(&Args { first, after, last, before })?;
        let slice = Box::pin(resolver::event::list(ctx.request(), self.0.id, part)).await?;
        Ok(connection(slice, |event| (EVENTS.cursor(event.id.0), ListRow(TaskEvent(event)))))
    }
}

/// The most rows of an offset page: the largest that a legacy list asks for.
const LEGACY: i64 = 2000;
