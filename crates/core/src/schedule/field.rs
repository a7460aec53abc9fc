//! One field of a cron expression: what it may hold, and all values that it names.
//!
//! A step counts from the start of its range and begins anew in each hour, day and month.

use std::collections::BTreeSet;

use super::refusal::{Refusal, RefusalCode};

/// What one field may hold.
#[derive(Debug)]
pub(super) struct FieldRules {
    pub(super) name: &'static str,
    least: u8,
    most: u8,
    /// Three letters each, from this value on.
    words: (&'static [&'static str], u8),
    days: Days,
}

/// Which of the forms for days a field knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    None,
    OfMonth,
    OfWeek,
}

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const fn clock(name: &'static str, most: u8) -> FieldRules {
    FieldRules { name, least: 0, most, words: (&[], 0), days: Days::None }
}

/// Second, minute, hour, day of the month, month, weekday.
pub(super) const RULES: [FieldRules; 6] = [
    clock("second", 59),
    clock("minute", 59),
    clock("hour", 23),
    FieldRules { name: "day of month", least: 1, most: 31, words: (&[], 0), days: Days::OfMonth },
    FieldRules { name: "month", least: 1, most: 12, words: (MONTHS, 1), days: Days::None },
    // 0 and 7 are both Sunday.
    FieldRules { name: "weekday", least: 0, most: 7, words: (WEEKDAYS, 0), days: Days::OfWeek },
];

/// A field as it was read.
#[derive(Debug)]
pub(super) struct Field {
    /// It begins with a star.
    pub(super) has_star: bool,
    /// It says something: it is not every value.
    pub(super) is_given: bool,
    /// A step over every value.
    pub(super) is_stepped_star: bool,
    values: BTreeSet<u8>,
    /// `L`, `15W`, `5L`, `1#2`
    marked: Vec<String>,
}

impl Field {
    /// The same with every value written out.
    pub(super) fn written_out(&self) -> String {
        if !self.is_given {
            return "*".to_owned();
        }
        let values = self.values.iter().map(u8::to_string);
        values.chain(self.marked.iter().cloned()).collect::<Vec<_>>().join(",")
    }
}

impl FieldRules {
    /// Reads a field in capital letters.
    pub(super) fn read(&self, text: &str) -> Result<Field, Refusal> {
        let has_star = text.starts_with('*');
        let is_stepped_star = text.starts_with("*/");
        let mut field = Field { has_star, is_given: true, is_stepped_star, values: BTreeSet::new(), marked: vec![] };
        for member in text.split(',') {
            self.member(member, &mut field)?;
        }
        Ok(field)
    }

    fn member(&self, member: &str, field: &mut Field) -> Result<(), Refusal> {
        if member.is_empty() {
            return Err(self.refused(RefusalCode::Syntax, "there is nothing before or after a comma"));
        }
        if member == "*" || (member == "?" && self.days != Days::None) {
            field.is_given = false;
            return Ok(());
        }
        if let Some(marked) = self.marked(member)? {
            field.marked.push(marked);
            return Ok(());
        }
        let (range, step) = match member.split_once('/') {
            Some((range, step)) => (range, Some(self.step(range, step)?)),
            None => (member, None),
        };
        let (from, to) = self.range(range, step)?;
        let values = (from..=to).step_by(step.unwrap_or(1).into());
        // 0 and 7 are the same day.
        field.values.extend(values.map(|value| if self.days == Days::OfWeek { value % 7 } else { value }));
        Ok(())
    }

