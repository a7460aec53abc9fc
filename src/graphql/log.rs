//! Lines of logs.

use async_graphql::{Context, Object, Result, SimpleObject};
use taskloom_entity::SubtaskId;

use super::context::Has;
use super::state::{LogLevel, LogSource};
use crate::feed::log::read;
use crate::gql::many::Many;
use crate::gql::scalar::{BigInt, Instant};
use crate::log::Line;
use crate::resolver::log::LogTailLines;

/// One line of a log.
#[derive(Clone, Debug, SimpleObject)]
pub struct LogLine {
    /// From 1 through all attempts of the subtask.
    number: BigInt,
    /// The number of the attempt that wrote it.
    attempt: i32,
    /// When it was read.
    time: Instant,
    /// How loud.
    level: LogLevel,
    /// From where.
    source: LogSource,
    /// The line, without its end.
    text: String,
}

impl LogLine {
    fn of(line: &Line, attempt: i32) -> Self {
        Self {
            number: BigInt(line.number),
            attempt,
            time: line.at.into(),
            level: line.level.into(),
            source: line.source.into(),
            text: line.text.clone(),
        }
    }
}

/// Lines of one subtask. Which attempt wrote them is looked up where it is asked for.
#[derive(Clone, Debug)]
struct SubtaskLogLines {
    of: SubtaskId,
    lines: Vec<Line>,
}

impl SubtaskLogLines {
    async fn show(&self, ctx: &Context<'_>) -> Result<Many<LogLine>> {
        let first_lines: Vec<(i64, i32)> = if ctx.look_ahead().field("attempt").exists() {
            let attempts = ctx.attempts(self.of).await?;
            attempts.iter().map(|attempt| (attempt.first_line, attempt.number)).collect()
        } else {
            vec![]
        };
        let show = |line: &Line| {
            let begun = first_lines.partition_point(|(first_line, _)| *first_line <= line.number);
            LogLine::of(line, begun.checked_sub(1).map_or(0, |at| first_lines[at].1))
        };
        Ok(self.lines.iter().map(show).collect())
    }
}

/// Lines of a log.
#[derive(Clone, Debug)]
pub struct LogPage {
    lines: SubtaskLogLines,
    next_line: i64,
}

/// Lines of a log.
#[Object]
impl LogPage {
    /// In order.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Many<LogLine>> {
        self.lines.show(ctx).await
    }
    /// The line to ask for next.
    async fn next_line(&self) -> BigInt {
        BigInt(self.next_line)
    }
}

impl LogPage {
    /// A page of this subtask's log.
    #[must_use]
    pub fn of(subtask: SubtaskId, page: read::LogLinePage) -> Self {
        Self { lines: SubtaskLogLines { of: subtask, lines: page.lines }, next_line: page.next_line }
    }
}

/// The end of a log.
#[derive(Clone, Debug)]
pub struct LogTail {
    lines: SubtaskLogLines,
    left_out: i64,
}

/// The end of a log.
#[Object]
impl LogTail {
    /// How many bytes lie before it.
    async fn left_out(&self) -> BigInt {
        BigInt(self.left_out)
    }
    /// In order.
    async fn lines(&self, ctx: &Context<'_>) -> Result<Many<LogLine>> {
        self.lines.show(ctx).await
    }
}

impl LogTail {
    /// The end of this subtask's log.
    #[must_use]
    pub fn of(subtask: SubtaskId, tail: LogTailLines) -> Self {
        Self { lines: SubtaskLogLines { of: subtask, lines: tail.lines }, left_out: tail.left_out }
    }
}
