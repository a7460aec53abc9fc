//! Why a subtask is not running.

use async_graphql::{Enum, ID, SimpleObject};

use crate::gql::id;
use crate::gql::scalar::Instant;
use crate::task::Snapshot;
use crate::task::waiting::Reason;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum WaitingReason {
    /// Upstreams are not done.
    Upstreams,
    /// Upstreams failed: somebody has to retry or skip them.
    FailedUpstreams,
    /// Downstreams are to be undone first.
    Downstreams,
    /// The task is paused.
    Paused,
    /// Automatic retry waits until `until`.
    Backoff,
    /// No living worker has the labels it needs.
    NoWorker,
    /// Every worker that could take it is full.
    NoSlot,
    /// Its worker is silent; it is taken again when the lease ends, at `until`.
    LostWorker,
    /// A worker will take it in a moment.
    Queued,
    /// The task is being cancelled or has ended.
    Ended,
}

/// One reason why a subtask is not running.
#[derive(Clone, Debug, SimpleObject)]
pub struct Waiting {
    /// Why.
    reason: WaitingReason,
    /// In a sentence.
    message: String,
    /// Until when, where an instant is known.
    until: Option<Instant>,
    /// The subtasks it waits for.
    subtask_ids: Vec<ID>,
    /// The labels it waits for.
    labels: Vec<String>,
}

impl Waiting {
    /// The reason with names.
    #[must_use]
    pub fn new(snapshot: &Snapshot, reason: Reason) -> Self {
        let names =
            |of: &[usize]| of.iter().map(|&at| snapshot.subtasks[at].name.as_str()).collect::<Vec<_>>().join(", ");
        let plain = |reason, message: &str| Self::bare(reason, message.to_owned());
        let waits = |reason, of: &[usize], message: String| Self {
            subtask_ids: of.iter().map(|&at| id::encode("Subtask", snapshot.subtasks[at].id)).collect(),
            ..Self::bare(reason, message)
        };
        match reason {
            Reason::Upstreams(of) => waits(WaitingReason::Upstreams, &of, format!("waits for {}", names(&of))),
            Reason::FailedUpstreams(of) => {
                waits(WaitingReason::FailedUpstreams, &of, format!("{} failed: retry or skip it", names(&of)))
            }
            Reason::Downstreams(of) => {
                waits(WaitingReason::Downstreams, &of, format!("{} is undone first", names(&of)))
            }
            Reason::Paused => plain(WaitingReason::Paused, "the task is paused: resume it"),
            Reason::Queued => plain(WaitingReason::Queued, "a worker will take it in a moment"),
            Reason::NoSlot => plain(WaitingReason::NoSlot, "every worker that could take it is full"),
            Reason::Ended => plain(WaitingReason::Ended, "the task is being cancelled or has ended"),
            Reason::NoWorker(requires) => Self {
                labels: requires.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect(),
                ..Self::bare(WaitingReason::NoWorker, no_worker(&requires))
            },
            Reason::Backoff(at) => {
                Self { until: Some(at.into()), ..Self::bare(WaitingReason::Backoff, format!("is tried again at {at}")) }
            }
            Reason::LostWorker(at) => Self {
                until: Some(at.into()),
                ..Self::bare(WaitingReason::LostWorker, format!("its worker is silent; it is taken again after {at}"))
            },
        }
    }

    fn bare(reason: WaitingReason, message: String) -> Self {
        Self { reason, message, until: None, subtask_ids: vec![], labels: vec![] }
    }
}

fn no_worker(requires: &str) -> String {
    if requires.is_empty() {
        "no worker is alive".into()
    } else {
        format!("no living worker has the labels {requires}")
    }
}
