//! One attempt on the worker's side: runs its program, passes on what it says, and records its end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use taskloom_entity::Operation;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::findings::Findings;
use super::last_line::LastLine;
use super::outputs::Outputs;
use super::port::{Assignment, AttemptRef, Equipment, Finish, Needs, Port, Report, Taken, Wish};
use super::program::{needs, program};
use super::worker::Options;
use crate::clock::Clock;
use crate::error::{Result, code};
use crate::executor::{self, Finished, Host, LineBlock, LineClock, Order, Program, StopReason, Stream, Usage, Work};
use crate::log::gather::Limit;
use crate::log::{Chunk, Gather, Source};
use crate::store::attempt::Used;
use crate::task::command::execute::Outcome;
use crate::task::spec::{Run, Subtask};
use crate::text::Text;

/// Lines are written before more text than this is waiting, however young they are.
const WAITING: u64 = 1 << 20;
/// How long the database may be away before a log's lines are waited for no longer.
const RETRY: Duration = Duration::from_millis(250);
/// Progress is reported at most this often.
const PROGRESS: Duration = Duration::from_millis(250);
/// So many warnings of an attempt are events, too; the log has all of them.
const WARNINGS: u64 = 100;

/// Whether nothing has to run: a gate, or an undo that its subtask does not have.
#[must_use]
pub fn is_instant(assignment: &Assignment) -> bool {
    // The cheap look first: only what names a noop, or undoes, is read.
    let may_be = assignment.operation == Operation::Rollback || assignment.spec.contains("\"noop\"");
    may_be && matches!(read(assignment), Ok((_, Run::Noop { sleep: None })))
}

/// Ends attempts for which nothing has to run.
pub async fn finish_instantly(port: &dyn Port, assignments: Vec<Assignment>) {
    let finishes =
        assignments.into_iter().map(|assignment| done(assignment.attempt, Outcome::Succeeded, None)).collect();
    if let Err(error) = port.finish(finishes).await {
        tracing::warn!(error = ?error, "ends of attempts were not recorded: they will run again");
    }
}

fn done(attempt: AttemptRef, outcome: Outcome, message: Option<Text>) -> Finish {
    Finish { attempt, outcome, exit_code: None, message, outputs: Map::new(), used: Used::default() }
}

/// The subtask of an assignment, and what of it is to run.
fn read(assignment: &Assignment) -> serde_json::Result<(Subtask, Run)> {
    let subtask: Subtask = serde_json::from_str(&assignment.spec)?;
    let undo = assignment.operation == Operation::Rollback;
    let run = if undo { subtask.undo.clone() } else { Some(subtask.run.clone()) };
    Ok((subtask, run.unwrap_or(Run::Noop { sleep: None })))
}

/// Where an attempt is run.
pub struct Bench<'a> {
    /// The engine.
    pub port: Arc<dyn Port>,
    /// What runs programs.
    pub host: &'a Host,
    /// The time of lines.
    pub clock: Arc<dyn Clock>,
    /// The worker's.
    pub options: &'a Options,
    /// Cancelled when the worker ends and waits no longer for a database that is away.
    pub abandon: &'a CancellationToken,
}

