//! Clients that never sleep: periodic jobs, and the collectors of vCenters. They call resolvers in the system's name.
//!
//! A job that does not get through is tried again at its next hour; nothing depends on the exact moment.

mod collect;
pub mod retention;
pub mod vsphere;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use tokio_cron_scheduler::{Job, JobScheduler};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::retention::Retention;
use crate::resolver::Request;
use crate::supervise;

/// Hourly, at a minute when nobody else's jobs run.
const HOURLY: &str = "0 17 * * * *";

/// Starts the jobs; they end with `stop`.
///
/// # Errors
/// When the scheduler cannot start.
pub async fn start(
    retention: Retention,
    request: Request,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (asked, ends) = (request.clone(), stop.clone());
    let follow_up = move || retention::follow_up(asked.clone(), ends.clone());
    tasks.spawn(supervise::again("removal", stop.clone(), follow_up));
    let mut scheduler = JobScheduler::new().await?;
    let (retention, request) = (Arc::new(retention), Arc::new(request));
    let job = Job::new_async(HOURLY, move |_, _| {
        let (retention, request) = (retention.clone(), request.clone());
        Box::pin(async move {
            if let Err(panic) = AssertUnwindSafe(retention.run(&request)).catch_unwind().await {
                supervise::failed("retention", panic.as_ref());
            }
        })
    })?;
    scheduler.add(job).await?;
    scheduler.start().await?;
    tasks.spawn(async move {
        stop.cancelled().await;
        if let Err(error) = scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler had ended already");
        }
    });
    Ok(())
}
