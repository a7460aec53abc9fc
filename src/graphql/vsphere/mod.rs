//! Tasks of vCenters: the type, the lists, what belongs to one, the subscription.

mod filter;
mod mutation;
mod object;
mod query;
mod subscription;

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use taskloom_entity::vsphere_task;

pub use filter::{VsphereTaskFilterInput, VsphereTaskOrderInput};
pub use mutation::VsphereMutation;
pub use object::VsphereObject;
pub use query::{VsphereQuery, VsphereStatistics, VsphereTaskPage};
pub use subscription::{EVENTS, VsphereSubscription};

use super::context::Has;
use super::loader::{LabelsOf, ObjectOf, VsphereKey};
use super::state::{Language, TaskState, VsphereReason, VsphereTaskState};
use super::task::{Origin, Target};
use super::vcenter::Vcenter;
use crate::gql::id;
use crate::gql::many::Many;
use crate::gql::scalar::{BigInt, Instant, Json};
use crate::resolver::any;
use crate::resolver::page::Part;
use crate::resolver::vsphere::label;
use crate::resolver::vsphere::task::VsphereTaskFilter;

/// Parts of one task at the most.
const CHILDREN: u64 = 1000;

/// A task of a vCenter, as it was seen last. Its instants are by the vCenter's clock, but for `seenAt` and `changedAt`.
#[derive(Clone, Debug)]
pub struct VsphereTask(pub Arc<vsphere_task::Model>);

impl From<vsphere_task::Model> for VsphereTask {
    fn from(row: vsphere_task::Model) -> Self {
        Self(Arc::new(row))
    }
}