impl Bench<'_> {
    /// Runs the attempt to its end. `ran` is called as soon as nothing of it runs any more, before its end is on disk.
    pub async fn run(&self, assignment: Assignment, wishes: watch::Receiver<Wish>, ran: impl FnOnce()) {
        let attempt = assignment.attempt;
        let work = match self.abandon.run_until_cancelled(self.prepare(&assignment)).await {
            Some(Ok(work)) => work,
            Some(Err(finish)) => return self.record(finish).await,
            None => return,
        };
        let folder = work.folder.clone();
        let (orders, follow) = orders(wishes.clone());
        let (reports, inbox) = mpsc::channel(64);
        let scribe = Scribe::new(self, &assignment);
        // Given up, nobody listens to the program any more, and it ends as if it had said nothing.
        let written = self.abandon.run_until_cancelled(scribe.write(inbox));
        let clock = self.clock.clone();
        let clock = LineClock::new(move || clock.now());
        let ((), finished, said) = tokio::join!(follow, self.host.run(work, orders, reports, clock), written);
        ran();
        self.record(finish(attempt, finished, said.unwrap_or_default())).await;
        // What it left in its folder stays for a while (`retention.attempt_folders`); most leave nothing.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || executor::tidy(&folder)).await {
            tracing::debug!(attempt = %attempt.id, %error, "the folder of an attempt stays as it is");
        }
    }

    /// The work of an attempt with all that it is given; or its end, when there is nothing to give.
    async fn prepare(&self, assignment: &Assignment) -> Result<Work, Finish> {
        let attempt = assignment.attempt;
        let failed = |message: String| done(attempt, Outcome::Failed, Some(message.into()));
        let (subtask, run) =
            read(assignment).map_err(|error| failed(format!("its definition cannot be read: {error}")))?;
        let needs = needs(&subtask, &run);
        let mut equipment = Equipment::default();
        if needs != Needs::default() {
            equipment = self.port.equip(attempt, &needs).await.map_err(|error| {
                tracing::warn!(attempt = %attempt.id, error = ?error, "an attempt could not be given what it names");
                // A database that is away is no fault of the attempt: it runs again.
                let is_away = error.code() == &code::DATABASE_UNAVAILABLE;
                done(attempt, if is_away { Outcome::Lost } else { Outcome::Failed }, Some(error.to_string().into()))
            })?;
        }
        let program = program(run, &assignment.parameters, &mut equipment).map_err(failed)?;
        let mut work = self.work(assignment, subtask, program);
        work.secrets = equipment.secrets;
        Ok(work)
    }

    async fn record(&self, finish: Finish) {
        let attempt = finish.attempt.id;
        match self.abandon.run_until_cancelled(self.port.finish(vec![finish])).await {
            Some(Ok(taken)) if taken == [Taken::Refused] => {
                tracing::info!(%attempt, "the end of a lost attempt was refused");
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::warn!(%attempt, error = ?error, "the end of an attempt was not recorded: it will run again");
            }
            None => tracing::warn!(%attempt, "the end of an attempt was not recorded in time: it will run again"),
        }
    }

    fn work(&self, assignment: &Assignment, subtask: Subtask, program: Program) -> Work {
        let attempt = assignment.attempt;
        let name = format!("{}-{}-{}", attempt.task_id, attempt.subtask_id, attempt.id);
        let environment = vec![
            ("TASKLOOM_TASK_ID".to_owned(), attempt.task_id.to_string()),
            ("TASKLOOM_SUBTASK_ID".to_owned(), attempt.subtask_id.to_string()),
            ("TASKLOOM_SUBTASK".to_owned(), subtask.name),
            ("TASKLOOM_OPERATION".to_owned(), assignment.operation.to_string()),
            ("TASKLOOM_RUN".to_owned(), assignment.number.to_string()),
        ];
        Work {
            folder: self.options.folder.join(&name),
            name,
            program,
            parameters: Value::Object(assignment.parameters.clone()),
            environment,
            timeout: subtask.timeout,
            grace: self.options.grace,
            limits: executor::Limits {
                memory_bytes: subtask.limits.memory,
                cpu: subtask.limits.cpu,
                processes: subtask.limits.processes,
                file_size: subtask.limits.file_size,
            },
            secrets: vec![],
        }
    }
}

/// Turns wishes into orders, until the work ends and drops its end.
fn orders(mut wishes: watch::Receiver<Wish>) -> (watch::Receiver<Order>, impl Future<Output = ()>) {
    let (sender, orders) = watch::channel(order(*wishes.borrow_and_update()));
    let follow = async move {
        loop {
            tokio::select! {
                () = sender.closed() => return,
                changed = wishes.changed() => {
                    if changed.is_err() {
                        return sender.closed().await;
                    }
                    sender.send_replace(order(*wishes.borrow_and_update()));
                }
            }
        }
    };
    (orders, follow)
}

