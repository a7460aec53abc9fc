//! Instants at one distance from each other, counted in elapsed seconds: a day is 86,400 s, whatever the clocks show.

use crate::Timestamp;

const MICROSECONDS: i64 = 1_000_000;

/// `anchor + k × period`, from k = 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Seconds, at least 1.
    pub period: u32,
    pub anchor: Timestamp,
}

impl Interval {
    /// The first instant strictly after this one, by division: nothing drifts, and nothing is counted up to it.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        if after < self.anchor {
            return Some(self.anchor);
        }
        let period = i64::from(self.period.max(1)) * MICROSECONDS;
        let passed = after.0.checked_sub(self.anchor.0)? / period;
        let elapsed = passed.checked_add(1)?.checked_mul(period)?;
        self.anchor.0.checked_add(elapsed).map(Timestamp)
    }
}
