//! Operations on tasks of vCenters.

use async_graphql::{Context, Object, Result, SimpleObject};
use taskloom_entity::VsphereTaskId;

use super::super::change::names_one;
use super::super::context::Has;
use super::VsphereTask;
use crate::resolver::vsphere::task;

names_one! {
    "VsphereTask" as VsphereTaskId:
    /// Which task its vCenter is asked to cancel.
    CancelVsphereTaskInput
}

/// The task.
#[derive(Debug, SimpleObject)]
pub struct CancelVsphereTaskPayload {
    /// As it stood when the vCenter was asked; how it ends is told by `vsphereTaskChanged`.
    vsphere_task: VsphereTask,
}

/// Operations on tasks of vCenters.
#[derive(Debug, Default)]
pub struct VsphereMutation;

#[Object]
impl VsphereMutation {
    /// Asks the vCenter to cancel a task that is `cancelable`.
    async fn cancel_vsphere_task(
        &self,
        ctx: &Context<'_>,
        input: CancelVsphereTaskInput,
    ) -> Result<CancelVsphereTaskPayload> {
        let task = task::cancel(ctx.request(), input.decode()?).await?;
        Ok(CancelVsphereTaskPayload { vsphere_task: task.into() })
    }
}
