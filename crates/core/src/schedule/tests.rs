//! The vectors, and what holds for every expression.

use jiff::tz;
use proptest::prelude::*;
use serde_json::Value;

use super::{CronTimes, Expression, Interval, Refusal, delay, zone};
use crate::Timestamp;

fn vectors(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    all[part].as_array().unwrap().clone()
}

fn text<'v>(vector: &'v Value, key: &str) -> &'v str {
    vector[key].as_str().unwrap()
}

fn instant(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

fn expected(vector: &Value) -> Vec<Timestamp> {
    vector["expected"].as_array().unwrap().iter().map(|at| instant(at.as_str().unwrap())).collect()
}

fn times(expression: &str, name: &str) -> Result<CronTimes, Refusal> {
    let expression = Expression::parse(expression)?;
    expression.check_dates()?;
    Ok(CronTimes { expression, zone: zone::named(name, tz::db())? })
}

fn after(mut at: Timestamp, many: usize, next: impl Fn(Timestamp) -> Option<Timestamp>) -> Vec<Timestamp> {
    let step = || {
        at = next(at)?;
        Some(at)
    };
    std::iter::from_fn(step).take(many).collect()
}

#[test]
fn expressions_have_the_instants_of_the_vectors() {
    for vector in vectors("occurrences") {
        let times = times(text(&vector, "expression"), text(&vector, "zone")).unwrap();
        let expected = expected(&vector);
        let found = after(instant(text(&vector, "after")), expected.len(), |at| times.next(at));
        assert_eq!(found, expected, "{vector}");
    }
}

#[test]
fn intervals_have_the_instants_of_the_vectors() {
    for vector in vectors("intervals") {
        let period = u32::try_from(vector["periodSeconds"].as_u64().unwrap()).unwrap();
        let interval = Interval { period, anchor: instant(text(&vector, "anchor")) };
        let expected = expected(&vector);
        let found = after(instant(text(&vector, "after")), expected.len(), |at| interval.next(at));
        assert_eq!(found, expected, "{vector}");
    }
}

#[test]
fn delays_are_those_of_the_vectors() {
    for vector in vectors("jitter") {
        let schedule = text(&vector, "schedule").replace('-', "");
        let schedule = u128::from_str_radix(&schedule, 16).unwrap().to_be_bytes();
        let jitter = u32::try_from(vector["jitterSeconds"].as_u64().unwrap()).unwrap();
        let found = delay(schedule, instant(text(&vector, "due")), vector["next"].as_str().map(instant), jitter);
        assert_eq!(u64::from(found), vector["expectedDelaySeconds"].as_u64().unwrap(), "{vector}");
    }
}

#[test]
fn what_the_vectors_refuse_is_refused_with_its_code() {
    for vector in vectors("refused") {
        let refused = times(text(&vector, "expression"), text(&vector, "zone")).unwrap_err();
        assert_eq!(refused.code.name(), text(&vector, "refusal"), "{vector}: {refused}");
    }
}

#[test]
fn a_refusal_names_its_field_and_what_would_be_right() {
    for (expression, said) in [
        ("5/15 * * * *", "STEP: minute: a step needs a range: say 5-59/15"),
        ("*/90 * * * *", "use an interval of 90 minutes"),
        ("* 22-2 * * *", "RANGE: hour: 22-2 runs backwards: say 22-23,0-2"),
        ("0 0 * * FRI-MON", "RANGE: weekday: FRI-MON runs backwards: say FRI-6,0-MON"),
        ("1,,15 * * * *", "SYNTAX: minute: there is nothing before or after a comma"),
        ("H * * * *", "SYNTAX: minute: `H` is nothing that it knows"),
        ("0 0 * * L", "L needs its day"),
        ("0 0 * JANUARY *", "names from JAN to DEC"),
        ("0 0 ٣ * *", "neither a plain letter"),
        ("0\u{a0}0 * * *", "neither a plain letter"),
        ("0 0\n* * *", "neither a plain letter"),
        ("0 ? * * *", "SYNTAX: hour"),
        ("0 0 +1 * *", "SYNTAX: day of month"),
        ("0 0 * * 1#0", "RANGE: weekday"),
        ("0 0 32W * *", "RANGE: day of month"),
        ("* * * * *-5", "SYNTAX: weekday"),
        ("@dayly", "the nearest is @daily"),
        ("0 0 * */2 */8", "STEP: weekday"),
        ("0 0 1 * */2", "AMBIGUOUS: weekday"),
        ("0 0 31W 4 *", "NEVER"),
        ("0 0 1-7 * +1#2", "NEVER"),
        ("* * * * * * *", "FIELDS: there are 7 fields; for a year use startAt and endAt"),
    ] {
        let refused = times(expression, "UTC").unwrap_err().to_string();
        assert!(refused.contains(said), "{expression}: {refused}");
    }
    assert!(Expression::parse(&"1,".repeat(200)).unwrap_err().to_string().contains("256 bytes"));
    for (name, said) in [
        ("", "say the name of a zone"),
        ("+02:00", "Etc/GMT-2"),
        ("GMT-5", "Etc/GMT+5"),
        ("Europe/Berln", "Europe/Berlin"),
        ("right/Europe/Berlin", "there is no zone"),
        ("../../etc/passwd", "there is no zone"),
    ] {
        let refused = times("0 0 * * *", name).unwrap_err().to_string();
        assert!(refused.starts_with("ZONE: zone: ") && refused.contains(said), "{name}: {refused}");
    }
}

#[test]
fn forms_mean_what_their_longer_forms_mean() {
    let start = instant("2026-01-01T00:00:00Z");
    for (form, long) in [
        ("@weekly", "0 0 * * SUN"),
        ("@yearly", "0 0 1 JAN *"),
        ("0 0 * * MON-SUN", "0 0 * * *"),
        ("0 0 * * */2", "0 0 * * 0,2,4,6"),
        ("0 0 ? * 5", "0 0 * * fri"),
        ("0 0 * * 5#L", "0 0 * * 5L"),
        ("0 0 0 * * 1", "0 0 * * 1"),
        ("0 0 1-31 * 1", "0 0 * * *"),
        ("\t0  0 * *\t1 ", "0 0 * * 1"),
        ("0 0 15,L * *", "0 0 L,15 * *"),
    ] {
        let list = |expression| {
            let times = times(expression, "UTC").unwrap();
            after(start, 100, |at| times.next(at))
        };
        assert_eq!(list(form), list(long), "{form}");
    }
}

#[test]
fn a_fraction_of_a_second_lies_after_its_second() {
    let times = times("* * * * * *", "UTC").unwrap();
    assert_eq!(times.next(instant("2026-01-01T12:00:00.5Z")), Some(instant("2026-01-01T12:00:01Z")));
    assert_eq!(times.next(instant("2026-01-01T12:00:00.000001Z")), Some(instant("2026-01-01T12:00:01Z")));
}

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Stockholm",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Asia/Tehran",
    "America/St_Johns",
];

