//! One writer for all collectors of a process: what many vCenters tell at about the same time is one transaction.
//!
//! It ends when the last collector has gone. A report that was not written is answered with the error, and whoever
//! brought it reads it again from the vCenter.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::divide::{self, ReportOutcome, Written};
use crate::error::Error;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{Report, ReportSource};

/// How long a change waits for others.
const GATHER: Duration = Duration::from_millis(100);
/// Tasks of one transaction, about.
const MOST: usize = 4000;

/// Hands reports to the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<(Report, oneshot::Sender<ReportOutcome>)>);

impl Writer {
    /// Starts the writer; it is watched by whoever holds its handle.
    pub(super) fn start(request: Request) -> (Self, AbortOnDropHandle<()>) {
        let (sender, receiver) = mpsc::channel(64);
        (Self(sender), AbortOnDropHandle::new(tokio::spawn(write(request, receiver))))
    }

    /// Writes a report; returns when it is on disk.
    pub(super) async fn write(&self, report: Report) -> ReportOutcome {
        if report.tasks.is_empty() {
            return Ok(Written { is_held: true, refused: vec![] });
        }
        let (sender, receiver) = oneshot::channel();
        let gone = |_| Arc::new(Error::internal(std::io::Error::other("the writer has ended")));
        self.0.send((report, sender)).await.map_err(|_| gone(()))?;
        receiver.await.map_err(|_| gone(()))?
    }
}

async fn write(request: Request, mut receiver: mpsc::Receiver<(Report, oneshot::Sender<ReportOutcome>)>) {
    while let Some(first) = receiver.recv().await {
        let mut all = vec![first];
        gather(&mut receiver, &mut all).await;
        let (reports, senders): (Vec<Report>, Vec<_>) = all.into_iter().unzip();
        let answers = divide::record(&request, &reports).await;
        for (answer, sender) in answers.into_iter().zip(senders) {
            // Who has gone meanwhile needs no answer.
            let _ = sender.send(answer);
        }
    }
}

/// Waits a moment for others; not where somebody reads a long history.
async fn gather(
    receiver: &mut mpsc::Receiver<(Report, oneshot::Sender<ReportOutcome>)>,
    all: &mut Vec<(Report, oneshot::Sender<ReportOutcome>)>,
) {
    let until = tokio::time::Instant::now() + GATHER;
    let is_full = |all: &Vec<(Report, _)>| {
        let tasks: usize = all.iter().map(|(report, _)| report.tasks.len()).sum();
        tasks >= MOST || all.iter().any(|(report, _)| report.source != ReportSource::Live)
    };
    while !is_full(all) {
        match tokio::time::timeout_at(until, receiver.recv()).await {
            Ok(Some(next)) => all.push(next),
            Ok(None) | Err(_) => return,
        }
    }
}
