//! Instants as OCP writes them: ISO 8601 with the server's offset, the zeros at the end of the fraction left out.

use chrono::{DateTime, FixedOffset, SubsecRound};
use serde::{Serialize, Serializer};

/// An instant with its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub DateTime<FixedOffset>);

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Milliseconds, as the product has them.
        let at = self.0.trunc_subsecs(3);
        let fraction = at.format("%.3f").to_string();
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{}{fraction}{}", at.format("%Y-%m-%dT%H:%M:%S"), at.format("%:z"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_are_left_out() {
        for (sent, written) in [
            ("2021-08-25T14:30:27.270+08:00", "2021-08-25T14:30:27.27+08:00"),
            ("2021-08-25T15:09:32.697123+08:00", "2021-08-25T15:09:32.697+08:00"),
            ("2021-08-25T15:09:32.000900Z", "2021-08-25T15:09:32+00:00"),
            ("2021-08-25T15:09:30-03:30", "2021-08-25T15:09:30-03:30"),
        ] {
            assert_eq!(Time(DateTime::parse_from_rfc3339(sent).unwrap()).to_string(), written);
        }
    }
}
