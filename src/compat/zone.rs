//! In which zone a dialect writes its instants.

use chrono::{DateTime, FixedOffset, Local};
use taskloom_entity::Timestamp;

/// The zone of this machine, or a fixed one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub Option<FixedOffset>);

impl Zone {
    /// The instant in this zone.
    #[must_use]
    pub fn at(self, at: Timestamp) -> DateTime<FixedOffset> {
        match self.0 {
            Some(offset) => at.utc().with_timezone(&offset),
            None => at.utc().with_timezone(&Local).fixed_offset(),
        }
    }
}