const fn order(wish: Wish) -> Order {
    match wish {
        Wish::Run => Order::Run,
        Wish::Pause => Order::Pause,
        Wish::Cancel => Order::Stop(StopReason::Canceled),
        Wish::GiveBack => Order::Stop(StopReason::Shutdown),
        Wish::Drop => Order::Kill(StopReason::Shutdown),
    }
}

fn finish(attempt: AttemptRef, finished: Result<Finished, executor::ExecutorError>, said: Said) -> Finish {
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            tracing::error!(attempt = %attempt.id, error = %error, "an attempt could not be run");
            return done(attempt, Outcome::Failed, Some(format!("could not be run: {error}").into()));
        }
    };
    let outcome = match finished.outcome {
        executor::Outcome::Succeeded => Outcome::Succeeded,
        executor::Outcome::Failed => Outcome::Failed,
        executor::Outcome::TimedOut => Outcome::TimedOut,
        executor::Outcome::Canceled => Outcome::Canceled,
        executor::Outcome::Lost => Outcome::Lost,
    };
    let (exit_code, used) = (finished.exit_code, used(finished.usage));
    let message = finished.message.map(|reason| said.last.explain(&reason.into()));
    // What could not be kept is no success, whatever its exit status says.
    let (outcome, message) = match (outcome, said.fault) {
        (Outcome::Succeeded, Some(fault)) => (Outcome::Failed, Some(fault)),
        (outcome, _) => (outcome, message),
    };
    Finish { attempt, outcome, exit_code, message, outputs: said.outputs, used }
}

fn used(usage: Usage) -> Used {
    Used {
        cpu_seconds: Some(usage.cpu_seconds),
        memory_bytes: i64::try_from(usage.memory_bytes).ok(),
        peak_memory_bytes: i64::try_from(usage.peak_memory_bytes).ok(),
        processes: i32::try_from(usage.processes).ok(),
    }
}

/// What a program has said when it ended, beside its log.
#[derive(Debug, Default)]
struct Said {
    outputs: Map<String, Value>,
    /// Why what it said could not all be kept.
    fault: Option<Text>,
    last: LastLine,
}

/// Passes on what a program says.
struct Scribe {
    port: Arc<dyn Port>,
    attempt: AttemptRef,
    clock: Arc<dyn Clock>,
    gather: Gather,
    chunks: Vec<Chunk>,
    since: Option<Instant>,
    limit: Limit,
    flush: Duration,
    /// Where its next line comes in the subtask's log.
    next_line: i64,
    outputs: Outputs,
    warnings: u64,
    fault: Option<Text>,
    findings: Findings,
    last: LastLine,
    progress: Option<(f64, Option<Text>)>,
    told_at: Option<Instant>,
    refused: bool,
}

impl Scribe {
    fn new(bench: &Bench<'_>, assignment: &Assignment) -> Self {
        let attempt = assignment.attempt;
        Self {
            port: bench.port.clone(),
            attempt,
            clock: bench.clock.clone(),
            gather: Gather::into_chunks(bench.options.log_chunk),
            chunks: vec![],
            since: None,
            limit: Limit::of(bench.options.log_limit),
            flush: bench.options.log_flush,
            next_line: assignment.first_line,
            outputs: Outputs::default(),
            warnings: 0,
            fault: None,
            findings: Findings::of(bench.port.clone(), attempt),
            last: LastLine::default(),
            progress: None,
            told_at: None,
            refused: false,
        }
    }

