//! Lines by which a program speaks: `::progress 0.4 text`, `::output key=value`, `::warning text`.
//!
//! A line that only looks like one is an ordinary line: nothing a program writes is lost.

use crate::work::Report;

/// What every directive begins with.
pub(super) const PREFIX: &[u8] = b"::";
const OUTPUT: &[u8] = b"::output ";
/// The longest key, in bytes.
const KEY: usize = 255;

/// The report that a line, without its end, asks for.
pub(super) fn parse(line: &[u8]) -> Option<Report> {
    let line = std::str::from_utf8(line.strip_prefix(PREFIX)?).ok()?;
    let (name, rest) = line.split_once(' ')?;
    match name {
        "progress" => progress(rest.trim()),
        "output" => output(rest.trim_ascii_start()),
        "warning" => Some(rest.trim()).filter(|text| !text.is_empty()).map(|text| Report::Warning(text.to_owned())),
        _ => None,
    }
}

fn progress(rest: &str) -> Option<Report> {
    let (fraction, text) = rest.split_once(' ').map_or((rest, ""), |(fraction, text)| (fraction, text.trim()));
    let fraction = fraction.parse().ok().filter(|fraction| (0.0..=1.0).contains(fraction))?;
    Some(Report::Progress { fraction, text: Some(text).filter(|text| !text.is_empty()).map(str::to_owned) })
}

fn output(rest: &str) -> Option<Report> {
    let (key, value) = rest.split_once('=')?;
    let report = || Report::Output { key: key.to_owned(), value: value.strip_suffix('\r').unwrap_or(value).to_owned() };
    is_key(key.as_bytes()).then(report)
}

/// Keys are names as parameters have them, since an output is a parameter of the steps downstream.
fn is_key(key: &[u8]) -> bool {
    if key.len() > KEY {
        return false;
    }
    let is_first = |first: u8| first == b'_' || first.is_ascii_alphabetic();
    let is_other = |other: u8| matches!(other, b'_' | b'-' | b'.') || other.is_ascii_alphanumeric();
    key.split_first().is_some_and(|(first, rest)| is_first(*first) && rest.iter().all(|other| is_other(*other)))
}

/// Where the value begins, if the line that begins so is an output.
pub(super) fn value_at(line: &[u8]) -> Option<usize> {
    let rest = line.strip_prefix(OUTPUT)?;
    let equals = memchr::memchr(b'=', rest)?;
    is_key(rest[..equals].trim_ascii_start()).then_some(OUTPUT.len() + equals + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_understood() {
        let progress =
            |fraction, text: Option<&str>| Some(Report::Progress { fraction, text: text.map(str::to_owned) });
        assert_eq!(parse(b"::progress 0.4 half way"), progress(0.4, Some("half way")));
        assert_eq!(parse(b"::progress 1"), progress(1.0, None));
        assert_eq!(parse(b"::progress 0 \r"), progress(0.0, None));
        let output = |key: &str, value: &str| Some(Report::Output { key: key.to_owned(), value: value.to_owned() });
        assert_eq!(parse(b"::output key=a=b c"), output("key", "a=b c"));
        assert_eq!(parse(b"::output key=\r"), output("key", ""));
        assert_eq!(parse(b"::output  key=x\r\r"), output("key", "x\r"));
        assert_eq!(parse("::warning 慢".as_bytes()), Some(Report::Warning("慢".to_owned())));
    }

    #[test]
    fn a_key_has_an_end() {
        let line = |length| format!("::output {}=x", "k".repeat(length)).into_bytes();
        assert!(parse(&line(KEY)).is_some() && value_at(&line(KEY)).is_some());
        assert!(parse(&line(KEY + 1)).is_none() && value_at(&line(KEY + 1)).is_none());
    }

    #[test]
    fn an_output_is_known_by_its_beginning() {
        assert_eq!(value_at(b"::output  a.b-c="), Some(16));
        assert_eq!(value_at(b"::output a=b=c"), Some(11));
        for line in [&b"::output a"[..], b"::output a b=", b"::output =", b"::warning a=", b"::output", b""] {
            assert_eq!(value_at(line), None, "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for line in [
            &b"::progress"[..],
            b"::progress 1.5",
            b"::progress -0.1",
            b"::progress NaN",
            b"::progress 40%",
            b"::progress half",
            b"::output key",
            b"::output =x",
            b"::output a b=x",
            b"::output 1a=x",
            b"::warning ",
            b"::warning",
            b"::other x",
            b":: progress 1",
            b"::",
            b":",
            b"",
            b"::output k=\xff",
            b" ::progress 1",
        ] {
            assert_eq!(parse(line), None, "{}", String::from_utf8_lossy(line));
        }
    }
}
