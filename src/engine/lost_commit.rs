//! A COMMIT that was not answered. Whether a cycle was done is read from what it would have left behind, and an end that
//! comes a second time is recognized: so nothing of a cycle is lost, and nothing of it happens twice.

use std::time::Duration;

use taskloom_core::principal::Scope;
use taskloom_entity::{AttemptId, AttemptState, TaskId, Timestamp, attempt};

use super::attempt_row::ended;
use crate::error::{Error, Kind, Result, code};
use crate::store::{self, Store, Tx, event, snapshot};
use crate::text::Text;
use crate::worker::port::{Acceptance, AttemptEnd};

/// How long a database that does not answer is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// What a cycle leaves behind: an event of this task, of its own instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommitTrace {
    pub(super) task_id: TaskId,
    pub(super) at: Timestamp,
}

/// What a COMMIT has come to, for certain. Asks until the database answers: until then the engine could do nothing else.
///
/// # Errors
/// When nothing was done: all of it may be tried again.
pub(super) async fn settle(store: &Store, committed: Result<()>, trace: Option<CommitTrace>) -> Result<()> {
    let Err(error) = committed else { return Ok(()) };
    if error.code() != &code::OUTCOME_UNKNOWN {
        return Err(error);
    }
    tracing::warn!(error = ?error, "the answer to a commit was lost: looking whether it was done");
    // Without a trace, it has written nothing that could not be written again.
    let Some(trace) = trace else { return Err(undone(error)) };
    loop {
        match is_there(store, trace).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(undone(error)),
            Err(away) if away.code().kind == Kind::Unavailable => {
                tracing::warn!(error = ?away, "nothing can be looked up: trying again");
                tokio::time::sleep(PAUSE).await;
            }
            Err(other) => return Err(other),
        }
    }
}

fn undone(error: Error) -> Error {
    Error::new(&code::DATABASE_UNAVAILABLE).source(error)
}

async fn is_there(store: &Store, trace: CommitTrace) -> Result<bool> {
    let tx = store.begin().await?;
    // The server may still be at that commit: the task's lock is free as soon as it is done, or given up.
    snapshot::lock(&tx, trace.task_id).await?;
    let found = event::is_told(&tx, trace.task_id, trace.at).await?;
    tx.rollback().await?;
    Ok(found)
}

/// Takes ends that were refused for such as were taken before, when their attempts have ended just so.
pub(super) async fn recognize(tx: &Tx, ends: &[AttemptEnd], taken: &mut [Option<Acceptance>]) -> Result<()> {
    let refused = |taken: &Option<Acceptance>| *taken == Some(Acceptance::Refused);
    if !taken.iter().any(refused) {
        return Ok(());
    }
    let ids: Vec<AttemptId> =
        ends.iter().zip(&*taken).filter(|(_, taken)| refused(taken)).map(|(end, _)| end.attempt.id).collect();
    let rows = store::attempt::list(tx, &Scope::All, &ids).await?;
    for (end, taken) in ends.iter().zip(taken).filter(|(_, taken)| refused(taken)) {
        let row = rows.iter().find(|row| row.id == end.attempt.id);
        if row.is_some_and(|row| is_end(row, end)) {
            *taken = Some(Acceptance::Accepted);
        }
    }
    Ok(())
}

fn is_end(row: &attempt::Model, end: &AttemptEnd) -> bool {
    let message = end.message.as_ref().map(Text::as_str);
    let is_same = row.message.as_deref() == message && row.exit_code == end.exit_code;
    let same = is_same && row.epoch == end.attempt.epoch;
    let mut states = [false, true].map(|canceling| ended(end, canceling, row.started_at).state).into_iter();
    same && row.state != AttemptState::Running && states.any(|state| state == row.state)
}
