//! Variables of a job's code: those that it was sent with, and the product's dates, which are there unless they are set.
//! `${name}` is replaced, and a date may be moved: `${run_date-1}` is a day earlier, `${run_month_end+1}` a month later.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde_json::{Map, Value};

/// Puts each known variable where `${name}` stands; what is not known stays. Code and variables are one submitter's.
#[must_use]
pub fn put_in(code: &str, variables: &Map<String, Value>, today: NaiveDate) -> String {
    let mut text = String::with_capacity(code.len());
    let mut rest = code;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let known =
            after.split_once('}').and_then(|(name, behind)| Some((find(name.trim(), variables, today)?, behind)));
        match known {
            Some((value, behind)) => {
                text.push_str(&value);
                rest = behind;
            }
            None => {
                text.push_str("${");
                rest = after;
            }
        }
    }
    text + rest
}

fn find(name: &str, variables: &Map<String, Value>, today: NaiveDate) -> Option<String> {
    if let Some(value) = variables.get(name) {
        return Some(text(value));
    }
    let (name, by) = match name.find(['+', '-']) {
        Some(at) => (name[..at].trim_end(), number(&name[at..])?),
        None => (name, 0),
    };
    let date = Date::named(name)?;
    let at = match variables.get(name).map(text) {
        Some(set) => read(&set)?,
        None => date.usual(run_date(variables, today)?)?,
    };
    let moved = date.moved(at, by)?;
    Some(moved.format(if date.is_standard { "%Y-%m-%d" } else { "%Y%m%d" }).to_string())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `-1`, `+ 7`.
fn number(text: &str) -> Option<i32> {
    let (sign, digits) = text.split_at(1);
    let digits = digits.trim_start();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i32 = plain.then(|| digits.parse().ok()).flatten()?;
    Some(if sign == "-" { -number } else { number })
}

/// The day that the other dates go by: the one that was set, else yesterday.
fn run_date(variables: &Map<String, Value>, today: NaiveDate) -> Option<NaiveDate> {
    match variables.get("run_date") {
        Some(set) => read(&text(set)),
        None => today.checked_sub_days(Days::new(1)),
    }
}

/// A date as one is set, in either form.
fn read(text: &str) -> Option<NaiveDate> {
    ["%Y%m%d", "%Y-%m-%d"].into_iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())
}

/// Which date a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Run,
    Today,
    MonthBegin,
    MonthEnd,
}

/// A date of the product's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    which: Which,
    /// `yyyy-MM-dd` instead of `yyyyMMdd`.
    is_standard: bool,
}

impl Date {
    fn named(name: &str) -> Option<Self> {
        let (bare, is_standard) = name.strip_suffix("_std").map_or((name, false), |bare| (bare, true));
        let which = match bare {
            "run_date" => Which::Run,
            "run_today" => Which::Today,
            "run_month_begin" => Which::MonthBegin,
            "run_month_end" => Which::MonthEnd,
            _ => return None,
        };
        Some(Self { which, is_standard })
    }

    /// The date when a job of the day `run` does not set it.
    fn usual(self, run: NaiveDate) -> Option<NaiveDate> {
        match self.which {
            Which::Today => run.checked_add_days(Days::new(1)),
            Which::Run | Which::MonthBegin | Which::MonthEnd => self.moved(run, 0),
        }
    }

    /// So many days later, or months where it is an end of one.
    fn moved(self, at: NaiveDate, by: i32) -> Option<NaiveDate> {
        let count = by.unsigned_abs();
        let days = |at: NaiveDate, count: u32, back: bool| match back {
            true => at.checked_sub_days(Days::new(count.into())),
            false => at.checked_add_days(Days::new(count.into())),
        };
        let months = |at: NaiveDate| match by < 0 {
            true => at.checked_sub_months(Months::new(count)),
            false => at.checked_add_months(Months::new(count)),
        };
        match self.which {
            Which::Run | Which::Today => days(at, count, by < 0),
            Which::MonthBegin => months(at.with_day(1)?),
            Which::MonthEnd => days(months(at.with_day(1)?)?.checked_add_months(Months::new(1))?, 1, true),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TODAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 3, 1).unwrap();

    fn of(code: &str, variables: &Value) -> String {
        put_in(code, variables.as_object().unwrap(), TODAY)
    }

    #[test]
    fn dates_are_there_unless_they_are_set() {
        let none = json!({});
        for (code, shown) in [
            ("${run_date}", "20240229"),
            ("${run_date_std}", "2024-02-29"),
            ("${run_today}/${run_today_std}", "20240301/2024-03-01"),
            ("${run_month_begin}-${run_month_begin_std}", "20240201-2024-02-01"),
            ("${run_month_end} ${run_month_end_std}", "20240229 2024-02-29"),
            ("${run_date-1}, ${run_date_std+1}", "20240228, 2024-03-01"),
            ("${ run_date - 60 }", "20231231"),
            ("${run_month_begin-1}", "20240101"),
            ("${run_month_end-1} ${run_month_end_std-12}", "20240131 2023-02-28"),
            ("${run_month_end+1}", "20240331"),
            ("${run_today+7}", "20240308"),
        ] {
            assert_eq!(of(code, &none), shown, "{code}");
        }
        let set = json!({"run_date": "20240131", "run_today": "soon", "run_month_end_std": "2023-06-30"});
        for (code, shown) in [
            ("${run_date} ${run_date-1} ${run_date_std}", "20240131 20240130 2024-01-31"),
            ("${run_today} ${run_today-1} ${run_today_std}", "soon ${run_today-1} 2024-02-01"),
            ("${run_month_begin} ${run_month_end_std} ${run_month_end_std+8}", "20240101 2023-06-30 2024-02-29"),
        ] {
            assert_eq!(of(code, &set), shown, "{code}");
        }
    }

    #[test]
    fn what_is_not_known_stays() {
        let set = json!({"day": "mon", "n": 3, "a-1": "own", "run_date": 7});
        for (code, shown) in [
            ("${day} ${ n } ${other} ${a-1}", "mon 3 ${other} own"),
            ("${day-1} ${run_date} ${run_date-1} ${run_date_std}", "${day-1} 7 ${run_date-1} ${run_date_std}"),
            (
                "${run_date-} ${run_date-x} ${run_date--1} ${run_dates} ${",
                "${run_date-} ${run_date-x} ${run_date--1} ${run_dates} ${",
            ),
        ] {
            assert_eq!(of(code, &set), shown, "{code}");
        }
        assert_eq!(
            of("${run_date-99999999999} ${run_today+2147483647}", &json!({})),
            "${run_date-99999999999} ${run_today+2147483647}"
        );
    }
}
