//! Lines of logs.

use async_graphql::SimpleObject;
use chrono::{DateTime, Utc};

use super::scalar::BigInt;
use super::state::{LogLevel, LogSource};
use crate::log;
use crate::resolver::log::Tail;

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

/// The end of a log.
#[derive(Clone, Debug, SimpleObject)]
pub struct LogTail {
    /// How many bytes lie before it.
    left_out: BigInt,
    /// In order.
    lines: Vec<LogLine>,
}

impl From<log::Line> for LogLine {
    fn from(line: log::Line) -> Self {
        Self {
            number: BigInt(line.number),
            time: line.at.utc(),
            level: line.level.into(),
            source: line.source.into(),
            text: line.text,
        }
    }
}

impl From<log::read::Page> for LogPage {
    fn from(page: log::read::Page) -> Self {
        Self { lines: page.lines.into_iter().map(LogLine::from).collect(), next_line: BigInt(page.next_line) }
    }
}

impl From<Tail> for LogTail {
    fn from(tail: Tail) -> Self {
        Self { left_out: BigInt(tail.left_out), lines: tail.lines.into_iter().map(LogLine::from).collect() }
    }
}
