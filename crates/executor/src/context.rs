//! What every kind of work is given beside its program: how far it may go, what is unreadable, where it speaks to.

use std::sync::Arc;

use serde_json::{Map, Value};
use taskloom_core::text::Text;
use tokio::sync::mpsc;

use super::drive::TimeLimit;
use super::line_clock::LineClock;
use super::mask::Mask;
use super::output::system;
use super::policy::OutboundPolicy;
use super::work::{Finished, Outcome, Report};

/// The surroundings of one running work. All that leaves it for the log or for a message goes through the mask.
#[derive(Clone, Debug)]
pub(super) struct WorkContext {
    pub(super) policy: Arc<OutboundPolicy>,
    pub(super) mask: Mask,
    pub(super) parameters: Map<String, Value>,
    pub(super) limit: TimeLimit,
    pub(super) reports: mpsc::Sender<Report>,
    pub(super) clock: LineClock,
}

impl WorkContext {
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

    /// The end of a work that went wrong.
    pub(super) fn failed(&self, message: &str) -> Finished {
        // Masked before it is cut: half a secret would not be known.
        Finished::bare(Outcome::Failed, Some(Text::message(&self.mask.text(message)).into_string()))
    }
}
