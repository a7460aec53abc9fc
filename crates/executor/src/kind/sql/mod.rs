//! The kind `sql`: statements for a data source, one after the other, on a connection of their own.
//!
//! They run in a process of our own program ([`process`], inside of which [`child_main`] is `main`), with a limit on its
//! memory: neither a value nor a statement can take this server's. A cancel, and the end of the time limit, reach the
//! database by that process, which is ended when it does not obey. A pause lets the running statement be, reads no
//! further rows and begins no further statement. The invariant: a work that has ended leaves no process, and no
//! statement of it as far as the database obeys.

mod cell;
mod child_main;
mod failure;
mod process;
mod session;
mod split;
mod statements;
mod table;
mod token;
mod wire;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use taskloom_core::text::Text;
use taskloom_core::{DataSourceKind, ResultKind};

use crate::context::WorkContext;
use crate::drive::{Driven, Stop, StopCause, Turn, drive};
use crate::error::{ExecutorError, StartError};
use crate::mask::Mask;
use crate::orders::Orders;
use crate::policy::OutboundPolicy;
use crate::process::ProcessLauncher;
use crate::program::{DataSource, SqlJob};
use crate::result_sets::ResultCollector;
use crate::work::{Finished, Limits, Outcome, Report};
pub use child_main::{COMMAND, main};
pub(super) use process::StatementsPlace;
use process::{StatementsEnd, StatementsProcess};
use wire::{FrameWriter, Instruction, LastWord, Said, SaidFrames, StatementsRequest};

/// A process that has said its last word is gone in no time.
const GOING: Duration = Duration::from_secs(2);
/// The longest version that a database is taken to have.
const VERSION: usize = 200;

/// The options that a kind of data source may have, each with the values that are possible; none: any short text.
#[must_use]
pub const fn options(kind: DataSourceKind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        DataSourceKind::Postgresql => &[
            ("sslmode", &["disable", "prefer", "require", "verify-ca", "verify-full"]),
            ("application_name", &[]),
            ("search_path", &[]),
        ],
        DataSourceKind::Mysql => &[
            ("ssl_mode", &["disabled", "preferred", "required", "verify_ca", "verify_identity"]),
            ("charset", &["utf8mb4", "utf8", "latin1", "ascii"]),
        ],
        DataSourceKind::Sqlite => &[("mode", &["ro", "rw", "rwc"])],
    }
}

/// Whether a data source answers; its version.
pub(crate) async fn probe(
    source: &DataSource,
    policy: &OutboundPolicy,
    launcher: Arc<ProcessLauncher>,
) -> Result<String, String> {
    let mask = Mask::of(source.password.iter());
    let work = format!("probe-{}", uuid::Uuid::now_v7());
    let request = StatementsRequest::probe(source, policy);
    let (connect, memory) = (policy.connect_timeout, request.memory);
    let place = StatementsPlace { launcher, work: &work, limits: Limits::default() };
    let started = StatementsProcess::start(place, &request, policy).await;
    let mut process = started.map_err(|error| match error {
        StartError::Program(message) => message,
        StartError::Host(error) => error.to_string(),
    })?;
    let last = async {
        loop {
            match process.says.next().await {
                Some(Said::Ended(ended)) => return Some(ended),
                Some(_) => {}
                None => return None,
            }
        }
    };
    let answer = tokio::time::timeout(connect + GOING, last).await;
    let end = process.end(if answer.is_ok() { GOING } else { Duration::ZERO }).await;
    let answer = match answer {
        Ok(Some(ended)) => ended.map(|version| Text::cut(&version.unwrap_or_default(), VERSION).into_string()),
        Ok(None) => Err(end.explain(memory)),
        Err(_) => Err(failure::StatementError::late(connect).told(policy)),
    };
    answer.map_err(|message| Text::message(&mask.text(&message)).into_string())
}

/// The statements under way, as their process tells of them.
struct Statements<'p> {
    hear: Pin<Box<dyn Future<Output = Option<LastWord>> + Send + 'p>>,
    asks: &'p mut FrameWriter,
}

