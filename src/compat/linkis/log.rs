//! A job's log as Linkis shows it: one line in front that says the job was accepted, then its own; four texts by how
//! loud the lines are.

use serde_json::Value;
use taskloom_entity::TaskId;

use super::super::Zone;
use super::id::SERVICE;
use super::wire::LinkisNamedJob;

/// The most lines of one answer, whatever was asked for.
const MOST: i64 = 10_000;
const USUAL: i64 = 100;

/// Which lines are asked for; counted from 1, the line in front included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkisLogRange {
    /// The first.
    pub from: i64,
    /// How many at the most.
    pub size: i64,
}

impl LinkisLogRange {
    /// As a client sends it: 0 means 1, a negative size means all that one answer holds.
    #[must_use]
    pub fn new(from: Option<i64>, size: Option<i64>) -> Self {
        let size = match size.unwrap_or(USUAL) {
            size if size < 0 => MOST,
            size => size.min(MOST),
        };
        Self { from: from.unwrap_or(0).max(1), size }
    }

    /// Whether the line in front is among them.
    #[must_use]
    pub fn has_first(&self) -> bool {
        self.from == 1 && self.size > 0
    }

    /// The job's own lines that are wanted: from which, and how many.
    #[must_use]
    pub fn own(&self) -> (i64, i64) {
        ((self.from - 1).max(1), self.size - i64::from(self.has_first()))
    }
}

/// The line in front.
#[must_use]
pub fn accepted(named: &LinkisNamedJob<'_>, zone: Zone) -> String {
    let (at, id, TaskId(task)) = (zone.at(named.task.created_at), named.exec_id(), named.task.id);
    let at = at.format("%Y-%m-%d %H:%M:%S%.3f");
    format!(
        "{at} INFO Your job is accepted,  jobID is {id} and taskID is {task} in {SERVICE}. Please wait it to be scheduled"
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warn,
    Info,
}

/// The level that a line names behind its date and time; anything else is information.
fn level(line: &str) -> Level {
    let mut words = line.splitn(4, ' ');
    let (date, time, word) = (words.next(), words.next(), words.next());
    let shaped = |text: &str, marks: [u8; 2], lengths: [usize; 3]| {
        let mut parts = text.split(|c| marks.contains(&(c as u8)));
        let fits = lengths.iter().all(|length| {
            parts.next().is_some_and(|part| part.len() == *length && part.bytes().all(|byte| byte.is_ascii_digit()))
        });
        fits && parts.next().is_none()
    };
    let is_date = date.is_some_and(|date| shaped(date, *b"--", [4, 2, 2]));
    let seconds = time.map(|time| time.split(['.', ',']).next().unwrap_or_default());
    let is_time = seconds.is_some_and(|time| shaped(time, *b"::", [2, 2, 2]));
    // The level is a word of its own: a blank must follow it.
    if !(is_date && is_time && words.next().is_some()) {
        return Level::Info;
    }
    match word.map(|word| word.strip_prefix("SYSTEM-").unwrap_or(word)) {
        Some("ERROR") => Level::Error,
        Some("WARN") => Level::Warn,
        _ => Level::Info,
    }
}

/// The texts of error, warn, info and all lines.
#[must_use]
pub fn four(lines: &[String]) -> [String; 4] {
    let of = |wanted: Level| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).filter(|line| level(line) == wanted).collect();
        lines.join("\n")
    };
    [of(Level::Error), of(Level::Warn), of(Level::Info), lines.join("\n")]
}

/// The same as a client wants it: four texts, or one.
#[must_use]
pub fn shown(lines: &[String], distinct: bool) -> Value {
    if distinct { Value::from(four(lines).to_vec()) } else { Value::from(lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_from_one_and_zero_is_one() {
        for from in [None, Some(0), Some(1), Some(-5)] {
            let ask = LinkisLogRange::new(from, None);
            assert_eq!((ask.has_first(), ask.own()), (true, (1, 99)));
        }
        assert_eq!(LinkisLogRange::new(Some(2), Some(10)).own(), (1, 10));
        assert_eq!(LinkisLogRange::new(Some(102), Some(-1)).own(), (101, MOST));
        assert_eq!(LinkisLogRange::new(Some(1), Some(1)).own(), (1, 0));
        assert_eq!(LinkisLogRange::new(Some(1), Some(0)), LinkisLogRange { from: 1, size: 0 });
    }

    #[test]
    fn a_line_is_as_loud_as_it_says() {
        let lines = [
            "2021-08-25 14:30:27 ERROR disk full",
            "2021-08-25 14:30:27.270 SYSTEM-WARN slow",
            "",
            "ERROR without a date",
            "2021-08-25 14:30:27 INFO fine",
            "2021-8-25 14:30:27 ERROR odd date",
            "2021-08-25 14:30:27 ERROR",
        ]
        .map(str::to_owned);
        let [error, warn, info, all] = four(&lines);
        assert_eq!(error, lines[0]);
        assert_eq!(warn, lines[1]);
        assert_eq!(info, lines[2..].join("\n"));
        assert_eq!(all, lines.join("\n"));
        assert_eq!(four(&[]), [""; 4].map(str::to_owned));
    }
}
