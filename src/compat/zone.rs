//! In which zone a dialect writes its instants.

use chrono::{DateTime, FixedOffset, Local};
use chrono_tz::Tz;
use taskloom_entity::Timestamp;

/// A zone by its name; none: this machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(pub Option<Tz>);

impl Zone {
    /// The instant in this zone.
    #[must_use]
    pub fn at(self, at: Timestamp) -> DateTime<FixedOffset> {
        match self.0 {
            Some(zone) => at.utc().with_timezone(&zone).fixed_offset(),
            None => at.utc().with_timezone(&Local).fixed_offset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_the_offset_of_its_season() {
        let at = |text: &str, zone: Tz| {
            let instant = DateTime::parse_from_rfc3339(text).unwrap();
            Zone(Some(zone)).at(Timestamp(instant.timestamp_micros())).to_rfc3339()
        };
        assert_eq!(at("2026-01-15T12:00:00Z", Tz::Europe__Stockholm), "2026-01-15T13:00:00+01:00");
        assert_eq!(at("2026-07-15T12:00:00Z", Tz::Europe__Stockholm), "2026-07-15T14:00:00+02:00");
        assert_eq!(at("2026-07-15T12:00:00Z", Tz::Asia__Shanghai), "2026-07-15T20:00:00+08:00");
    }
}