impl Driven for Statements<'_> {
    /// The process's last word; none: it is gone without one.
    type End = Option<LastWord>;

    async fn end(&mut self) -> Self::End {
        (&mut self.hear).await
    }

    async fn pause(&mut self) {
        self.asks.say(&Instruction::Pause).await;
    }

    async fn resume(&mut self) {
        self.asks.say(&Instruction::Run).await;
    }
}

/// Runs a job to its end.
pub(super) async fn run(
    job: &SqlJob,
    with: WorkContext,
    mut orders: Orders,
    place: StatementsPlace<'_>,
) -> Result<Finished, ExecutorError> {
    let request = StatementsRequest::new(job, &with, place.limits);
    let mut process = match StatementsProcess::start(place, &request, &with.policy).await {
        Ok(process) => process,
        Err(StartError::Program(message)) => return Ok(with.failed(&message)),
        Err(StartError::Host(error)) => return Err(error),
    };
    for note in std::mem::take(&mut process.notes) {
        with.note(&note).await;
    }
    let StatementsProcess { says, asks, .. } = &mut process;
    let mut statements = Statements { hear: Box::pin(hear(says, &with)), asks };
    let turn = drive(&mut statements, &mut orders, with.limit).await;
    drop(statements);
    let (finished, end) = match turn {
        Turn::Ended(Some(Ok(_))) => (Finished::bare(Outcome::Succeeded, None), process.end(GOING).await),
        Turn::Ended(Some(Err(message))) => (with.failed(&message), process.end(GOING).await),
        Turn::Ended(None) => {
            let end = process.end(GOING).await;
            (with.failed(&end.explain(request.memory)), end)
        }
        Turn::Stop(stop) => (stop.cause.finished(), cancel(process, &with, stop, &mut orders).await),
    };
    Ok(Finished { usage: end.usage, ..finished })
}

/// Passes on what it says; its last word.
async fn hear(says: &mut SaidFrames, with: &WorkContext) -> Option<LastWord> {
    let limits = (with.policy.rows, with.policy.result);
    let mut collector = ResultCollector::new(with.reports.clone(), with.mask.clone(), limits);
    while let Some(said) = says.next().await {
        match said {
            Said::Note(text) => with.note(&text).await,
            Said::Begin(columns) => collector.begin(ResultKind::Table, columns).await,
            Said::Rows(rows) => {
                for row in rows {
                    collector.push(row).await;
                }
            }
            Said::EndOfSet { truncated } => {
                if truncated {
                    collector.cut();
                }
                collector.end().await;
            }
            Said::Progress { fraction, text } => {
                let _ = with.reports.send(Report::Progress { fraction, text: Some(text) }).await;
            }
            Said::Ended(ended) => return Some(ended),
        }
    }
    // What came before it was gone is kept.
    collector.cut();
    collector.end().await;
    None
}

/// Has the database end the statement, and gives it time for that. Then the process goes, whatever happened.
async fn cancel(mut process: StatementsProcess, with: &WorkContext, stop: Stop, orders: &mut Orders) -> StatementsEnd {
    const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));
    match stop.cause {
        // A kill is over before anybody has read of it.
        StopCause::Order(_) if stop.grace.is_zero() => {}
        StopCause::Order(_) => with.note_now("the running statement is being cancelled"),
        StopCause::Timeout(_) => with.note_now(&format!("{}: the running statement is being cancelled", stop.cause)),
    }
    let obeys = async {
        process.asks.say(&Instruction::Cancel).await;
        // What it would still say is of no use; that it is read lets the database come to the end of the statement.
        while let Some(said) = process.says.next().await {
            if let Said::Note(text) = said {
                with.note_now(&text);
            }
        }
    };
    // Who kills what is being cancelled waits no longer than who kills at once.
    let killed = async {
        orders.kill().await;
        tokio::time::sleep(PATIENCE.0).await;
    };
    tokio::select! {
        _ = tokio::time::timeout(stop.grace.clamp(PATIENCE.0, PATIENCE.1), obeys) => {}
        () = killed => {}
    }
    process.end(Duration::ZERO).await
}
