//! Reads that were refused. Those of who is signed in become rows of the audit log: one a caller, operation and minute, which
//! says how many there were, so that a program that asks in a loop does not fill the disk. Those of strangers are counted,
//! and told in the server's log now and then.
//!
//! The row is written at the first, within a moment; what comes after it in that minute changes its count once a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::json;
use taskloom_entity::{AuditId, JsonText, Timestamp, UserId};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::audit::Act;
use super::{App, Request};
use crate::error::{Error, Result};
use crate::store;
use crate::store::audit::NewAuditEntry;

/// Between two rounds of writing.
const ROUND: Duration = Duration::from_secs(1);
/// Callers and operations in a minute that are told apart.
const CAPACITY: usize = 10_000;
/// Between two lines of the server's log about strangers.
const LINE_EVERY: Duration = Duration::from_secs(10);
const MINUTE: i64 = 60_000_000;

/// What was refused of late.
#[derive(Debug, Default)]
pub struct RefusedReads {
    kept: Mutex<RefusedReadTallies>,
    news: Notify,
}

#[derive(Debug, Default)]
struct RefusedReadTallies {
    tallies: HashMap<RefusedReadKey, Tally>,
    /// Strangers' since the last line, and when that was.
    strangers: u64,
    line_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct RefusedReadKey {
    user: UserId,
    operation: &'static str,
    minute: i64,
}

#[derive(Clone, Debug)]
struct Tally {
    entry: NewAuditEntry,
    count: u64,
    /// The row, and the count that it has.
    written: Option<(AuditId, u64)>,
}

impl Tally {
    fn is_news(&self) -> bool {
        self.written.is_none_or(|(_, count)| count < self.count)
    }
}

impl RefusedReads {
    /// Takes note that `operation` was refused.
    pub(super) fn note(&self, request: &Request, operation: &'static str, error: &Error) {
        let now = request.clock.now();
        let Some(user) = request.principal.user_id() else { return self.note_stranger(request, operation) };
        let mut kept = self.lock();
        let key = RefusedReadKey { user, operation, minute: now.0.div_euclid(MINUTE) };
        if kept.tallies.len() >= CAPACITY && !kept.tallies.contains_key(&key) {
            tracing::warn!(operation, actor = request.principal.name(), refused = %error, "too many refusals to record this one");
            return;
        }
        let object = operation.split('.').next().unwrap_or_default();
        let entry = || Act::new(operation, object).entry(request, Some(error.code().name));
        let tally = kept.tallies.entry(key).or_insert_with(|| Tally { entry: entry(), count: 0, written: None });
        tally.count += 1;
        drop(kept);
        self.news.notify_one();
    }

    fn note_stranger(&self, request: &Request, operation: &'static str) {
        request.store.metrics().refused_strangers.inc();
        let now = request.clock.now();
        let mut kept = self.lock();
        kept.strangers += 1;
        if kept.line_at.is_none_or(|at| at.after(LINE_EVERY) <= now) {
            kept.line_at = Some(now);
            let reads = std::mem::take(&mut kept.strangers);
            drop(kept);
            let client = request.address.map(tracing::field::display);
            tracing::warn!(operation, reads, client, "reads of strangers were refused");
        }
    }

    fn lock(&self) -> MutexGuard<'_, RefusedReadTallies> {
        // A panic elsewhere left at worst one less.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is not written yet. Called by one task alone.
///
/// # Errors
/// When the database does not answer; then it is tried again in the next round.
pub async fn write(app: &App) -> Result<()> {
    let news: Vec<(RefusedReadKey, Tally)> = {
        let mut kept = app.refused.lock();
        let minute = app.clock.now().0.div_euclid(MINUTE);
        kept.tallies.retain(|key, tally| tally.is_news() || key.minute == minute);
        kept.tallies.iter().filter(|(_, tally)| tally.is_news()).map(|(key, tally)| (*key, tally.clone())).collect()
    };
    if news.is_empty() {
        return Ok(());
    }
    let tx = app.store.begin().await?;
    let mut written = vec![];
    for (key, tally) in news {
        let detail = JsonText::of(&json!({"count": tally.count}));
        let id = match tally.written {
            Some((id, _)) => {
                let (store::Changed::Yes | store::Changed::Stale) = store::audit::recount(&tx, id, detail).await?;
                id
            }
            None => store::audit::record(&tx, NewAuditEntry { detail: Some(detail), ..tally.entry }).await?.id,
        };
        written.push((key, (id, tally.count)));
    }
    store::commit(tx).await?;
    let mut kept = app.refused.lock();
    for (key, row) in written {
        if let Some(tally) = kept.tallies.get_mut(&key) {
            tally.written = Some(row);
        }
    }
    Ok(())
}

/// Writes as long as the server runs, and a last time when it stops.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = app.refused.news.notified() => {}
        }
        if let Err(error) = write(&app).await {
            tracing::warn!(%error, "refused reads are not recorded yet");
            app.refused.news.notify_one();
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(ROUND) => {}
        }
    }
    if let Err(error) = write(&app).await {
        tracing::warn!(%error, "refused reads of the last moment are not recorded");
    }
}
