//! What subtasks found: the result sets of their last attempts, and their rows.

use taskloom_entity::{Role, SubtaskId, result_set};

use super::{Request, subtask};
use crate::error::{Error, Result, code};
use crate::log::{self, Source};
use crate::rows::{self, Column, Row};
use crate::store;

/// Rows of one page at the most.
pub const ROWS: i64 = 10_000;

/// A page of rows.
#[derive(Clone, Debug)]
pub struct Page {
    /// The set they are of.
    pub set: result_set::Model,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The rows; fewer than asked for at the end.
    pub rows: Vec<Row>,
}

/// The result sets of a subtask's last attempt, in order; none while nothing was found.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`.
#[tracing::instrument(name = "result.list", skip_all, fields(%id))]
pub async fn list(request: &Request, id: SubtaskId) -> Result<Vec<result_set::Model>> {
    let Some(attempt) = subtask::get(request, id.into()).await?.attempt_id else { return Ok(vec![]) };
    let mut sets = store::result::of_attempts(request.store.read(), &[attempt]).await?;
    Ok(sets.remove(&attempt).unwrap_or_default())
}

/// Rows of one result set of a subtask's last attempt, from `offset` on, counted from 0.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `RESULT_SET_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "result.rows", skip_all, fields(%id))]
pub async fn rows(request: &Request, id: SubtaskId, number: i32, (offset, limit): (i64, i64)) -> Result<Page> {
    check(offset, limit)?;
    let attempt = subtask::get(request, id.into()).await?.attempt_id;
    let set = match attempt {
        Some(attempt) => store::result::find(request.store.read(), attempt, number).await?,
        None => None,
    };
    let missing = || Error::new(&code::RESULT_SET_NOT_FOUND).with("id", id).with("number", number);
    page(request, set.ok_or_else(missing)?, (offset, limit)).await
}

/// Rows of a result set that was got from [`list`] by the same caller.
///
/// # Errors
/// `INVALID_PAGE`.
pub async fn page(request: &Request, set: result_set::Model, (offset, limit): (i64, i64)) -> Result<Page> {
    check(offset, limit)?;
    request.principal.require(Role::Viewer)?;
    let columns = columns(&set)?;
    let mut found = vec![];
    for chunk in store::result::chunks(request.store.read(), set.id, (offset, limit)).await? {
        let rows = rows::open(&chunk.data, chunk.bytes).map_err(Error::internal)?;
        let numbered = (chunk.first_row..).zip(rows);
        found.extend(numbered.filter(|(at, _)| (offset..offset + limit).contains(at)).map(|(_, row)| row));
    }
    Ok(Page { set, columns, rows: found })
}

/// The columns of a result set.
///
/// # Errors
/// When they are damaged.
pub fn columns(set: &result_set::Model) -> Result<Vec<Column>> {
    set.columns.parse().map_err(Error::internal)
}

/// Lines of the standard output of a subtask's last attempt, from `offset` on, counted from 0: what a legacy dialect
/// shows as the result of a script.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "result.output", skip_all, fields(%id))]
pub async fn output(request: &Request, id: SubtaskId, (offset, limit): (i64, i64)) -> Result<Vec<String>> {
    check(offset, limit)?;
    let Some(attempt) = subtask::get(request, id.into()).await?.attempt_id else { return Ok(vec![]) };
    let begun = store::attempt::list(request.store.read(), &[attempt]).await?.pop();
    let (mut seen, mut next, mut found) = (0, begun.map_or(1, |attempt| attempt.first_line), vec![]);
    while found.len() < usize::try_from(limit).unwrap_or_default() {
        let page = log::read::lines(&request.store, &request.live, id, next, super::log::LINES).await?;
        if page.lines.is_empty() {
            break;
        }
        next = page.next_line;
        for line in page.lines.into_iter().filter(|line| line.source == Source::Stdout) {
            if (offset..offset.saturating_add(limit)).contains(&seen) {
                found.push(line.text);
            }
            seen += 1;
        }
    }
    Ok(found)
}

fn check(offset: i64, limit: i64) -> Result<()> {
    let refuse = |what: &str, reason: String| {
        Err(Error::new(&code::INVALID_PAGE).with("what", format!("`{what}`")).with("reason", reason))
    };
    if offset < 0 {
        return refuse("offset", "from 0".to_owned());
    }
    if !(1..=ROWS).contains(&limit) {
        return refuse("first", format!("1 to {ROWS} rows at a time"));
    }
    Ok(())
}
