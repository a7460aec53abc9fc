//! Time zones by their names.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::refusal::{Refusal, RefusalCode};

/// In a folder of zones, but no zones for people: copies with other rules, and what this machine is set to.
const OTHERS: [&str; 5] = ["posix/", "right/", "localtime", "posixrules", "Factory"];

/// The zone of an IANA name (links too) or `UTC`.
///
/// # Errors
/// `ZONE`, with the nearest name.
pub fn named(name: &str, known: &TimeZoneDatabase) -> Result<TimeZone, Refusal> {
    let is_other = OTHERS.iter().any(|other| name.to_ascii_lowercase().starts_with(&other.to_ascii_lowercase()));
    if !is_other && let Ok(zone) = known.get(name) {
        return Ok(zone);
    }
    let reason = match offset_in(name) {
        Some((sign, hours)) => format!(
            "an offset is no zone, since it knows no summer time: name a place (Europe/Berlin), or Etc/GMT{}{hours}, \
             whose sign is the other way round",
            if sign == '+' { '-' } else { '+' }
        ),
        None => match nearest(name, known) {
            Some(near) => format!("there is no zone of this name; the nearest is {near}"),
            None => "say the name of a zone, such as Europe/Berlin or UTC".to_owned(),
        },
    };
    Err(Refusal::of(RefusalCode::Zone, "zone", reason))
}

/// `+2` of `UTC+2`, `GMT+02:00`, `+02`.
fn offset_in(name: &str) -> Option<(char, u32)> {
    let name = name.to_ascii_uppercase();
    let rest = ["UTC", "GMT"].iter().find_map(|word| name.strip_prefix(word)).unwrap_or(&name);
    let sign = rest.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
    let hours: String = rest.chars().skip(1).take(2).take_while(char::is_ascii_digit).collect();
    Some((sign, hours.parse().ok()?))
}

fn nearest(name: &str, known: &TimeZoneDatabase) -> Option<String> {
    let wanted = name.to_ascii_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&other.to_ascii_lowercase(), &wanted);
    let names = known.available().map(|name| name.to_string());
    names.filter(|_| !wanted.is_empty()).min_by_key(|other| distance(other))
}
