//! Follows tasks of vCenters.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, Subscription};
use futures::Stream;

use super::super::context::Has;
use super::super::event::{one_by_one, place};
use super::super::list::OrderedList;
use super::super::state::VsphereTaskState;
use super::super::vcenter;
use super::VsphereTask;
use crate::feed::event::VsphereEntry;
use crate::gql::scalar::Instant;
use crate::resolver::vsphere::task;

/// The log of events of vCenters' tasks.
pub const EVENTS: OrderedList = OrderedList::by_id("vsphereEvents");

/// A change of a vCenter's task, with the task as it stands.
#[derive(Clone, Debug)]
pub struct VsphereTaskChange(Arc<VsphereEntry>);

/// A change of a vCenter's task, with the task as it stands.
#[Object]
impl VsphereTaskChange {
    /// Go on behind this one with `after`.
    async fn cursor(&self) -> String {
        EVENTS.cursor(self.0.event.id.0)
    }
    /// When it was on disk here, by Taskloom's clock.
    async fn at(&self) -> Instant {
        self.0.event.at.into()
    }
    /// The state by then.
    async fn state(&self) -> VsphereTaskState {
        self.0.event.state.into()
    }
    /// The progress by then, 0 to 100.
    async fn percent(&self) -> Option<i32> {
        self.0.event.progress
    }
    /// The task as it stood when the event was read; none when it was deleted by then.
    async fn task(&self, ctx: &Context<'_>) -> Result<Option<VsphereTask>> {
        match &self.0.task {
            Some(task) => Ok(Some(VsphereTask(task.clone()))),
            None => Ok(ctx.loaders().one(self.0.event.task_id).await?.map(VsphereTask)),
        }
    }
}

/// Follows tasks of vCenters.
#[derive(Debug, Default)]
pub struct VsphereSubscription;

/// Follows tasks of vCenters.
#[Subscription]
impl VsphereSubscription {
    /// Each change of the tasks of the caller's vCenters, or of one of them, once and in order. With `after`, a cursor of
    /// an earlier one, what happened meanwhile comes first; without it, what happens from now on. What ended before
    /// Taskloom saw the vCenter for the first time is in no event.
    async fn vsphere_task_changed(
        &self,
        ctx: &Context<'_>,
        vcenter_id: Option<ID>,
        after: Option<String>,
    ) -> Result<impl Stream<Item = Result<VsphereTaskChange>> + use<>> {
        let vcenter = vcenter_id.as_ref().map(vcenter::key).transpose()?;
        let follow = task::follow(ctx.request(), vcenter, place(&EVENTS, after.as_deref())?).await?;
        let batches = futures::stream::try_unfold(follow, |mut follow| async move {
            let batch = follow.next().await?;
            Ok::<_, async_graphql::Error>(Some((batch, follow)))
        });
        Ok(one_by_one(batches, |entry| Some(VsphereTaskChange(entry.clone()))))
    }
}
