//! The collection of vCenters' tasks: one collector a vCenter, on one server at a time.

mod clock;
mod collector;
mod divide;
mod leased;
mod listen;
mod names;
mod read;
mod remarks;
mod round;
mod trouble;
mod writer;

use std::panic::resume_unwind;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use self::collector::VcenterClaims;
use self::writer::Writer;
use super::collect;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{Leases, begin};

/// Collects until `stop`.
pub async fn run(request: Request, stop: CancellationToken) {
    if let Err(error) = begin(&request).await {
        tracing::warn!(error = ?error, "leases of an earlier run end by themselves");
    }
    let (writer, mut writing) = Writer::start(request.clone());
    let owner = uuid::Uuid::now_v7().to_string();
    let claims = VcenterClaims { request, writer, owner, leases: Leases::default() };
    tokio::select! {
        () = collect::run(claims, stop) => {}
        // Without it no collector gets further: all begin anew.
        ended = &mut writing => match ended.map_err(JoinError::try_into_panic) {
            Err(Ok(panic)) => resume_unwind(panic),
            Ok(()) | Err(Err(_)) => panic!("the writer has ended"),
        },
    }
}
