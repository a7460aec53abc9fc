//! What is to be said of a collection that goes on all the same: a wait that hangs, a clock that jumped, tasks that could
//! not be read. A person sees it where the state is shown.

use std::time::Duration;

use taskloom_entity::Timestamp;

use crate::resolver::vsphere::collect::{Collection, Unreadable};

/// How long it is said that a clock jumped.
const SAID: Duration = Duration::from_secs(3600);

/// What is to be said.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Since when no wait was answered.
    hangs: Option<Timestamp>,
    /// How far the clock jumped, in microseconds, and when.
    pub(super) jump: Option<(i64, Timestamp)>,
    pub(super) unreadable: Unreadable,
    /// Whether it is to be written.
    pub(super) is_new: bool,
}

impl Remarks {
    /// What was said last.
    pub(super) fn of(stands: &Collection) -> Self {
        let jump = stands.clock_jump.zip(stands.clock_jumped_at);
        Self { jump, unreadable: Unreadable::of(stands.unreadable.as_ref()), ..Self::default() }
    }

    /// No wait is answered.
    pub(super) fn hang(&mut self, now: Timestamp) {
        self.is_new |= self.hangs.is_none();
        self.hangs = self.hangs.or(Some(now));
    }

    /// Whether no wait is answered.
    pub(super) fn is_hanging(&self) -> bool {
        self.hangs.is_some()
    }

    /// A wait was answered.
    pub(super) fn answer(&mut self) {
        self.is_new |= self.hangs.take().is_some();
    }

    /// The clock jumped.
    pub(super) fn jump(&mut self, micros: i64, now: Timestamp) {
        self.jump = Some((micros, now));
        self.is_new = true;
    }

    /// A word for what weighs most, and a sentence for each.
    pub(super) fn words(&self, now: Timestamp) -> Option<(String, String)> {
        let hangs = self.hangs.map(|since| {
            format!("the vCenter answers no wait for updates since {since}, though all else: waits are begun anew")
        });
        let jump = self.jump.filter(|(_, at)| now.since(*at) < SAID).map(|(micros, at)| {
            let (way, seconds) = (if micros < 0 { "back" } else { "forward" }, micros.unsigned_abs() / 1_000_000);
            format!("the vCenter's clock jumped {way} by {seconds} s, seen at {at}")
        });
        let all = [("WAIT_HANGS", hangs), ("CLOCK_JUMPED", jump), ("UNREADABLE_TASKS", self.unreadable.sentence())];
        let said: Vec<(&str, String)> = all.into_iter().filter_map(|(word, text)| Some((word, text?))).collect();
        let word = said.first()?.0.to_owned();
        let texts: Vec<String> = said.into_iter().map(|(_, text)| text).collect();
        Some((word, texts.join("; ")))
    }
}
