//! The executor `sql`: statements for a data source, one after the other, on a connection of their own.
//!
//! They run in a process of our own program ([`process`], inside of which [`child_main`] is `main`), with a limit on its
//! memory: neither a value nor a statement can take this server's. A cancel, and the end of the time limit, reach the
//! database by that process, which is ended when it does not obey. A pause lets the running statement be, reads no
//! further rows and begins no further statement. The invariant: a work that has ended leaves no process, and no
//! statement of it as far as the database obeys.

mod cell;
mod child_main;
mod process;
mod statements;
mod session;
mod split;
mod table;
mod token;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use taskloom_entity::{DataSourceKind, ResultKind};
use tokio::time::{Instant, sleep_until};

use crate::executor::kind::script::watch::late;
use crate::executor::error::{ExecutorError, StartError};
use crate::executor::mask::Mask;
use crate::executor::orders::Orders;
use crate::executor::process::Trees;
use crate::executor::policy::Reach;
use crate::executor::result_sets::Collector;
use crate::executor::stopwatch::Stopwatch;
use crate::executor::context::{Surroundings, wait_for_go};
use crate::executor::work::{Finished, Limits, Order, Outcome, Report};
use crate::text::Text;
use crate::vault::Hidden;
pub use child_main::{COMMAND, main};
use process::{End, Process};
use wire::{Errand, Said, Says, Wish};

/// A process that has said its last word is gone in no time.
const GOING: Duration = Duration::from_secs(2);
/// The longest version that a database is taken to have.
const VERSION: usize = 200;

/// A database, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name, for the log.
    pub name: String,
    /// Which database it is.
    pub kind: DataSourceKind,
    /// None for a file.
    pub host: Option<String>,
    /// None: the usual one.
    pub port: Option<u16>,
    /// Its name, or a file below the folder of the settings.
    pub database: String,
    /// Who signs in.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Hidden>,
    /// Options that [`options`] allows.
    pub options: Vec<(String, String)>,
}

/// Statements for a data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// One or more, with semicolons between them.
    pub statements: String,
    /// For whom.
    pub source: Source,
}

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

/// Where statements get their process.
#[derive(Debug)]
pub(super) struct Place<'w> {
    pub(super) trees: Arc<Trees>,
    /// The work's name.
    pub(super) name: &'w str,
    /// What its definition allows.
    pub(super) limits: Limits,
}

/// How the work with a process has come to its end.
enum Turn {
    /// It has said its last word; none: it is gone without one.
    Heard(Option<Result<Option<String>, String>>),
    /// It is to be stopped, within so long.
    Stop(Outcome, Option<String>, Duration),
}

/// Whether a data source answers; its version.
pub(super) async fn probe(source: &Source, reach: &Reach, trees: Arc<Trees>) -> Result<String, String> {
    let mask = Mask::of(source.password.iter());
    let name = format!("probe-{}", uuid::Uuid::now_v7());
    let errand = Errand::probe(source, reach);
    let (connect, memory) = (reach.connect_timeout, errand.memory);
    let started = Process::start(trees, (&name, Limits::default()), &errand, reach).await;
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
        Err(_) => Err(session::Failure::late(connect).told(reach)),
    };
    answer.map_err(|message| Text::message(&mask.text(&message)).into_string())
}

/// Runs a job to its end.
pub(super) async fn run(
    job: &Job,
    with: Surroundings,
    mut orders: Orders,
    place: Place<'_>,
) -> Result<Finished, ExecutorError> {
    if let Some(reason) = wait_for_go(&mut orders).await {
        return Ok(Finished::bare(reason.outcome(), None));
    }
    let errand = Errand::new(job, &with, place.limits);
    let started = Process::start(place.trees, (place.name, place.limits), &errand, &with.reach).await;
    let mut process = match started {
        Ok(process) => process,
        Err(StartError::Program(message)) => return Ok(with.failed(&message)),
        Err(StartError::Host(error)) => return Err(error),
    };
    for note in std::mem::take(&mut process.notes) {
        with.note(&note).await;
    }
    let (finished, end) = match follow(&mut process, &with, &mut orders).await {
        Turn::Heard(Some(ended)) => {
            let end = process.end(GOING).await;
            let finished = match ended {
                Ok(_) => Finished::bare(Outcome::Succeeded, None),
                Err(message) => with.failed(&message),
            };
            (finished, end)
        }
        Turn::Heard(None) => {
            let end = process.end(GOING).await;
            (with.failed(&end.explain(errand.memory)), end)
        }
        Turn::Stop(outcome, message, grace) => (Finished::bare(outcome, message), stop(process, &with, grace).await),
    };
    Ok(Finished { usage: end.usage, ..finished })
}

/// Passes on what it says and what is wanted of it, until it has said all, or is to be stopped.
async fn follow(process: &mut Process, with: &Surroundings, orders: &mut Orders) -> Turn {
    let Process { says, asks, .. } = process;
    let mut hear = Box::pin(hear(says, with));
    let mut watch = Stopwatch::start(Instant::now());
    loop {
        let due = with.timeout.and_then(|limit| watch.due(limit));
        tokio::select! {
            ended = &mut hear => return Turn::Heard(ended),
            order = orders.next() => match order {
                Order::Pause => {
                    watch.pause(Instant::now());
                    asks.say(&Wish::Pause).await;
                }
                Order::Run => {
                    watch.resume(Instant::now());
                    asks.say(&Wish::Run).await;
                }
                Order::Stop(reason) => {
                    with.note_now("the running statement is being cancelled");
                    return Turn::Stop(reason.outcome(), None, with.grace);
                }
                Order::Kill(reason) => return Turn::Stop(reason.outcome(), None, Duration::ZERO),
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let late = late(with.timeout.unwrap_or_default());
                with.note_now(&format!("{late}: the running statement is being cancelled"));
                return Turn::Stop(Outcome::TimedOut, Some(late), with.grace);
            }
        }
    }
}

/// Passes on what it says; its last word.
async fn hear(says: &mut Says, with: &Surroundings) -> Option<Result<Option<String>, String>> {
    let limits = (with.reach.rows, with.reach.result);
    let mut collector = Collector::new(with.reports.clone(), with.mask.clone(), limits);
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
async fn stop(mut process: Process, with: &Surroundings, grace: Duration) -> End {
    let patience = grace.max(Duration::from_secs(1)).min(Duration::from_secs(10));
    let obeys = async {
        process.asks.say(&Wish::Cancel).await;
        // What it would still say is of no use; that it is read lets the database come to the end of the statement.
        while let Some(said) = process.says.next().await {
            if let Said::Note(text) = said {
                with.note_now(&text);
            }
        }
    };
    let _ = tokio::time::timeout(patience, obeys).await;
    process.end(Duration::ZERO).await
}