/// A field: a star, a step over it, one value, a list or a range.
fn field(most: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("*".to_owned()),
        1 => (2..=most).prop_map(|step| format!("*/{step}")),
        3 => (0..=most).prop_map(|value| value.to_string()),
        1 => (0..=most, 0..=most).prop_map(|(one, other)| format!("{one},{other}")),
        1 => (0..=most, 0..=most).prop_map(|(one, other)| format!("{}-{}", one.min(other), one.max(other))),
    ]
}

proptest! {
    /// What is next ascends, matches the wall clock but at the end of a gap, and does not depend on where one begins.
    #[test]
    fn instants_ascend_and_are_the_same_from_everywhere(
        minute in field(59), hour in field(23), zone in 0..ZONES.len(), second in 1_199_145_600_i64..1_830_297_600,
    ) {
        let times = times(&format!("{minute} {hour} * * *"), ZONES[zone]).unwrap();
        let start = Timestamp(second * 1_000_000);
        let found = after(start, 40, |at| times.next(at));
        prop_assert_eq!(found.len(), 40);
        prop_assert!(found[0] > start && found.is_sorted_by(|one, next| one < next));
        for pair in found.windows(2) {
            let between = Timestamp(pair[0].0 + (pair[1].0 - pair[0].0) / 2);
            prop_assert_eq!(times.next(between), Some(pair[1]), "from within");
            prop_assert_eq!(times.next(Timestamp(pair[1].0 - 1)), Some(pair[1]), "from just before");
        }
    }
}
