//! Active time: what counts towards a time limit. It stands still while the work is paused.

use std::time::Duration;

use tokio::time::Instant;

/// Counts the time between `start` and now, without the pauses.
#[derive(Debug)]
pub(super) struct Stopwatch {
    spent: Duration,
    running_since: Option<Instant>,
}

impl Stopwatch {
    /// A stopwatch that runs from `now`.
    pub(super) fn start(now: Instant) -> Self {
        Self { spent: Duration::ZERO, running_since: Some(now) }
    }

    /// Stops counting; nothing happens when it does not count.
    pub(super) fn pause(&mut self, now: Instant) {
        if let Some(since) = self.running_since.take() {
            self.spent += now.saturating_duration_since(since);
        }
    }

    /// Counts on; nothing happens when it counts already.
    pub(super) fn resume(&mut self, now: Instant) {
        self.running_since.get_or_insert(now);
    }

    /// When `limit` is reached if nothing changes; `None` while it stands still.
    pub(super) fn due(&self, limit: Duration) -> Option<Instant> {
        // A limit beyond what the clock can name is none.
        self.running_since?.checked_add(limit.saturating_sub(self.spent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_do_not_count() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut watch = Stopwatch::start(start);
        watch.pause(start + 2 * second);
        assert_eq!(watch.due(5 * second), None);
        watch.pause(start + 3 * second);
        watch.resume(start + 60 * second);
        watch.resume(start + 61 * second);
        assert_eq!(watch.due(5 * second), Some(start + 63 * second));
        assert_eq!(watch.due(Duration::MAX), None);
    }
}
