//! The executor `sql`: statements for a data source, one after the other, on a connection of their own.
//!
//! A cancel, and the end of the time limit, reach the database: the running statement is ended there. A pause lets
//! the running statement be, reads no further rows and begins no further statement. The invariant: a work that has
//! ended leaves no statement of it running, as far as the database obeys.

mod cell;
mod session;
mod split;
mod table;
mod token;

use std::pin::Pin;
use std::time::Duration;

use taskloom_entity::DataSourceKind;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::control::late;
use super::mask::Mask;
use super::orders::Orders;
use super::reach::Reach;
use super::result::Collector;
use super::stopwatch::Stopwatch;
use super::surroundings::{Surroundings, wait_for_go};
use super::work::{Finished, Order, Outcome, Report};
use crate::vault::Hidden;
use session::{Canceller, Failure, Session};

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

/// Whether a data source answers; its version.
///
/// # Errors
/// Why not, without its password.
pub async fn probe(source: &Source, reach: &Reach) -> Result<String, String> {
    let mask = Mask::of(source.password.iter());
    let asked = async {
        let mut session = Session::open(source, reach).await?;
        session.version().await
    };
    let answer = tokio::time::timeout(reach.connect_timeout, asked).await;
    let answer = answer.unwrap_or_else(|_| Err(Failure::late(reach.connect_timeout)));
    answer.map_err(|failure| mask.text(&failure.to_string()).into_owned())
}

/// Runs a job to its end.
pub(super) async fn run(job: Job, with: Surroundings, mut orders: Orders) -> Finished {
    if let Some(reason) = wait_for_go(&mut orders).await {
        return Finished::bare(reason.outcome(), None);
    }
    let (go, gate) = watch::channel(true);
    let (tell, told) = watch::channel(None);
    let mut work: Pin<Box<dyn Future<Output = Result<(), String>> + Send>> =
        Box::pin(execute(job, with.clone(), gate, tell));
    let mut watch = Stopwatch::start(Instant::now());
    loop {
        let due = with.timeout.and_then(|limit| watch.due(limit));
        tokio::select! {
            done = &mut work => return match done {
                Ok(()) => Finished::bare(Outcome::Succeeded, None),
                Err(message) => with.failed(&message),
            },
            order = orders.next() => match order {
                Order::Pause => {
                    watch.pause(Instant::now());
                    go.send_replace(false);
                }
                Order::Run => {
                    watch.resume(Instant::now());
                    go.send_replace(true);
                }
                Order::Stop(reason) => {
                    with.note_now("the running statement is being cancelled");
                    stop(work, told, with.grace).await;
                    return Finished::bare(reason.outcome(), None);
                }
                Order::Kill(reason) => {
                    stop(work, told, Duration::ZERO).await;
                    return Finished::bare(reason.outcome(), None);
                }
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let late = late(with.timeout.unwrap_or_default());
                with.note_now(&format!("{late}: the running statement is being cancelled"));
                stop(work, told, with.grace).await;
                return Finished::bare(Outcome::TimedOut, Some(late));
            }
        }
    }
}

/// Asks the database to end the statement, and gives it time for that. Then the connection goes, whatever happened.
async fn stop(
    work: Pin<Box<dyn Future<Output = Result<(), String>> + Send>>,
    told: watch::Receiver<Option<Canceller>>,
    grace: Duration,
) {
    let canceller = told.borrow().clone();
    let cancel = async {
        if let Some(canceller) = canceller {
            canceller.cancel().await;
        }
    };
    // What it would still say is of no use; that it reads on lets the database come to the end of the statement.
    let patience = grace.max(Duration::from_secs(1)).min(Duration::from_secs(10));
    let _ = tokio::time::timeout(patience, async { tokio::join!(cancel, work) }).await;
}

/// The statements, one after the other. `tell` learns how the running one can be cancelled.
async fn execute(
    job: Job,
    with: Surroundings,
    mut gate: watch::Receiver<bool>,
    tell: watch::Sender<Option<Canceller>>,
) -> Result<(), String> {
    let Job { statements, source } = job;
    if source.kind == DataSourceKind::Sqlite && split::reaches_out(&statements) {
        return Err(
            "ATTACH and VACUUM INTO are not allowed: a task reaches the file of its data source alone".to_owned()
        );
    }
    let statements = split::statements(&statements, source.kind);
    let count = statements.len();
    let named = |at: usize| format!("statement {} of {count}", at + 1);
    // Before the first has done anything.
    let impossible = |(at, statement): (usize, &&str)| Some((at, split::impossible(statement, source.kind)?));
    if let Some((at, why)) = statements.iter().enumerate().find_map(impossible) {
        return Err(format!("{}: {why}", named(at)));
    }
    let opened = tokio::time::timeout(with.reach.connect_timeout, Session::open(&source, &with.reach)).await;
    let opened = opened.unwrap_or_else(|_| Err(Failure::late(with.reach.connect_timeout)));
    let cannot = |failure: Failure| format!("data source {}: {failure}", source.name);
    let mut session = opened.map_err(cannot)?;
    tell.send_replace(Some(session.canceller()));
    let left_out = session.set(&with.parameters).await.map_err(cannot)?;
    if !left_out.is_empty() {
        with.note(&format!(
            "not readable in statements, by their name or the character U+0000: {}",
            left_out.join(", ")
        ))
        .await;
    }
    let mut collector = Collector::new(with.reports.clone(), with.mask.clone(), (with.reach.rows, with.reach.result));
    for (at, statement) in statements.into_iter().enumerate() {
        // The sender lives as long as this future does.
        let _ = gate.wait_for(|go| *go).await;
        let begun = Instant::now();
        let name = named(at);
        let done =
            session.run(statement, &mut collector, &mut gate).await.map_err(|failure| format!("{name}: {failure}"));
        collector.end().await;
        let done = done?;
        let took = humantime::format_duration(Duration::from_millis(begun.elapsed().as_millis() as u64));
        with.note(&format!("{name}: {done}, {took}")).await;
        #[expect(clippy::cast_precision_loss, reason = "a text of 1 MiB has fewer statements than a double has digits")]
        let fraction = (at + 1) as f64 / count as f64;
        let _ = with.reports.send(Report::Progress { fraction, text: Some(name) }).await;
    }
    session.close().await;
    Ok(())
}