    fn range(&self, text: &str, step: Option<u8>) -> Result<(u8, u8), Refusal> {
        // All days of the week begin and end once.
        let last = if self.days == Days::OfWeek { 6 } else { self.most };
        if text == "*" {
            return Ok((self.least, last));
        }
        let Some((from, to)) = text.split_once('-') else {
            let value = self.value(text)?;
            return match step {
                Some(step) => {
                    Err(self.refused(RefusalCode::Step, format!("a step needs a range: say {text}-{last}/{step}")))
                }
                None => Ok((value, value)),
            };
        };
        let (first, mut end) = (self.value(from)?, self.value(to)?);
        if self.days == Days::OfWeek && to == "SUN" {
            end = 7;
        }
        if first > end {
            let instead = format!("{text} runs backwards: say {from}-{last},{}-{to}", self.least);
            return Err(self.refused(RefusalCode::Range, instead));
        }
        Ok((first, end))
    }

    fn value(&self, text: &str) -> Result<u8, Refusal> {
        let (words, first) = self.words;
        if let Some(at) = words.iter().position(|word| *word == text) {
            return Ok(first + u8::try_from(at).unwrap_or(0));
        }
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.unknown(text));
        }
        let value = text.parse::<u8>().ok().filter(|value| (self.least..=self.most).contains(value));
        value.ok_or_else(|| {
            let bounds = format!("{text} is not within {} to {}", self.least, self.most);
            self.refused(RefusalCode::Range, bounds)
        })
    }

    fn step(&self, range: &str, text: &str) -> Result<u8, Refusal> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.unknown(&format!("{range}/{text}")));
        }
        let values = if self.days == Days::OfWeek { 7 } else { self.most - self.least + 1 };
        match text.parse::<u8>() {
            Ok(0) => Err(self.refused(RefusalCode::Step, "a step of 0 leads nowhere")),
            Ok(step) if step <= values => Ok(step),
            _ => {
                let reason = format!(
                    "a step of {text} is longer than the field, which has {values} values and begins anew each time: \
                     use an interval of {text} {}s",
                    if self.days == Days::None { self.name } else { "day" }
                );
                Err(self.refused(RefusalCode::Step, reason))
            }
        }
    }

    /// The forms for days that are no values: `L`, `LW`, `15W`; `5L`, `5#L`, `1#2`.
    fn marked(&self, member: &str) -> Result<Option<String>, Refusal> {
        match self.days {
            Days::OfMonth if matches!(member, "L" | "LW") => Ok(Some(member.to_owned())),
            Days::OfMonth => match member.strip_suffix('W') {
                Some(day) => Ok(Some(format!("{}W", self.value(day)?))),
                None => Ok(None),
            },
            Days::OfWeek if member == "L" => {
                Err(self.refused(RefusalCode::Syntax, "L needs its day: 5L is the last Friday of the month"))
            }
            Days::OfWeek => {
                if let Some((day, which)) = member.split_once('#') {
                    let day = self.value(day)? % 7;
                    return match which {
                        "L" => Ok(Some(format!("{day}L"))),
                        "1" | "2" | "3" | "4" | "5" => Ok(Some(format!("{day}#{which}"))),
                        _ => Err(self.refused(RefusalCode::Range, format!("{member}: a month has #1 to #5, and #L"))),
                    };
                }
                match member.strip_suffix('L') {
                    Some(day) => Ok(Some(format!("{}L", self.value(day)? % 7))),
                    None => Ok(None),
                }
            }
            Days::None => Ok(None),
        }
    }

    fn unknown(&self, text: &str) -> Refusal {
        let also = match self.days {
            Days::None if self.words.0.is_empty() => "",
            Days::None => ", names from JAN to DEC",
            Days::OfMonth => ", ?, L, LW and 15W",
            Days::OfWeek => ", ?, names from SUN to SAT, 5L and 1#2",
        };
        let reason = format!(
            "`{text}` is nothing that it knows: it has {} to {}, ranges (1-5), lists (1,3), steps (*/2, 1-5/2){also}",
            self.least, self.most
        );
        self.refused(RefusalCode::Syntax, reason)
    }

    fn refused(&self, code: RefusalCode, reason: impl Into<String>) -> Refusal {
        Refusal::of(code, self.name, reason)
    }
}
