//! Objects of vCenters: names, and what lies in what.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use taskloom_entity::vsphere_object;

use super::super::context::Has;
use super::super::loader::ObjectOf;
use crate::gql::scalar::Instant;

/// How many folders a datacenter is looked for through.
const DEEP: usize = 32;

/// An object of a vCenter's inventory, as it was seen last; one that is gone there stays.
#[derive(Clone, Debug)]
pub struct VsphereObject(pub Arc<vsphere_object::Model>);

/// An object of a vCenter's inventory, as it was seen last; one that is gone there stays.
#[Object]
impl VsphereObject {
    /// `VirtualMachine:vm-119`.
    async fn reference(&self) -> &str {
        &self.0.reference
    }
    /// `VirtualMachine`.
    async fn kind(&self) -> &str {
        self.kind_of()
    }
    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// What it lies in.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        self.find(ctx, self.0.parent.clone()).await
    }
    /// The host that it is, or is on.
    async fn host(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        self.on_host(ctx).await
    }
    /// The datacenter that it is, or lies in.
    async fn datacenter(&self, ctx: &Context<'_>) -> Result<Option<VsphereObject>> {
        self.in_datacenter(ctx).await
    }
    /// When it was seen last, by Taskloom's clock.
    async fn seen_at(&self) -> Instant {
        self.0.seen_at.into()
    }
}

impl VsphereObject {
    fn kind_of(&self) -> &str {
        self.0.reference.split_once(':').map_or("", |(kind, _)| kind)
    }

    async fn find(&self, ctx: &Context<'_>, reference: Option<String>) -> Result<Option<Self>> {
        match reference {
            Some(reference) => Ok(ctx.loaders().one(ObjectOf(self.0.vcenter_id, reference)).await?.map(Self)),
            None => Ok(None),
        }
    }

    pub(super) async fn on_host(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        match self.kind_of() {
            "HostSystem" => Ok(Some(self.clone())),
            _ => self.find(ctx, self.0.host.clone()).await,
        }
    }

    pub(super) async fn in_datacenter(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        let mut at = Some(self.clone());
        for _ in 0..DEEP {
            match at {
                Some(found) if found.kind_of() == "Datacenter" => return Ok(Some(found)),
                // A machine of a vApp lies in nothing; its host does.
                Some(found) => at = self.find(ctx, found.0.parent.clone().or_else(|| found.0.host.clone())).await?,
                None => return Ok(None),
            }
        }
        Ok(None)
    }
}