/// A task of a vCenter, as it was seen last. Its instants are by the vCenter's clock, but for `seenAt` and `changedAt`.
#[Object]
impl VsphereTask {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("VsphereTask", self.0.id)
    }
    /// Taskloom's number of it.
    async fn database_id(&self) -> BigInt {
        BigInt(self.0.id.0)
    }
    /// The vCenter's key of it, such as `task-3074`.
    async fn key(&self) -> &str {
        &self.0.key
    }
    /// The vCenter that runs it.
    async fn vcenter(&self, ctx: &Context<'_>) -> Result<Option<Vcenter>> {
        Ok(ctx.loaders().one(self.0.vcenter_id).await?.map(|row| (*row).clone().into()))
    }
    /// What the operation is called: by the vCenter's own catalogue, else by Taskloom's, else by its method; in the
    /// request's language.
    pub async fn name(&self, ctx: &Context<'_>) -> Result<String> {
        self.label(ctx, ctx.request().language).await
    }
    /// The same in a language of your choice.
    async fn name_in(&self, ctx: &Context<'_>, language: Language) -> Result<String> {
        self.label(ctx, language.into()).await
    }
    /// The operation's id in the vCenter's catalogue, such as `VirtualMachine.reconfigure`.
    async fn operation(&self) -> &str {
        &self.0.description_id
    }
    /// The method that was called, such as `ReconfigVM_Task`; none: an internal task.
    async fn method(&self) -> Option<&str> {
        self.0.name.as_deref()
    }
    /// Where it stands, in the words of all tasks.
    pub async fn state(&self) -> TaskState {
        any::state(&self.0).into()
    }
    /// Where it stands, in the vCenter's words.
    async fn vsphere_state(&self) -> VsphereTaskState {
        self.0.state.into()
    }
    /// 0 to 1.
    pub async fn progress(&self) -> f64 {
        match (self.0.state, self.0.progress) {
            (taskloom_entity::VsphereTaskState::Success, _) => 1.0,
            (_, progress) => f64::from(progress.unwrap_or_default()) / 100.0,
        }
    }
    /// 0 to 100, while it runs and tells.
    async fn percent(&self) -> Option<i32> {
        self.0.progress
    }
    /// Whether somebody asked for its end.
    async fn cancelled(&self) -> bool {
        self.0.cancelled
    }
    /// Whether `cancelVsphereTask` may be asked for.
    async fn cancelable(&self) -> bool {
        self.0.cancelable
    }
    /// The vCenter forgot it before it told how it ended: its outcome is unknown.
    async fn is_lost(&self) -> bool {
        self.0.is_lost
    }
    /// Who began it; empty: the vCenter itself, a schedule or an alarm.
    pub async fn user(&self) -> &str {
        self.0.username.as_deref().unwrap_or_default()
    }
    /// What began it.
    async fn reason(&self) -> VsphereReason {
        self.0.reason.into()
    }
    /// What it is meant for.
    pub async fn target(&self) -> Option<Target> {
        self.0.entity_name.clone().map(Target::of_object)
    }
    /// The object that it works on, as `VirtualMachine:vm-119`.
    async fn entity(&self) -> Option<&str> {
        self.0.entity.as_deref()
    }
    /// That object's name by then.
    async fn entity_name(&self) -> Option<&str> {
        self.0.entity_name.as_deref()
    }
    /// That object, as the inventory has it.
    async fn object(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        self.own_object(ctx).await
    }
    /// The host that it works on, or that its virtual machine is on now.
    async fn host(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        match self.own_object(ctx).await? {
            Some(own) => own.on_host(ctx).await,
            None => Ok(None),
        }
    }
    /// The datacenter that its object lies in.
    async fn datacenter(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        match self.own_object(ctx).await? {
            Some(own) => own.in_datacenter(ctx).await,
            None => Ok(None),
        }
    }
    /// What went wrong, by its type, such as `InvalidPowerState`.
    async fn fault(&self) -> Option<&str> {
        self.0.fault.as_deref()
    }
    /// What went wrong, in the vCenter's words.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }
    /// What it is doing, in the vCenter's words.
    async fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }
    /// What else the vCenter tells of it (description, locked objects, error, result, reason, tags), in the form of the
    /// vSphere API's JSON.
    async fn info(&self) -> Option<Json> {
        self.0.rest.as_ref().map(Json::from)
    }
    /// The number of its events in the vCenter.
    async fn event_chain_id(&self) -> i32 {
        self.0.event_chain_id
    }
    /// The key of the task that it is a part of.
    async fn parent_key(&self) -> Option<&str> {
        self.0.parent_key.as_deref()
    }
    /// The key of the task that everything began with.
    async fn root_key(&self) -> Option<&str> {
        self.0.root_key.as_deref()
    }
    /// The task that it is a part of.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<VsphereTask>> {
        self.by_key(ctx, self.0.parent_key.clone()).await
    }
    /// The task that everything began with.
    async fn root(&self, ctx: &Context<'_>) -> Result<Option<VsphereTask>> {
        self.by_key(ctx, self.0.root_key.clone()).await
    }
    /// The tasks that are parts of it, the oldest first; a thousand at the most.
    #[graphql(complexity = "20 * child_complexity + 1")]
    async fn children(&self, ctx: &Context<'_>) -> Result<Many<VsphereTask>> {
        let filter = VsphereTaskFilter {
            vcenter_id: Some(self.0.vcenter_id),
            parent_key: Some(self.0.key.clone()),
            queued_from: Some(self.0.queued_at),
            ..VsphereTaskFilter::default()
        };
        let part = Part { limit: CHILDREN, ..Part::default() };
        let order = (crate::resolver::vsphere::task::VsphereTaskOrder::QueuedAt, false);
        let slice = Box::pin(crate::resolver::vsphere::task::list(ctx.request(), &filter, order, &part)).await?;
        Ok(slice.rows.into_iter().map(Self::from).collect())
    }
    /// When it was queued.
    pub async fn created_at(&self) -> Instant {
        self.0.queued_at.into()
    }
    /// When it began.
    pub async fn started_at(&self) -> Option<Instant> {
        self.0.started_at.map(Into::into)
    }
    /// When it ended.
    pub async fn finished_at(&self) -> Option<Instant> {
        self.0.completed_at.map(Into::into)
    }
    /// When Taskloom saw it first, by Taskloom's clock.
    async fn seen_at(&self) -> Instant {
        self.0.seen_at.into()
    }
    /// When Taskloom saw it change last, by Taskloom's clock.
    async fn changed_at(&self) -> Instant {
        self.0.changed_at.into()
    }
    /// Which system runs it.
    pub async fn origin(&self) -> Origin {
        Origin::Vsphere
    }
}

impl VsphereTask {
    async fn label(&self, ctx: &Context<'_>, language: crate::error::Language) -> Result<String> {
        let own = ctx.loaders().one(LabelsOf(self.0.vcenter_id, self.0.description_id.clone())).await?;
        Ok(label::of(&self.0, own.as_deref().map_or(&[], Vec::as_slice), language))
    }

    async fn own_object(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        match &self.0.entity {
            Some(entity) => {
                let found = ctx.loaders().one(ObjectOf(self.0.vcenter_id, entity.clone())).await?;
                Ok(found.map(VsphereObject))
            }
            None => Ok(None),
        }
    }

    async fn by_key(&self, ctx: &Context<'_>, key: Option<String>) -> Result<Option<Self>> {
        match key {
            Some(key) => Ok(ctx.loaders().one(VsphereKey(self.0.instance_id, key)).await?.map(Self)),
            None => Ok(None),
        }
    }
}
