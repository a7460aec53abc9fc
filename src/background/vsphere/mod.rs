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

use std::panic::resume_unwind;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use self::collector::Collector;
use self::writer::Writer;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{self, Leases};
use crate::supervise;

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// How often vCenters without a collector are looked for.
const LOOK: Duration = Duration::from_secs(2);

/// Collects until `stop`.
pub async fn run(request: Request, stop: CancellationToken) {
    let owner = uuid::Uuid::now_v7().to_string();
    let (writer, mut writing) = Writer::start(request.clone());
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
            // Nobody renews its lease any more: it is taken anew as soon as that has stood for too long.
            Some(ended) = collectors.join_next() => {
                if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
                    supervise::failed("collector", panic.as_ref());
                }
            }
            // Without it no collector gets further: all begin anew.
            ended = &mut writing => match ended.map_err(JoinError::try_into_panic) {
                Err(Ok(panic)) => resume_unwind(panic),
                Ok(()) | Err(Err(_)) => panic!("the writer has ended"),
            },
        }
    }
    while collectors.join_next().await.is_some() {}
}
