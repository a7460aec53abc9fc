//! The log of a whole task as one row of lines, for doors that know no steps: the attempts' lines one behind the other,
//! in the order in which the attempts began.
//!
//! The invariant: a line keeps its number. So nothing is shown behind an attempt that still runs, though another may
//! be writing beside it: what that one says comes when the one before it has ended.

use taskloom_entity::{Role, TaskId};

use super::{Request, log};
use crate::error::Result;
use crate::log::Line;
use crate::store;
use crate::text::written;

/// Lines of a task's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskLogLines {
    /// In order; the numbers are those of the steps' own logs.
    pub lines: Vec<Line>,
    /// The line to ask for next, counted from 1 through the whole.
    pub next: i64,
}

/// Lines from `from` on, counted from 1; so many of them, and so many bytes, or one line that has more.
///
/// # Errors
/// `TASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "log.whole", skip_all, fields(%id))]
pub async fn lines(request: &Request, id: TaskId, from: i64, (size, bytes): (i64, usize)) -> Result<TaskLogLines> {
    request.reads(Role::Viewer, "log.whole")?;
    super::task::get(request, id).await?;
    let mut found = TaskLogLines { lines: vec![], next: from.max(1) };
    let (mut size, mut bytes, mut before) = (size, bytes, 0);
    for span in store::attempt::spans(request.store.read(), id).await? {
        let end = before + span.lines();
        while found.next <= end && size > 0 && bytes > 0 {
            let at = span.first_line + found.next - before - 1;
            let most = size.min(end - found.next + 1);
            let page = log::page(request, span.subtask_id, at, (most, bytes)).await?;
            if page.lines.is_empty() {
                return Ok(found);
            }
            // One line may stand for many that were dropped.
            found.next = (before + page.next_line - span.first_line + 1).min(end + 1);
            size -= i64::try_from(page.lines.len()).unwrap_or(size);
            bytes = page.lines.iter().fold(bytes, |left, line| left.saturating_sub(written(&line.text) + 1));
            found.lines.extend(page.lines);
        }
        if span.runs || found.next <= end {
            break;
        }
        before = end;
    }
    Ok(found)
}
