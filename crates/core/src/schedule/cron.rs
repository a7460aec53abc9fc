//! The instants of a cron expression in a time zone.
//!
//! A zone is a row of segments, each with one offset from UTC; only offsets count, not what they are called. Within a
//! segment civil times and instants are the same but for that offset. Between two of them the wall clock jumps:
//!
//! - forward: an appointment (no field of its clock begins with a star) that lies in the gap runs once at the gap's end;
//!   what repeats leaves the gap out.
//! - back: an appointment runs in the first pass only; what repeats runs in both.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp as Instant};

use super::expression::Expression;
use crate::Timestamp;

/// A cron expression in a zone.
#[derive(Clone, Debug)]
pub struct CronTimes {
    pub expression: Expression,
    pub zone: TimeZone,
}

/// A stretch of time with one offset.
#[derive(Clone, Copy, Debug)]
struct Segment {
    offset: Offset,
    /// When the next one begins, with its offset; none: never.
    next: Option<(Instant, Offset)>,
}

impl CronTimes {
    /// The first instant strictly after this one; none when there is no more.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let after = Instant::from_microsecond(after.0).ok()?;
        let mut segment = self.segment_of(after);
        // What repeats takes the second pass as it comes; an appointment has been in the first one.
        let past = whole(segment.local(after));
        let from = if self.expression.repeats() { past } else { past.max(self.end_of_first_pass(after)) };
        let mut found =
            if from > past { self.expression.civil_from(from)? } else { self.expression.civil_after(past)? };
        loop {
            if let Some(instant) = segment.instant(found) {
                return Some(Timestamp(instant.as_microsecond()));
            }
            let (start, offset) = segment.next?;
            let (old_end, new_start) = (segment.local(start), offset.to_datetime(start));
            segment = self.segment_of(start);
            if new_start > old_end {
                // In the gap, or at its end: `found` is not before the gap.
                if !self.expression.repeats() && found < new_start {
                    return Some(Timestamp(start.as_microsecond()));
                }
                if found < new_start {
                    found = self.expression.civil_from(new_start)?;
                }
            } else if self.expression.repeats() {
                found = self.expression.civil_from(new_start)?;
            }
        }
    }

    fn segment_of(&self, instant: Instant) -> Segment {
        let offset = self.zone.to_offset(instant);
        let mut later = self.zone.following(instant).map(|change| (change.timestamp(), change.offset()));
        Segment { offset, next: later.find(|(_, new)| *new != offset) }
    }

    /// The civil time up to which the segment of this instant says again what the one before has said; the beginning of
    /// time when the clock was not put back.
    fn end_of_first_pass(&self, instant: Instant) -> DateTime {
        let offset = self.zone.to_offset(instant);
        let next = instant.checked_add(SignedDuration::from_nanos(1)).unwrap_or(instant);
        // The changes before it, the latest first; each has the offset from there on.
        let mut start = None;
        for change in self.zone.preceding(next) {
            if change.offset() != offset {
                return start.map_or(DateTime::MIN, |start| change.offset().to_datetime(start));
            }
            start = Some(change.timestamp());
        }
        DateTime::MIN
    }
}

/// The second that it lies in: what matches begins with one.
fn whole(civil: DateTime) -> DateTime {
    civil.with().subsec_nanosecond(0).build().unwrap_or(civil)
}

impl Segment {
    fn local(&self, instant: Instant) -> DateTime {
        self.offset.to_datetime(instant)
    }

    /// None: it lies beyond this segment.
    fn instant(&self, civil: DateTime) -> Option<Instant> {
        let instant = self.offset.to_timestamp(civil).ok()?;
        self.next.is_none_or(|(end, _)| instant < end).then_some(instant)
    }
}
