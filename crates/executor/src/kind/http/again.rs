//! `Retry-After` (RFC 9110, 10.2.3): how long a server wants to be left alone.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use taskloom_core::Timestamp;

/// The pause that an answer asks for, in whole seconds or until an instant; none when it asks for none that can be
/// read. An instant counts from the server's own clock, which it tells in `Date`; else from ours.
pub(super) fn after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) {
        // More than there are seconds is a long time all the same.
        return Some(Duration::from_secs(asked.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let theirs = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    let from = theirs.unwrap_or_else(|| SystemTime::from(now.utc()));
    Some(until.duration_since(from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:30Z.
    const NOW: Timestamp = Timestamp(784_111_770_000_000);

    fn of(asked: &str, date: Option<&str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, asked.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        after(&headers, NOW)
    }

    #[test]
    fn both_forms_are_read_and_dates_in_all_three() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of("120", None), seconds(120));
        assert_eq!(of(" 0 ", None), seconds(0));
        assert_eq!(of("99999999999999999999999", None), seconds(u64::MAX));
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(of(date, None), seconds(7), "{date}");
            // Their clock is five seconds ahead of ours.
            assert_eq!(of(date, Some("Sun, 06 Nov 1994 08:49:35 GMT")), seconds(2), "{date}");
        }
        assert_eq!(of("Sun, 06 Nov 1994 08:49:00 GMT", None), seconds(0), "it is over");
        for odd in ["", "-1", "1.5", "soon", "+3", "0x10", "Sun, 31 Feb 1994 08:49:37 GMT"] {
            assert_eq!(of(odd, None), None, "{odd}");
        }
    }
}
