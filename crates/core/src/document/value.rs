//! Values of one kind out of places: text, flags, numbers, durations, sizes. Each message says what would be right.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::place::{Faults, Place};
use super::tree::Content;
use super::word;

/// The longest duration that may be written.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What an executor may be limited to at the least: no interpreter starts with less.
const SMALLEST: u64 = 1 << 20;

const UNITS: [(&str, u64); 11] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("", 1),
];

/// A text.
pub fn text<'t>(place: &Place<'t>, faults: &mut Faults) -> Option<&'t str> {
    match &place.node.content {
        Content::Text(text) => Some(text),
        Content::Number(_) | Content::Bool(_) => {
            faults.add(place, format!("must be text, but is {}: put it in quotes", place.describe()));
            None
        }
        Content::Null | Content::List(_) | Content::Map(_) => {
            faults.add(place, format!("must be text, but is {}", place.describe()));
            None
        }
    }
}

/// `true` or `false`.
pub fn flag(place: &Place<'_>, faults: &mut Faults) -> Option<bool> {
    if let Content::Bool(flag) = place.node.content {
        return Some(flag);
    }
    faults.add(place, format!("must be `true` or `false`, but is {}", place.describe()));
    None
}

/// A list; its items are read by the caller.
pub fn list<'t, 'p>(place: &'p Place<'t>, faults: &mut Faults) -> impl Iterator<Item = Place<'t>> + use<'t, 'p> {
    if !matches!(place.node.content, Content::List(_)) {
        faults.add(place, format!("must be a list, such as `[…]`, but is {}", place.describe()));
    }
    place.items()
}

/// A whole number within `range`.
pub fn count(place: &Place<'_>, range: RangeInclusive<u32>, faults: &mut Faults) -> Option<u32> {
    let found = match &place.node.content {
        Content::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        Content::Null | Content::Bool(_) | Content::Text(_) | Content::List(_) | Content::Map(_) => None,
    };
    let found = found.filter(|number| range.contains(number));
    if found.is_none() {
        let (least, most) = range.into_inner();
        faults.add(place, format!("must be a whole number from {least} to {most}, but is {}", place.describe()));
    }
    found
}

/// A number above 0, up to `most`.
pub fn positive(place: &Place<'_>, most: u32, faults: &mut Faults) -> Option<f64> {
    let found = match &place.node.content {
        Content::Number(number) => number.as_f64().filter(|number| *number > 0.0 && *number <= f64::from(most)),
        Content::Null | Content::Bool(_) | Content::Text(_) | Content::List(_) | Content::Map(_) => None,
    };
    if found.is_none() {
        faults.add(place, format!("must be a number above 0, up to {most}, but is {}", place.describe()));
    }
    found
}

/// A duration: text such as `2m 30s`, or a number of seconds.
pub fn duration(place: &Place<'_>, faults: &mut Faults) -> Option<Duration> {
    let found = match &place.node.content {
        Content::Text(text) => humantime::parse_duration(text).ok(),
        Content::Number(number) => number.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        Content::Null | Content::Bool(_) | Content::List(_) | Content::Map(_) => None,
    };
    let Some(duration) = found else {
        let message = "must be a duration such as `30s`, `2m 30s` or `1h`, or a number of seconds, but is";
        faults.add(place, format!("{message} {}", place.describe()));
        return None;
    };
    if duration > LONGEST {
        faults.add(place, "is too long: at most 366 days");
        return None;
    }
    Some(duration)
}

/// A duration above zero.
pub fn time_limit(place: &Place<'_>, faults: &mut Faults) -> Option<Duration> {
    let duration = duration(place, faults)?;
    if duration.is_zero() {
        faults.add(place, "must be longer than zero: leave the key out for no limit");
        return None;
    }
    Some(duration)
}

/// A number of bytes: text such as `256MiB`, or a number.
pub fn size(place: &Place<'_>, faults: &mut Faults) -> Option<u64> {
    let found = match &place.node.content {
        Content::Number(number) => number.as_u64(),
        Content::Text(text) => bytes(text),
        Content::Null | Content::Bool(_) | Content::List(_) | Content::Map(_) => None,
    };
    let found = found.filter(|bytes| (SMALLEST..=i64::MAX.unsigned_abs()).contains(bytes));
    if found.is_none() {
        let message = "must be a size of at least 1MiB, such as `256MiB` or `2GiB`, or a number of bytes, but is";
        faults.add(place, format!("{message} {}", place.describe()));
    }
    found
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim_start();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// A name: 1 to 128 characters, not blank, no control characters.
pub fn name<'t>(place: &Place<'t>, faults: &mut Faults) -> Option<&'t str> {
    let name = text(place, faults)?;
    let wrong = if name.trim().is_empty() {
        "must not be blank".to_owned()
    } else if name.chars().count() > 128 {
        format!("is too long with {} characters: at most 128", name.chars().count())
    } else if let Some(control) = name.chars().find(|c| c.is_control()) {
        format!("must not contain control characters such as `{}`", control.escape_default())
    } else {
        return Some(name);
    };
    faults.add(place, wrong);
    None
}

/// A description: at most 10,000 characters.
pub fn description(place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let text = text(place, faults)?;
    if text.chars().count() > 10_000 {
        faults.add(place, "is too long: at most 10,000 characters");
        return None;
    }
    Some(text.to_owned())
}

/// A label of a worker: 1 to 64 characters without commas, blanks and controls.
pub fn label(place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let label = text(place, faults)?;
    let length = label.chars().count();
    if !(1..=64).contains(&length) || label.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
        let label = word::quote(label);
        faults
            .add(place, format!("{label} is no label: 1 to 64 characters without commas and blanks, such as `linux`"));
        return None;
    }
    Some(label.to_owned())
}
