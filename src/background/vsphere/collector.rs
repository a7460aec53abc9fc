//! The collector of a vCenter: one round after the other, a round being what one session sees.

use std::sync::atomic::Ordering;
use std::time::Duration;

use taskloom_entity::CollectionState;

use super::super::collect::{self, Claims, LEASE};
use super::leased::LeasedVcenter;
use super::round::VsphereRound;
use super::trouble::VsphereRoundEnd;
use super::writer::Writer;
use crate::error::Result;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{Lease, Leases, News, claim, release, renew};
use crate::vsphere::Error;

/// Finds vCenters without a collector.
#[derive(Debug)]
pub(super) struct VcenterClaims {
    pub(super) request: Request,
    pub(super) writer: Writer,
    /// Who takes the leases: this process.
    pub(super) owner: String,
    /// What was seen of those of others.
    pub(super) leases: Leases,
}

impl Claims for VcenterClaims {
    type Collector = VcenterCollector;

    async fn claim(&mut self) -> Result<Vec<VcenterCollector>> {
        let claimed = claim(&self.request, (&self.owner, &mut self.leases), LEASE).await?;
        let leased = |(vcenter, lease, _)| {
            VcenterCollector(LeasedVcenter::new(self.request.clone(), self.writer.clone(), (vcenter, lease)))
        };
        Ok(claimed.into_iter().map(leased).collect())
    }
}

/// The collector of a vCenter.
#[derive(Debug)]
pub(super) struct VcenterCollector(LeasedVcenter);

impl collect::Collector for VcenterCollector {
    type Trouble = Error;
    type Lease = VcenterLease;

    fn name(&self) -> &str {
        &self.0.vcenter.name
    }

    fn lease(&self) -> VcenterLease {
        VcenterLease { request: self.0.request.clone(), lease: self.0.lease.clone() }
    }

    async fn round(&mut self) -> VsphereRoundEnd {
        self.0.follows.store(false, Ordering::Relaxed);
        VsphereRound::run(&mut self.0).await
    }

    fn follows(&self) -> bool {
        self.0.follows()
    }

    async fn show(&mut self, why: (String, String)) -> Result<(), VsphereRoundEnd> {
        self.0.failed = Some(why.clone());
        self.0.tell(News { state: Some((CollectionState::Failing, Some(why))), ..News::default() }).await
    }

    async fn part(&mut self) {
        let last = self.0.session.take();
        self.0.part(last).await;
    }
}

/// The lease on a vCenter, kept in its collection's row.
#[derive(Debug)]
pub(super) struct VcenterLease {
    request: Request,
    lease: Lease,
}

impl collect::CollectorLease for VcenterLease {
    async fn renew(&self, time: Duration) -> Result<bool> {
        renew(&self.request, &self.lease, time).await
    }

    async fn release(&self) -> Result<()> {
        release(&self.request, &self.lease).await
    }
}
