//! Operations on tasks of vCenters.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::VsphereTaskId;

use super::super::context::Has;
use super::super::id;
use super::VsphereTask;
use crate::resolver::vsphere::task;

/// Which task.
#[derive(Debug, InputObject)]
pub struct CancelVsphereTaskInput {
    /// Its id.
    id: ID,
}

/// The task.
#[derive(Debug, SimpleObject)]
pub struct VsphereTaskPayload {
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
    ) -> Result<VsphereTaskPayload> {
        let id = VsphereTaskId(id::decode("VsphereTask", &input.id)?);
        Ok(VsphereTaskPayload { vsphere_task: task::cancel(ctx.request(), id).await?.into() })
    }
}
