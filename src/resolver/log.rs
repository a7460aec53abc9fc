//! Logs of subtasks: a page of lines, a range of bytes, and the live end.

use std::sync::Arc;

use taskloom_entity::{Role, SubtaskId, TaskId};

use super::subtask::SubtaskReference;
use super::{Request, subtask};
use crate::error::{Error, Result, code};
use crate::feed::event::TaskEntry;
use crate::feed::log::Live;
use crate::feed::log::read::{self, LogHandle, LogLinePage, LogPageLimit};
use crate::log::chunk::Line;
use crate::text::written;

/// Lines of one page at the most.
pub const LINES: usize = 10_000;
/// What a line weighs beside its text: a page of ten thousand empty ones is large, too.
const LINE: usize = 512;
/// Bytes of a tail that may be asked for in any case.
const TAIL: usize = 4 << 20;
/// Lines of one item of a log that is followed.
const FOLLOWED: usize = 1_000;

/// Lines from `from`, counted from 1 through all attempts of the subtask; fewer when a page holds no more bytes.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
pub async fn lines(request: &Request, id: SubtaskId, from: i64, limit: i64) -> Result<LogLinePage> {
    page(request, id, from, (limit, request.page)).await
}

/// The same with so many bytes, or one line that has more.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.lines", skip_all, fields(%id))]
pub async fn page(request: &Request, id: SubtaskId, from: i64, (limit, bytes): (i64, usize)) -> Result<LogLinePage> {
    request.reads(Role::Viewer, "log.lines")?;
    let limit = usize::try_from(limit).ok().filter(|limit| (1..=LINES).contains(limit)).ok_or_else(|| {
        Error::new(&code::INVALID_PAGE).with("what", "`limit`").with("reason", format!("1 to {LINES} lines at a time"))
    })?;
    subtask::get(request, id.into()).await?;
    read::lines(of(request, id), from, LogPageLimit { lines: limit, bytes }).await
}

/// Where a log lies.
pub(super) fn of(request: &Request, id: SubtaskId) -> LogHandle<'_> {
    LogHandle { store: &request.store, live: &request.live, id }
}

/// `length` bytes from `from` on; either end lies between characters.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.bytes", skip_all, fields(%id))]
pub async fn bytes(request: &Request, id: SubtaskId, from: i64, length: i64) -> Result<Vec<u8>> {
    request.reads(Role::Viewer, "log.bytes")?;
    let length = asked(request.page, "`length`", length)?;
    subtask::get(request, id.into()).await?;
    read::bytes(&request.store, id, from, length).await
}

/// The same as text: bytes that are no UTF-8 are replaced.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
pub async fn text(request: &Request, id: SubtaskId, from: i64, length: i64) -> Result<String> {
    let bytes = bytes(request, id, from, length).await?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What lines weigh in an answer: their texts, and what holds each until it is written.
#[must_use]
pub fn size(lines: &[Line]) -> usize {
    lines.iter().map(|line| written(&line.text) + LINE).sum()
}

/// The end of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogTailLines {
    /// Bytes before it.
    pub left_out: i64,
    /// Whole lines, in order.
    pub lines: Vec<Line>,
}

/// The last lines, `most` bytes of them at the most. What lies before is not read.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
pub async fn tail(request: &Request, subtask: SubtaskReference, most: i64) -> Result<LogTailLines> {
    tail_within(request, subtask, (most, request.page)).await
}

/// The last lines, as many as a page holds.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`.
pub async fn end(request: &Request, subtask: SubtaskReference) -> Result<LogTailLines> {
    tail(request, subtask, i64::try_from(request.page).unwrap_or(i64::MAX)).await
}

/// The same with so many bytes at the most, whatever is asked for.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.tail", skip_all, fields(id = %subtask.id))]
pub async fn tail_within(
    request: &Request,
    subtask: SubtaskReference,
    (most, bytes): (i64, usize),
) -> Result<LogTailLines> {
    let most = asked(request.page.max(TAIL), "`bytes`", most)?.min(bytes);
    let subtask = subtask::get(request, subtask).await?;
    let (left_out, lines) = read::tail(of(request, subtask.id), subtask.log_bytes, most).await?;
    Ok(LogTailLines { left_out, lines })
}

fn asked(most: usize, what: &'static str, bytes: i64) -> Result<usize> {
    usize::try_from(bytes).ok().filter(|bytes| (1..=most).contains(bytes)).ok_or_else(|| {
        let reason = format!("1 to {most} bytes at a time");
        Error::new(&code::INVALID_PAGE).with("what", what).with("reason", reason)
    })
}

/// Follows a log: each step gives the next lines, at least one, until the subtask has ended and nothing is left.
#[derive(Debug)]
pub struct LogFollower {
    request: Request,
    id: SubtaskId,
    task_id: TaskId,
    next_line: i64,
    grown: tokio::sync::watch::Receiver<()>,
    events: crate::feed::event::EventTail,
    /// Something happened by which the subtask may have ended, and nobody has looked since.
    doubtful: bool,
}

/// Begins to follow at `from`.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`.
#[tracing::instrument(name = "log.follow", skip_all, fields(%id))]
pub async fn follow(request: &Request, id: SubtaskId, from: i64) -> Result<LogFollower> {
    let events = request.hub.tail(None);
    let task_id = subtask::get(request, id.into()).await?.task_id;
    let grown = request.live.follow(id);
    let (request, next_line) = (request.clone(), from.max(1));
    Ok(LogFollower { request, id, task_id, next_line, grown, events, doubtful: true })
}

impl LogFollower {
    /// The next lines; none: the subtask and its task have ended, and every line was given.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<LogLinePage>> {
        loop {
            self.grown.borrow_and_update();
            if let Some(page) = self.read(&self.request.live.clone()).await? {
                return Ok(Some(page));
            }
            if self.doubtful {
                self.doubtful = false;
                if self.has_ended().await? {
                    // By the database alone: the notice of another process's last lines may still be on its way.
                    self.doubtful = true;
                    return self.read(&Live::default()).await;
                }
            }
            self.wait().await?;
        }
    }

    /// The next lines, if there are any now.
    async fn read(&mut self, live: &Live) -> Result<Option<LogLinePage>> {
        let of = LogHandle { live, ..of(&self.request, self.id) };
        let most = LogPageLimit { lines: FOLLOWED, bytes: self.request.page };
        let page = read::lines(of, self.next_line, most).await?;
        self.next_line = page.next_line;
        Ok(Some(page).filter(|page| !page.lines.is_empty()))
    }

    async fn has_ended(&self) -> Result<bool> {
        let subtask = subtask::get(&self.request, self.id.into()).await?;
        Ok(!subtask.state.is_active() && super::task::get(&self.request, subtask.task_id).await?.state.is_final())
    }

    /// Until there may be more lines, or an end.
    async fn wait(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                // The end lives while it is followed, and so does its sender.
                _ = self.grown.changed() => return Ok(()),
                entries = self.events.next() => {
                    let may_end = |entry: &Arc<TaskEntry>| {
                        let event = &entry.event;
                        event.task_id == self.task_id
                            && (event.subtask_id == Some(self.id) || event.task_state.is_some_and(|it| it.is_final()))
                    };
                    if entries?.iter().any(may_end) {
                        self.doubtful = true;
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        // An end that nobody follows any more is not kept.
        self.grown = tokio::sync::watch::Sender::new(()).subscribe();
        self.request.live.release(self.id);
    }
}
