//! Cron expressions of five and six fields: what they may say, and which civil times they name.
//!
//! The grammar is checked here and every value is written out, since readers of cron expressions differ in what they
//! accept; the crate `croner` finds the civil times of what is left. Instants are another matter: [`super::cron`].

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

use super::field::{Field, RULES};
use super::refusal::{Refusal, RefusalCode};

/// Bytes of an expression.
const MOST: usize = 256;

const NICKNAMES: [(&str, &str); 7] = [
    ("@YEARLY", "0 0 1 1 *"),
    ("@ANNUALLY", "0 0 1 1 *"),
    ("@MONTHLY", "0 0 1 * *"),
    ("@WEEKLY", "0 0 * * 0"),
    ("@DAILY", "0 0 * * *"),
    ("@MIDNIGHT", "0 0 * * *"),
    ("@HOURLY", "0 * * * *"),
];

/// A cron expression.
#[derive(Clone, Debug)]
pub struct Expression {
    repeats: bool,
    times: Cron,
}

impl Expression {
    /// Reads an expression, in letters of any case.
    ///
    /// # Errors
    /// `FIELDS`, `SYNTAX`, `RANGE`, `STEP`, `NICKNAME`, `AMBIGUOUS`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MOST {
            return Err(Refusal::new(RefusalCode::Syntax, format!("an expression has at most {MOST} bytes")));
        }
        if let Some(other) = text.chars().find(|c| !c.is_ascii_graphic() && !matches!(c, ' ' | '\t')) {
            let reason = format!("{other:?} is neither a plain letter, digit or sign nor a space");
            return Err(Refusal::new(RefusalCode::Syntax, reason));
        }
        let capital = text.to_ascii_uppercase();
        let named = capital.trim();
        let plain = if named.starts_with('@') { nicknamed(named)? } else { named };
        let fields: Vec<&str> = plain.split_ascii_whitespace().collect();
        let has_seconds = fields.len() == 6;
        if fields.len() != 5 && !has_seconds {
            return Err(Refusal::new(
                RefusalCode::Fields,
                match fields.len() {
                    7 => "there are 7 fields; for a year use startAt and endAt".to_owned(),
                    many => format!(
                        "there are {many} fields, not five (minute hour day-of-month month weekday) or six, with second in front"
                    ),
                },
            ));
        }
        let texts = std::iter::repeat_n("0", usize::from(!has_seconds)).chain(fields);
        Self::of(&texts.collect::<Vec<_>>())
    }

    /// Of six fields.
    fn of(texts: &[&str]) -> Result<Self, Refusal> {
        let (texts, weekday) = texts.split_at(5);
        let both = weekday.iter().any(|weekday| weekday.starts_with('+'));
        let weekday = weekday.iter().map(|weekday| weekday.strip_prefix('+').unwrap_or(weekday));
        let texts = texts.iter().copied().chain(weekday);
        let fields: Vec<Field> =
            RULES.iter().zip(texts).map(|(rules, text)| rules.read(text)).collect::<Result<_, _>>()?;
        let [second, minute, hour, day, _, weekday] = &fields[..] else {
            return Err(Refusal::new(RefusalCode::Fields, "there are not six fields"));
        };
        for (one, other, name) in [(day, weekday, RULES[3].name), (weekday, day, RULES[5].name)] {
            if one.is_stepped_star && other.is_given && !both {
                let reason = "a step over every day while the other day field is given too is read as either and as \
                              both: say a range (1-31/2) for days that match either, a + before the weekday for both";
                return Err(Refusal::of(RefusalCode::Ambiguous, name, reason));
            }
        }
        let repeats = [second, minute, hour].iter().any(|field| field.has_star);
        let text = fields.iter().map(Field::written_out).collect::<Vec<_>>().join(" ");
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).dom_and_dow(both).build();
        let times = parser.parse(&text).map_err(|error| Refusal::new(RefusalCode::Syntax, error.to_string()))?;
        Ok(Self { repeats, times })
    }

    /// Refuses what no date matches. Takes up to a quarter of a second when none does.
    ///
    /// # Errors
    /// `NEVER`.
    pub fn check_dates(&self) -> Result<(), Refusal> {
        // Dates repeat after 400 years.
        match self.civil_from(DateTime::constant(2000, 1, 1, 0, 0, 0, 0)) {
            Some(_) => Ok(()),
            None => {
                Err(Refusal::new(RefusalCode::Never, "no date of any year matches: look at day, month and weekday"))
            }
        }
    }

    /// Whether a field of its clock begins with a star: it goes on through changes of the clock, instead of being an
    /// appointment.
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.repeats
    }

    /// The first civil time that matches, at or after this one; none: never.
    pub(super) fn civil_from(&self, from: DateTime) -> Option<DateTime> {
        self.times.find_next_occurrence(&from, true).ok()
    }

    /// The same strictly after it.
    pub(super) fn civil_after(&self, after: DateTime) -> Option<DateTime> {
        self.times.find_next_occurrence(&after, false).ok()
    }
}

fn nicknamed(word: &str) -> Result<&'static str, Refusal> {
    if let Some((_, fields)) = NICKNAMES.iter().find(|(name, _)| *name == word) {
        return Ok(fields);
    }
    let reason = if word.starts_with("@EVERY") {
        "a distance in time is an interval, not an expression".to_owned()
    } else if word == "@REBOOT" {
        "the start of a server is no time: there is nothing that would be due".to_owned()
    } else {
        let near = NICKNAMES.iter().map(|(name, _)| *name).min_by_key(|name| strsim::damerau_levenshtein(name, word));
        format!("there is no such word; the nearest is {}", near.unwrap_or_default().to_ascii_lowercase())
    };
    Err(Refusal::new(RefusalCode::Nickname, reason))
}
