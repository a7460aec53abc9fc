//! The collection of vCenters' tasks: one collector a vCenter, on one server at a time.
//!
//! Each server looks for vCenters without a collector and takes a lease on them. A server that dies is noticed when
//! another has seen its leases stand for 16 seconds; each looks every two.

mod clock;
mod collector;
mod divide;
mod listen;
mod names;
mod read;
mod remarks;
mod round;
mod writer;

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::collector::Collector;
use self::writer::Writer;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{self, Leases};

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How often vCenters without a collector are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Collects until `stop`.
pub async fn run(request: Request, stop: CancellationToken) {
    let owner = uuid::Uuid::now_v7().to_string();
    let writer = Writer::start(request.clone());
    let mut collectors = JoinSet::new();
    let mut leases = Leases::default();
    if let Err(error) = collect::begin(&request).await {
        tracing::warn!(error = ?error, "leases of an earlier run end by themselves");
    }
    while !stop.is_cancelled() {
        match collect::claim(&request, (&owner, &mut leases), LEASE).await {
            Ok(claimed) => {
                for (vcenter, lease, _) in claimed {
                    let collector = Collector::new(request.clone(), writer.clone(), (vcenter, lease));
                    collectors.spawn(collector.run(stop.child_token()));
                }
            }
            Err(error) => tracing::warn!(error = ?error, "vCenters cannot be looked for: trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
            Some(_) = collectors.join_next() => {}
        }
    }
    while collectors.join_next().await.is_some() {}
}
