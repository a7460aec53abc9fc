//! Writes the log of one attempt: gathers lines into chunks, sends them in order, and keeps the log within its limit.
//!
//! Lines are never dropped for want of time. While the database is away the writer waits, whoever hands it lines waits
//! with it, and the pipe of the program fills.

use std::sync::Arc;
use std::time::Duration;

use taskloom_core::Timestamp;
use taskloom_core::log::gather::Limit;
use taskloom_core::log::{Gather, LogChunk, Source};
use taskloom_core::text::Text;
use tokio::time::Instant;

use super::options::WorkerOptions;
use super::port::{Acceptance, Assignment, AttemptRef, Port, PortErrorKind};

/// Lines are written before more text than this is waiting, however young they are.
const WAITING: u64 = 1 << 20;
/// Pause before lines that were not taken are sent again.
const RETRY: Duration = Duration::from_millis(250);

pub(super) struct LogWriter {
    port: Arc<dyn Port>,
    attempt: AttemptRef,
    gather: Gather,
    chunks: Vec<LogChunk>,
    /// When the oldest line that waits came.
    since: Option<Instant>,
    limit: Limit,
    /// How long it may wait.
    flush: Duration,
    /// Where the next line comes in the subtask's log.
    next_line: i64,
    fault: Option<Text>,
    refused: bool,
}

impl LogWriter {
    pub(super) fn new(port: Arc<dyn Port>, assignment: &Assignment, options: &WorkerOptions) -> Self {
        Self {
            port,
            attempt: assignment.attempt,
            gather: Gather::into_chunks(options.log_chunk),
            chunks: vec![],
            since: None,
            limit: Limit::of(options.log_limit),
            flush: options.log_flush,
            next_line: assignment.first_line,
            fault: None,
            refused: false,
        }
    }

    /// When the lines that wait are to be written; none: nothing waits.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.flush)
    }

    /// Why the log could not be kept, when that was for what is in it.
    pub(super) fn fault(self) -> Option<Text> {
        self.fault
    }

    /// Takes whole lines of one source.
    pub(super) async fn push(&mut self, text: &[u8], lines: u32, source: Source, at: Timestamp) {
        self.since.get_or_insert_with(Instant::now);
        self.chunks.extend(self.gather.push(text, lines, source, at));
        if self.chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum::<u64>() >= WAITING {
            self.flush().await;
        }
    }

    /// Writes what is gathered.
    pub(super) async fn flush(&mut self) {
        self.since = None;
        self.chunks.extend(self.gather.seal());
        if self.chunks.is_empty() || self.refused {
            return self.chunks.clear();
        }
        let chunks = std::mem::take(&mut self.chunks);
        let sizes: Vec<(u32, u32)> = chunks.iter().map(|chunk| (chunk.lines, chunk.bytes)).collect();
        let taken = loop {
            // The same chunks under the same number: what an unanswered try has written is recognized by it.
            match self.port.append(self.attempt, self.next_line, chunks.clone()).await {
                Ok(taken) => break taken,
                Err(error) if error.kind == PortErrorKind::Record => {
                    tracing::error!(attempt = %self.attempt.id, error = ?error, "log lines cannot be written");
                    self.fault.get_or_insert(format!("its log could not be kept: {error}").into());
                    break Acceptance::Refused;
                }
                Err(error) => {
                    tracing::warn!(attempt = %self.attempt.id, error = ?error, "log lines cannot be written: trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        match taken {
            Acceptance::Accepted => self.keep_limit(&sizes).await,
            Acceptance::Refused => self.refused = true,
        }
    }

    async fn keep_limit(&mut self, sizes: &[(u32, u32)]) {
        let mut gone = vec![];
        for &(lines, bytes) in sizes {
            gone.extend(self.limit.count(self.next_line, u64::from(bytes)));
            self.next_line += i64::from(lines);
        }
        if !gone.is_empty()
            && let Err(error) = self.port.trim(self.attempt, gone).await
        {
            tracing::warn!(attempt = %self.attempt.id, error = ?error, "the middle of a log could not be dropped");
        }
    }
}
