//! The statements of one job, one after the other, on one connection. Runs within the process of the statements.

use std::time::Duration;

use taskloom_core::DataSourceKind;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::failure::StatementError;
use super::session::{Canceller, Session, StatementFlow};
use super::split;
use crate::context::WorkContext;
use crate::policy::OutboundPolicy;
use crate::program::{DataSource, SqlJob};
use crate::result_sets::ResultCollector;
use crate::work::Report;

/// How somebody outside steers the statements.
pub(super) struct Steering {
    pub(super) gate: watch::Receiver<StatementFlow>,
    /// Learns how the running statement can be cancelled.
    pub(super) tell: watch::Sender<Option<Canceller>>,
}

/// What the database of this source calls itself.
pub(super) async fn version(source: &DataSource, policy: &OutboundPolicy) -> Result<String, String> {
    let asked = async {
        let mut session = Session::open(source, policy).await?;
        session.version().await
    };
    let answer = timeout(policy.connect_timeout, asked).await;
    let answer = answer.unwrap_or_else(|_| Err(StatementError::late(policy.connect_timeout)));
    answer.map_err(|failure| failure.told(policy))
}

/// Runs them to their end; what failed.
pub(super) async fn run(job: SqlJob, with: WorkContext, steering: Steering) -> Result<(), String> {
    let SqlJob { statements, source } = job;
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
    let Steering { mut gate, tell } = steering;
    let mut session = open(&source, &with).await.map_err(|why| format!("data source {}: {why}", source.name))?;
    tell.send_replace(Some(session.canceller()));
    let policy = &with.policy;
    let mut collector = ResultCollector::new(with.reports.clone(), with.mask.clone(), (policy.rows, policy.result));
    for (at, statement) in statements.into_iter().enumerate() {
        // The sender lives as long as this process does.
        if gate.wait_for(|gate| *gate != StatementFlow::Paused).await.is_ok_and(|gate| *gate == StatementFlow::Ending) {
            return Err("it was canceled".to_owned());
        }
        let begun = Instant::now();
        let name = named(at);
        let done = session.run(statement, &mut collector, (&mut gate, policy.cell)).await;
        collector.end().await;
        let done = done.map_err(|failure| format!("{name}: {}", failure.told(policy)))?;
        let took = humantime::format_duration(Duration::from_millis(begun.elapsed().as_millis() as u64));
        with.note(&format!("{name}: {done}, {took}")).await;
        #[expect(clippy::cast_precision_loss, reason = "a text of 1 MiB has fewer statements than a double has digits")]
        let fraction = (at + 1) as f64 / count as f64;
        let _ = with.reports.send(Report::Progress { fraction, text: Some(name) }).await;
    }
    session.close().await;
    Ok(())
}

/// A connection on which the parameters can be read.
async fn open(source: &DataSource, with: &WorkContext) -> Result<Session, String> {
    let opened = timeout(with.policy.connect_timeout, Session::open(source, &with.policy)).await;
    let opened = opened.unwrap_or_else(|_| Err(StatementError::late(with.policy.connect_timeout)));
    let mut session = opened.map_err(|failure| failure.told(&with.policy))?;
    let left_out = session.set(&with.parameters).await.map_err(|failure| failure.told(&with.policy))?;
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        with.note(&format!("not readable in statements, by their name or the character U+0000: {left_out}")).await;
    }
    Ok(session)
}
