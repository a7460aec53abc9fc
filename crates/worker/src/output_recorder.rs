//! Hears what a program says and passes each kind on: lines to the log, rows to the results, progress and warnings to
//! the dispatcher. Outputs stay here until the end, with which they are recorded.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use taskloom_core::log::Source;
use taskloom_core::text::Text;
use taskloom_executor::{LineBlock, Report, Stream, Usage};
use taskloom_runtime::clock::Clock;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::last_line::LastLine;
use super::log_writer::LogWriter;
use super::options::WorkerOptions;
use super::outputs::Outputs;
use super::port::{Assignment, AttemptRef, AttemptReport, Port, ResourceUse};
use super::result_writer::ResultWriter;

/// Progress is reported at most this often.
const PROGRESS: Duration = Duration::from_millis(250);
/// So many warnings of an attempt are events, too; the log has all of them.
const WARNINGS: u64 = 100;

/// What a program has said when it ended, beside its log.
#[derive(Debug, Default)]
pub(super) struct ProgramOutput {
    pub(super) outputs: Map<String, Value>,
    /// Why what it said could not all be kept.
    pub(super) fault: Option<Text>,
    pub(super) last_line: LastLine,
}

pub(super) struct OutputRecorder {
    port: Arc<dyn Port>,
    attempt: AttemptRef,
    clock: Arc<dyn Clock>,
    log: LogWriter,
    results: ResultWriter,
    outputs: Outputs,
    warnings: u64,
    fault: Option<Text>,
    last_line: LastLine,
    /// Not reported yet.
    progress: Option<(f64, Option<Text>)>,
    reported_at: Option<Instant>,
}

impl OutputRecorder {
    pub(super) fn new(
        port: Arc<dyn Port>,
        assignment: &Assignment,
        clock: Arc<dyn Clock>,
        options: &WorkerOptions,
    ) -> Self {
        let attempt = assignment.attempt;
        Self {
            log: LogWriter::new(port.clone(), assignment, options),
            results: ResultWriter::new(port.clone(), attempt),
            port,
            attempt,
            clock,
            outputs: Outputs::default(),
            warnings: 0,
            fault: None,
            last_line: LastLine::default(),
            progress: None,
            reported_at: None,
        }
    }

    /// Records until the program has said everything.
    ///
    /// One task an attempt. Woken by what the program says, and by the age of lines and progress that wait. It hears
    /// nothing while it waits for the database; the channel of 64 reports then holds the program back. When it is
    /// dropped, what it had not written is lost.
    pub(super) async fn record(mut self, mut inbox: mpsc::Receiver<Report>) -> ProgramOutput {
        loop {
            let due = self.due();
            let report = tokio::select! {
                report = inbox.recv() => report,
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.report_progress(false).await;
                    if self.log.due().is_some_and(|due| due <= Instant::now()) {
                        self.log.flush().await;
                    }
                    continue;
                }
            };
            match report {
                Some(report) => self.hear(report).await,
                None => break,
            }
        }
        self.log.flush().await;
        self.report_progress(true).await;
        if let Some(more) = self.warnings.checked_sub(WARNINGS).filter(|more| *more > 0) {
            let text = format!("… and {more} more warnings: all of them are in the log");
            self.report(AttemptReport::Warning(text.into())).await;
        }
        let fault = self.fault.or_else(|| self.log.fault()).or_else(|| self.results.fault());
        ProgramOutput { outputs: self.outputs.into_values(), fault, last_line: self.last_line }
    }

    fn due(&self) -> Option<Instant> {
        let progress = self.progress.as_ref().map(|_| self.reported_at.map_or_else(Instant::now, |at| at + PROGRESS));
        self.log.due().into_iter().chain(progress).min()
    }

    async fn hear(&mut self, report: Report) {
        match report {
            Report::Lines(LineBlock { text, lines, stream, at }) => {
                let source = match stream {
                    Stream::Stdout => Source::Stdout,
                    Stream::Stderr => Source::Stderr,
                    Stream::System => Source::System,
                };
                if source == Source::Stderr {
                    self.last_line.hear(&text);
                }
                self.log.push(&text, lines, source, at).await;
            }
            Report::Progress { fraction, text } => {
                self.progress = Some((fraction, text.map(Text::from)));
                self.report_progress(false).await;
            }
            Report::Output { key, value } => {
                if let Err(excess) = self.outputs.put(&key, &value) {
                    self.fail(excess.of(&key)).await;
                }
            }
            Report::Warning(text) => {
                self.log.push(format!("{text}\n").as_bytes(), 1, Source::Warning, self.clock.now()).await;
                self.warnings += 1;
                if self.warnings <= WARNINGS {
                    self.report(AttemptReport::Warning(text.into())).await;
                }
            }
            Report::Result { number, part } => self.results.keep(number, part).await,
            Report::Usage(usage) => self.report(AttemptReport::Usage(resource_use(usage))).await,
        }
    }

    /// The attempt will fail for this reason, and its log says so where it happened.
    async fn fail(&mut self, fault: Text) {
        let line = fault.as_str().replace('\n', " ") + ": the attempt fails\n";
        self.log.push(line.as_bytes(), 1, Source::System, self.clock.now()).await;
        self.fault.get_or_insert(fault);
    }

    async fn report_progress(&mut self, at_once: bool) {
        let is_early = self.reported_at.is_some_and(|at| at.elapsed() < PROGRESS);
        if is_early && !at_once {
            return;
        }
        if let Some((fraction, text)) = self.progress.take() {
            self.reported_at = Some(Instant::now());
            self.report(AttemptReport::Progress(fraction, text)).await;
        }
    }

    async fn report(&self, report: AttemptReport) {
        if let Err(error) = self.port.report(self.attempt, report).await {
            tracing::debug!(error = ?error, "a report was not taken");
        }
    }
}

pub(super) fn resource_use(usage: Usage) -> ResourceUse {
    ResourceUse {
        cpu_seconds: Some(usage.cpu_seconds),
        memory_bytes: i64::try_from(usage.memory_bytes).ok(),
        peak_memory_bytes: i64::try_from(usage.peak_memory_bytes).ok(),
        processes: i32::try_from(usage.processes).ok(),
    }
}
