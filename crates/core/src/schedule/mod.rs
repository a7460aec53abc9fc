//! When work is due: expressions, intervals, and how long after its due time an occurrence starts. Pure: a zone is given
//! to it, and so is the time.
//!
//! An occurrence comes from its schedule alone, never from the occurrence before it, so nothing drifts; what is next is
//! strictly after what was asked.

mod cron;
mod expression;
mod field;
mod interval;
mod jitter;
mod refusal;
#[cfg(test)]
mod tests;
pub mod zone;

pub use cron::CronTimes;
pub use expression::Expression;
pub use interval::Interval;
pub use jiff::tz::{TimeZone, TimeZoneDatabase};
pub use jitter::delay;
pub use refusal::{Refusal, RefusalCode};
