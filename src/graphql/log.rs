//! Lines of logs.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};

use super::scalar::BigInt;
use super::state::{LogLevel, LogSource};
use crate::log;

/// One line of a log.
#[derive(Clone, Debug, SimpleObject)]
pub struct LogLine {
    /// From 1 through all attempts of the subtask.
    number: BigInt,
    /// When it was read.
    time: DateTime<Utc>,
    /// How loud.
    level: LogLevel,
    /// From where.
    source: LogSource,
    /// The line, without its end.
    text: String,
}

/// Lines of a log.
#[derive(Clone, Debug, SimpleObject)]
pub struct LogPage {
    /// In order.
    lines: Vec<LogLine>,
    /// The line to ask for next.
    next_line: BigInt,
}

impl From<log::read::Page> for LogPage {
    fn from(page: log::read::Page) -> Self {
        let line = |line: log::Line| LogLine {
            number: BigInt(line.number),
            time: line.at.utc(),
            level: line.level.into(),
            source: line.source.into(),
            text: line.text,
        };
        Self { lines: page.lines.into_iter().map(line).collect(), next_line: BigInt(page.next_line) }
    }
}
