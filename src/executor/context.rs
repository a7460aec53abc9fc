//! What a work without a process needs: how far it may go, what is unreadable, where it speaks to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::mask::Mask;
use super::orders::Orders;
use super::output::system;
use super::policy::Reach;
use super::work::{Finished, Order, Outcome, Report, StopReason};
use crate::clock::Clock;
use crate::text::Text;

/// What the surroundings of a work without a process are.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) reach: Arc<Reach>,
    pub(super) mask: Mask,
    pub(super) parameters: Map<String, Value>,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Surroundings {
    /// A line for the log.
    pub(super) async fn note(&self, text: &str) {
        // Nobody listens any more: there is no log to write to.
        let _ = self.reports.send(self.line(text)).await;
    }

    /// A line for the log, unless that is full: for what must not wait.
    pub(super) fn note_now(&self, text: &str) {
        let _ = self.reports.try_send(self.line(text));
    }

    fn line(&self, text: &str) -> Report {
        system(&self.mask.text(text), self.clock.now())
    }

    pub(super) fn failed(&self, message: &str) -> Finished {
        // Masked before it is cut: half a secret would not be known.
        Finished::bare(Outcome::Failed, Some(Text::message(&self.mask.text(message)).into_string()))
    }
}

/// Waits until the work may begin; why it may not.
pub(super) async fn wait_for_go(orders: &mut Orders) -> Option<StopReason> {
    let mut order = orders.current();
    loop {
        match order {
            Order::Run => return None,
            Order::Stop(reason) | Order::Kill(reason) => return Some(reason),
            Order::Pause => order = orders.next().await,
        }
    }
}
