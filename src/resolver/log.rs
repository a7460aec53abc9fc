//! Logs of subtasks: a page of lines, a range of bytes, and the live end.

use taskloom_entity::{Role, SubtaskId};

use super::{Request, subtask};
use crate::error::{Error, Result, code};
use crate::log::read::{self, Page};

/// Lines of one page at the most.
pub const LINES: usize = 10_000;
/// Bytes of one range at the most.
pub const BYTES: usize = 4 << 20;

/// Lines from `from`, counted from 1 through all attempts of the subtask.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.lines", skip_all, fields(%id))]
pub async fn lines(request: &Request, id: SubtaskId, from: i64, limit: i64) -> Result<Page> {
    request.principal.require(Role::Viewer)?;
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=LINES).contains(limit)).ok_or_else(|| {
        Error::new(&code::INVALID_PAGE).with("what", "`limit`").with("reason", format!("1 to {LINES} lines at a time"))
    })?;
    subtask::get(request, id).await?;
    read::lines(&request.store, &request.live, id, from, limit).await
}

/// `length` bytes from `from` on, as text.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.bytes", skip_all, fields(%id))]
pub async fn bytes(request: &Request, id: SubtaskId, from: i64, length: i64) -> Result<Vec<u8>> {
    request.principal.require(Role::Viewer)?;
    let length = usize::try_from(length).ok().filter(|length| (1..=BYTES).contains(length)).ok_or_else(|| {
        Error::new(&code::INVALID_PAGE).with("what", "`length`").with("reason", format!("1 to {BYTES} bytes at a time"))
    })?;
    subtask::get(request, id).await?;
    read::bytes(&request.store, id, from, length).await
}

/// Follows a log: each step gives the next lines, at least one, until the subtask has ended and nothing is left.
#[derive(Debug)]
pub struct Follow {
    request: Request,
    id: SubtaskId,
    next_line: i64,
    grown: tokio::sync::watch::Receiver<i64>,
    events: crate::event::Tail,
}

/// Begins to follow at `from`.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`.
#[tracing::instrument(name = "log.follow", skip_all, fields(%id))]
pub async fn follow(request: &Request, id: SubtaskId, from: i64) -> Result<Follow> {
    let grown = request.live.follow(id);
    let events = request.hub.tail(None);
    subtask::get(request, id).await?;
    Ok(Follow { request: request.clone(), id, next_line: from.max(1), grown, events })
}

impl Follow {
    /// The next lines; none: the subtask and its task have ended, and every line was given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        loop {
            self.grown.borrow_and_update();
            // Looked at before the lines: what is written between the two looks is not missed.
            let ended = self.has_ended().await?;
            let page = read::lines(&self.request.store, &self.request.live, self.id, self.next_line, 1000).await?;
            if !page.lines.is_empty() {
                self.next_line = page.next_line;
                return Ok(Some(page));
            }
            if ended {
                return Ok(None);
            }
            self.wait().await?;
        }
    }

    async fn has_ended(&self) -> Result<bool> {
        let subtask = subtask::get(&self.request, self.id).await?;
        Ok(!subtask.state.is_active() && super::task::get(&self.request, subtask.task_id).await?.state.is_final())
    }

    async fn wait(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                changed = self.grown.changed() => {
                    if changed.is_ok() { return Ok(()) }
                    self.grown = self.request.live.follow(self.id);
                    return Ok(());
                }
                entries = self.events.next() => {
                    let ends = |entry: &std::sync::Arc<crate::event::Entry>| {
                        entry.event.subtask_id == Some(self.id) || entry.event.task_state.is_some_and(|state| state.is_final())
                    };
                    if entries?.iter().any(ends) { return Ok(()) }
                }
            }
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        // An end that nobody follows any more is not kept.
        self.grown = tokio::sync::watch::Sender::new(0).subscribe();
        self.request.live.release(self.id);
    }
}
