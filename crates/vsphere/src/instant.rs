//! Instants as XML Schema writes them.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// One call tells microseconds where another tells milliseconds with an error of rounding: instants of one thing that
/// lie nearer than this are one instant.
pub const APART: std::time::Duration = std::time::Duration::from_secs(1);

/// Parses `2026-03-02T08:15:04.113Z`, with any fraction (kept to microseconds) and any offset; none means UTC.
/// (XML Schema Part 2, dateTime.) Written by hand since a page of a history has three thousand of them.
pub(super) fn parse(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix('T')?.split_at_checked(8)?;
    let date = NaiveDate::from_ymd_opt(number(date, 0..4)? as i32, number(date, 5..7)?, number(date, 8..10)?)?;
    let separated = |text: &str, at: [usize; 2], by| at.iter().all(|at| text.as_bytes()[*at] == by);
    let (micros, zone) = fraction(rest)?;
    // XML Schema has midnight at the end of a day, too.
    let seconds = number(time, 0..2)? * 3600 + number(time, 3..5)? * 60 + number(time, 6..8)?;
    let valid = separated(text, [4, 7], b'-') && separated(time, [2, 5], b':') && seconds <= 86_400;
    let midnight = NaiveDateTime::new(date, NaiveTime::MIN);
    let elapsed = Duration::seconds(i64::from(seconds)) + Duration::microseconds(i64::from(micros));
    let instant = midnight.checked_add_signed(elapsed)?.checked_sub_signed(offset(zone)?)?;
    valid.then(|| instant.and_utc())
}

fn number(text: &str, digits: std::ops::Range<usize>) -> Option<u32> {
    text.as_bytes()
        .get(digits)?
        .iter()
        .try_fold(0, |number, digit| Some(number * 10 + char::from(*digit).to_digit(10)?))
}

/// Microseconds, and what follows the fraction.
fn fraction(text: &str) -> Option<(u32, &str)> {
    let Some(text) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let kept = &digits[..end.min(6)];
    let micros = number(kept, 0..kept.len())? * 10_u32.pow(u32::try_from(6 - kept.len()).ok()?);
    (end > 0).then_some((micros, rest))
}

fn offset(zone: &str) -> Option<Duration> {
    let sign = match zone.as_bytes() {
        [] | b"Z" => return Some(Duration::zero()),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let minutes = number(zone, 1..3)? * 60 + number(zone, 4..6)?;
    (minutes <= 14 * 60).then(|| Duration::minutes(sign * i64::from(minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_fractions_to_microseconds() {
        for (text, is) in [
            ("2026-03-02T08:15:04Z", "2026-03-02T08:15:04+00:00"),
            ("2026-03-02T08:15:04.113000Z", "2026-03-02T08:15:04.113+00:00"),
            ("2026-11-21T01:43:11.26341666Z", "2026-11-21T01:43:11.263416+00:00"),
            ("2026-03-02T08:15:09.99Z", "2026-03-02T08:15:09.990+00:00"),
            ("2026-03-02T08:15:04", "2026-03-02T08:15:04+00:00"),
            ("2026-03-02T08:15:04.5+08:00", "2026-03-02T00:15:04.500+00:00"),
            ("2026-03-02T23:15:04-05:30", "2026-03-03T04:45:04+00:00"),
            ("2026-03-02T24:00:00Z", "2026-03-03T00:00:00+00:00"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ] {
            assert_eq!(parse(text).map(|instant| instant.to_rfc3339()).as_deref(), Some(is), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02 08:15:04Z",
            "2026-13-02T08:15:04Z",
            "2026-02-30T08:15:04Z",
            "2026-03-02T08:15:04.Z",
            "2026-03-02T08:15:04+8:00",
            "2026-03-02T08:15:04+99:00",
            "2026/03/02T08:15:04Z",
            "2026-03-02T99:15:04Z",
            "２026-03-02T08:15:04Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
