//! What subtasks found: the result sets of their last attempts, and their rows.

use taskloom_entity::{Role, SubtaskId, result_chunk, result_set};

use super::subtask::SubtaskRow;
use super::{Request, subtask};
use crate::error::{Error, Result, code};
use crate::feed::log::live::PlacedChunk;
use crate::feed::log::read::ChunkWalk;
use crate::log::Source;
use crate::rows::{Column, Row};
use crate::store;
use crate::store::result::RowChunkSize;
use crate::text::written;
use crate::{log, rows};

/// Rows of one page at the most.
pub const ROWS: i64 = 10_000;
/// Bytes of JSON whose chunks are held at a time.
const HELD: usize = 1 << 20;
/// What a value weighs beside its text: many short ones are large, too.
const CELL: usize = 16;

#[derive(Clone, Debug)]
pub struct ResultPage {
    /// The set they are of.
    pub set: result_set::Model,
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
    let scope = request.principal.require(Role::Viewer)?;
    let mut sets = store::result::of_attempts(request.store.read(), scope, &[attempt]).await?;
    Ok(sets.remove(&attempt).unwrap_or_default())
}

/// The result sets of the last attempts of these subtasks, which another resolver has given; each one's in order, one
/// behind the other.
///
/// # Errors
/// When the database does not answer.
pub async fn of_steps(request: &Request, steps: &[SubtaskRow]) -> Result<Vec<result_set::Model>> {
    let attempts: Vec<_> = steps.iter().filter_map(|step| step.attempt_id).collect();
    let scope = request.principal.require(Role::Viewer)?;
    let mut sets = store::result::of_attempts(request.store.read(), scope, &attempts).await?;
    Ok(attempts.iter().flat_map(|attempt| sets.remove(attempt).unwrap_or_default()).collect())
}

/// Rows of one result set of a subtask's last attempt, from `offset` on, counted from 0.
///
/// # Errors
/// `SUBTASK_NOT_FOUND`, `RESULT_SET_NOT_FOUND`, `INVALID_PAGE`.
#[tracing::instrument(name = "result.rows", skip_all, fields(%id))]
pub async fn rows(request: &Request, id: SubtaskId, number: i32, (offset, limit): (i64, i64)) -> Result<ResultPage> {
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
/// `INVALID_PAGE`, also when the rows have more bytes than a page may have.
pub async fn page(request: &Request, set: result_set::Model, part: (i64, i64)) -> Result<ResultPage> {
    page_within(request, set, part, request.page).await
}

/// The same with so many bytes.
///
/// # Errors
/// `INVALID_PAGE`, also when the rows have more bytes.
pub async fn page_within(
    request: &Request,
    set: result_set::Model,
    (offset, limit): (i64, i64),
    bytes: usize,
) -> Result<ResultPage> {
    check(offset, limit)?;
    request.reads(Role::Viewer, "result.page_within")?;
    let columns = columns(&set)?;
    let conn = request.store.read();
    let mut filling = ResultPageBuilder { rows: vec![], room: bytes, bytes };
    let sizes = store::result::sizes(conn, set.id, (offset, limit)).await?;
    for some in batches(&sizes) {
        let (Some(first), Some(last)) = (some.first(), some.last()) else { continue };
        for chunk in store::result::chunks(conn, set.id, (first.first_row, last.first_row)).await? {
            filling.take(&chunk, (offset, offset + limit))?;
        }
    }
    Ok(ResultPage { set, columns, rows: filling.rows })
}

/// Chunks that are worth holding together.
fn batches(sizes: &[RowChunkSize]) -> impl Iterator<Item = &[RowChunkSize]> {
    let mut held = 0;
    sizes.chunk_by(move |_, next| {
        let bytes = next.bytes.unsigned_abs() as usize;
        let goes_on = held + bytes < HELD;
        held = if goes_on { held + bytes } else { bytes };
        goes_on
    })
}

/// A page of rows on its way.
struct ResultPageBuilder {
    rows: Vec<Row>,
    /// Bytes that are left.
    room: usize,
    bytes: usize,
}

impl ResultPageBuilder {
    fn take(&mut self, chunk: &result_chunk::Model, (from, to): (i64, i64)) -> Result<()> {
        if chunk.first_row + i64::from(chunk.rows) <= from {
            // It ends before the page: the set has no more.
            return Ok(());
        }
        let mut unpack = rows::RowUnpack::new(&chunk.data, chunk.bytes).map_err(Error::internal)?;
        for _ in chunk.first_row..from {
            unpack.skip().map_err(Error::internal)?;
        }
        for _ in chunk.first_row.max(from)..to {
            let Some(row) = unpack.read(self.room).map_err(Error::internal)? else { break };
            let size = row.as_ref().map_or(usize::MAX, size);
            self.room = self.room.checked_sub(size).ok_or_else(|| too_large(self.rows.len(), self.bytes))?;
            self.rows.extend(row);
        }
        Ok(())
    }
}

/// What a row weighs in an answer: its JSON, and what holds it until it is written.
pub fn size(row: &Row) -> usize {
    let cell = |cell: &Option<String>| cell.as_ref().map_or(4, |text| written(text) + 2) + CELL;
    row.iter().map(cell).sum::<usize>() + CELL
}

/// A page by number leaves nothing out: who asks for too much is told how much would have been possible.
fn too_large(fits: usize, bytes: usize) -> Error {
    let reason = match fits {
        0 => format!("one row alone has more than the {bytes} bytes of a page"),
        _ => format!("the rows have more than the {bytes} bytes of a page: ask for {fits} at a time"),
    };
    Error::new(&code::INVALID_PAGE).with("what", "`first`").with("reason", reason).with("fits", fits)
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
    let scope = request.principal.require(Role::Viewer)?;
    let begun = store::attempt::list(request.store.read(), scope, &[attempt]).await?.pop();
    let first_line = begun.map_or(1, |attempt| attempt.first_line);
    let part = (offset, offset.saturating_add(limit));
    let mut said = OutputPageBuilder { found: vec![], seen: 0, room: request.page, part };
    let mut walk = ChunkWalk::from(super::log::of(request, id), first_line);
    while said.seen < said.part.1
        && let Some(chunk) = walk.next().await?
    {
        said.take(&chunk, first_line, request.page)?;
    }
    Ok(said.found)
}

/// Lines of standard output on their way.
struct OutputPageBuilder {
    found: Vec<String>,
    /// How many there were.
    seen: i64,
    /// Bytes that are left.
    room: usize,
    part: (i64, i64),
}

impl OutputPageBuilder {
    fn take(&mut self, chunk: &PlacedChunk, first_line: i64, bytes: usize) -> Result<()> {
        let mut unpack =
            log::unpack::LogUnpack::new(&chunk.data, chunk.at, chunk.first_line).map_err(Error::internal)?;
        let here = unpack.count(Source::Stdout);
        if chunk.first_line >= first_line && self.seen + here <= self.part.0 {
            // All of it lies before the page: its marks are enough.
            self.seen += here;
            return Ok(());
        }
        while let Some((number, source)) = unpack.next_line().filter(|_| self.seen < self.part.1) {
            let counts = source == Source::Stdout && number >= first_line;
            if counts && self.seen >= self.part.0 {
                let Some(line) = unpack.read().map_err(Error::internal)? else { break };
                let size = written(&line.text) + CELL;
                self.room = self.room.checked_sub(size).ok_or_else(|| too_large(self.found.len(), bytes))?;
                self.found.push(line.text);
            } else {
                unpack.skip().map_err(Error::internal)?;
            }
            self.seen += i64::from(counts);
        }
        Ok(())
    }
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
