//! `schedules`: when work by the clock is due. `next` works it out here, without a server.

use std::process::ExitCode;

use chrono::{DateTime, SecondsFormat};
use clap::{Args, Subcommand};
use taskloom_entity::Timestamp;
use uuid::Uuid;

use super::{Usage, output};
use crate::clock::{Clock, SystemClock};
use crate::schedule::{CronTimes, Expression, Interval, Refusal, delay, zone};

/// When work by the clock is due
#[derive(Debug, Subcommand)]
pub(super) enum Schedules {
    Next(NextCommand),
}

/// Print when an expression or an interval is due next
///
/// Needs no server: what it prints is what a schedule of a server would do. What it refuses ends with exit status 2 and a
/// code: FIELDS, SYNTAX, RANGE, STEP, NICKNAME, AMBIGUOUS, NEVER, ZONE.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct NextCommand {
    /// Five fields (minute hour day-of-month month weekday), six with second in front, or @daily and the like
    #[arg(long, value_name = "EXPRESSION", required_unless_present = "every", conflicts_with = "every")]
    cron: Option<String>,
    /// Whose wall clock the expression is about: an IANA name
    #[arg(long, value_name = "ZONE", default_value = "UTC", conflicts_with = "every")]
    zone: String,
    /// Seconds from one time to the next
    #[arg(long, value_name = "SECONDS", requires = "anchor", value_parser = clap::value_parser!(u32).range(1..))]
    every: Option<u32>,
    /// The first time of an interval
    #[arg(long, value_name = "INSTANT", value_parser = instant, conflicts_with = "cron")]
    anchor: Option<Timestamp>,
    /// Strictly after this instant, such as 2026-03-29T01:00:00Z [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    after: Option<Timestamp>,
    /// How many
    #[arg(short, value_name = "NUMBER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    number: u16,
    /// Print when it starts instead: up to so many seconds later, at most 3600
    #[arg(long, value_name = "SECONDS", requires = "id", value_parser = clap::value_parser!(u32).range(..=3600))]
    jitter: Option<u32>,
    /// Of which schedule the delays are: its uuid
    #[arg(long, value_name = "UUID", requires = "jitter")]
    id: Option<Uuid>,
}

const EXAMPLES: &str = "\
Examples:
  taskloom schedules next --cron '30 2 * * *' --zone Europe/Stockholm --after 2026-03-28T00:00:00Z -n 3
  taskloom schedules next --every 300 --anchor 2026-01-01T00:00:10Z";

fn instant(text: &str) -> Result<Timestamp, String> {
    let parsed = DateTime::parse_from_rfc3339(text);
    parsed.map(|at| at.to_utc().into()).map_err(|error| format!("{error}: say it like 2026-03-29T01:00:00Z"))
}

/// What is due first after an instant.
type NextDue = Box<dyn Fn(Timestamp) -> Option<Timestamp>>;

impl Schedules {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Next(next) => next.run(),
        }
    }
}

impl NextCommand {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let next_due = self.next_due().map_err(|refusal| Usage(refusal.to_string()))?;
        let mut next = next_due(self.after.unwrap_or_else(|| SystemClock.now()));
        for _ in 0..self.number {
            let Some(due) = next else { break };
            next = next_due(due);
            let late = match (self.id, self.jitter) {
                (Some(id), Some(jitter)) => delay(id.into_bytes(), due, next, jitter),
                _ => 0,
            };
            let at = Timestamp(due.0.saturating_add(i64::from(late) * 1_000_000));
            output::line(&at.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn next_due(&self) -> Result<NextDue, Refusal> {
        if let (Some(period), Some(anchor)) = (self.every, self.anchor) {
            let interval = Interval { period, anchor };
            return Ok(Box::new(move |after| interval.next(after)));
        }
        let expression = Expression::parse(self.cron.as_deref().unwrap_or_default())?;
        let zone = zone::named(&self.zone, jiff::tz::db())?;
        expression.check_dates()?;
        let times = CronTimes { expression, zone };
        Ok(Box::new(move |after| times.next(after)))
    }
}