    /// Writes until the program has said everything; what it said beside its log.
    async fn write(mut self, mut inbox: mpsc::Receiver<executor::Report>) -> Said {
        loop {
            let due = self.due();
            let report = tokio::select! {
                report = inbox.recv() => report,
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell_progress(false).await;
                    if self.since.is_some_and(|since| since.elapsed() >= self.flush) {
                        self.flush().await;
                    }
                    continue;
                }
            };
            match report {
                Some(report) => self.hear(report).await,
                None => break,
            }
        }
        self.flush().await;
        self.tell_progress(true).await;
        if let Some(more) = self.warnings.checked_sub(WARNINGS).filter(|more| *more > 0) {
            self.tell(Report::Warning(format!("… and {more} more warnings: all of them are in the log").into())).await;
        }
        let fault = self.fault.or_else(|| self.findings.fault());
        Said { outputs: self.outputs.into_values(), fault, last: self.last }
    }

    fn due(&self) -> Option<Instant> {
        let lines = self.since.map(|since| since + self.flush);
        let progress = self.progress.as_ref().map(|_| self.told_at.map_or_else(Instant::now, |at| at + PROGRESS));
        lines.into_iter().chain(progress).min()
    }

    async fn hear(&mut self, report: executor::Report) {
        match report {
            executor::Report::Lines(LineBlock { text, lines, stream, at }) => {
                let source = match stream {
                    Stream::Stdout => Source::Stdout,
                    Stream::Stderr => Source::Stderr,
                    Stream::System => Source::System,
                };
                if source == Source::Stderr {
                    self.last.hear(&text);
                }
                self.keep(&text, lines, source, at).await;
            }
            executor::Report::Progress { fraction, text } => {
                self.progress = Some((fraction, text.map(Text::from)));
                self.tell_progress(false).await;
            }
            executor::Report::Output { key, value } => {
                if let Err(excess) = self.outputs.put(&key, &value) {
                    self.fail(excess.of(&key)).await;
                }
            }
            executor::Report::Warning(text) => {
                self.keep(format!("{text}\n").as_bytes(), 1, Source::Warning, self.clock.now()).await;
                self.warnings += 1;
                if self.warnings <= WARNINGS {
                    self.tell(Report::Warning(text.into())).await;
                }
            }
            executor::Report::Result { number, part } => self.findings.keep(number, part).await,
            executor::Report::Usage(usage) => self.tell(Report::Usage(used(usage))).await,
        }
    }

    /// The attempt will fail for this reason, and its log says so where it happened.
    async fn fail(&mut self, fault: Text) {
        let line = fault.as_str().replace('\n', " ") + ": the attempt fails\n";
        self.keep(line.as_bytes(), 1, Source::System, self.clock.now()).await;
        self.fault.get_or_insert(fault);
    }

    async fn keep(&mut self, text: &[u8], lines: u32, source: Source, at: taskloom_entity::Timestamp) {
        self.since.get_or_insert_with(Instant::now);
        self.chunks.extend(self.gather.push(text, lines, source, at));
        if self.chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum::<u64>() >= WAITING {
            self.flush().await;
        }
    }

    /// Writes what is gathered. While the database is away it waits, and with it the program, whose pipe fills.
    async fn flush(&mut self) {
        self.since = None;
        self.chunks.extend(self.gather.seal());
        if self.chunks.is_empty() || self.refused {
            return self.chunks.clear();
        }
        let chunks = std::mem::take(&mut self.chunks);
        let sizes: Vec<(u32, u32)> = chunks.iter().map(|chunk| (chunk.lines, chunk.bytes)).collect();
        let taken = loop {
            match self.port.append(self.attempt, self.next_line, chunks.clone()).await {
                Ok(taken) => break taken,
                Err(error) if error.is_about_one_record() => {
                    tracing::error!(attempt = %self.attempt.id, error = ?error, "log lines cannot be written");
                    self.fault.get_or_insert(format!("its log could not be kept: {error}").into());
                    break Taken::Refused;
                }
                Err(error) => {
                    tracing::warn!(attempt = %self.attempt.id, error = ?error, "log lines cannot be written: trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        match taken {
            Taken::Yes => self.keep_limit(&sizes).await,
            Taken::Refused => self.refused = true,
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

    async fn tell_progress(&mut self, at_once: bool) {
        let is_early = self.told_at.is_some_and(|at| at.elapsed() < PROGRESS);
        if is_early && !at_once {
            return;
        }
        if let Some((fraction, text)) = self.progress.take() {
            self.told_at = Some(Instant::now());
            self.tell(Report::Progress(fraction, text)).await;
        }
    }

    async fn tell(&self, report: Report) {
        if let Err(error) = self.port.report(self.attempt, report).await {
            tracing::debug!(error = ?error, "a report was not taken");
        }
    }
}
