//! Reads a log by line or by byte: the live end from memory, the rest from the database, never more than is asked. A page
//! has a budget of bytes beside its number of lines, and ends early at either.
//!
//! Each read is a walk of the caller's own task, which waits for the database between chunks: whoever stops waiting for
//! it stops it.

use std::collections::VecDeque;

use taskloom_entity::{SubtaskId, Timestamp, log_chunk};

use super::live::{Live, PlacedChunk};
use crate::error::{Error, Result};
use crate::log::chunk::{Level, Line, Source};
use crate::log::unpack::LogUnpack;
use crate::store::{self, Store};
use crate::text::{boundary, written};

/// Compressed chunks that are held at a time, in bytes and in number.
const HELD: usize = 1 << 20;
const BATCH: usize = 16;
/// The longest character.
const LONGEST: i64 = 4;

/// A page of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogLinePage {
    /// In order.
    pub lines: Vec<Line>,
    /// The line to ask for next.
    pub next_line: i64,
}

/// The most that one page may have. A line counts as it will be written; one line there is always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPageLimit {
    /// Lines.
    pub lines: usize,
    /// Bytes.
    pub bytes: usize,
}

/// Which log, and where it lies.
#[derive(Clone, Copy, Debug)]
pub struct LogHandle<'a> {
    /// What is on disk.
    pub store: &'a Store,
    /// What was written last.
    pub live: &'a Live,
    /// The subtask.
    pub id: SubtaskId,
}

/// The chunks of a log from one line on, one after the other.
#[derive(Debug)]
pub struct ChunkWalk<'a> {
    of: LogHandle<'a>,
    next_line: i64,
    ready: VecDeque<PlacedChunk>,
    /// The largest chunk so far, compressed.
    largest: usize,
    has_ended: bool,
}

impl<'a> ChunkWalk<'a> {
    /// Begins at the chunk that has this line.
    #[must_use]
    pub fn from(of: LogHandle<'a>, line: i64) -> Self {
        Self { of, next_line: line.max(1), ready: VecDeque::new(), largest: 0, has_ended: false }
    }

    /// The next chunk; none when the log goes no further for now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next(&mut self) -> Result<Option<PlacedChunk>> {
        if self.ready.is_empty() && !self.has_ended {
            self.ready = match self.of.live.from(self.of.id, self.next_line) {
                Some(chunks) => chunks.into(),
                None => self.stored().await?,
            };
        }
        // Chunks of the live end come without a wait: others have their turn all the same.
        tokio::task::yield_now().await;
        let next = self.ready.pop_front();
        if let Some(placed) = &next {
            self.next_line = placed.next_line();
        }
        Ok(next)
    }

    /// Some at a time: a few to begin with, then as many as are worth holding.
    async fn stored(&mut self) -> Result<VecDeque<PlacedChunk>> {
        let limit = HELD.checked_div(self.largest).map_or(2, |many| many.clamp(1, BATCH));
        let rows = store::log::chunks(self.of.store.read(), self.of.id, self.next_line, limit as u64).await?;
        self.has_ended = rows.len() < limit;
        self.largest = rows.iter().map(|row| row.data.len()).fold(self.largest, usize::max);
        Ok(rows.into_iter().map(placed).collect())
    }
}

fn placed(row: log_chunk::Model) -> PlacedChunk {
    PlacedChunk {
        first_line: row.first_line,
        lines: u32::try_from(row.lines).unwrap_or(0),
        at: row.at,
        data: row.data.into(),
    }
}

/// Lines from `from` on (1 is the first; anything below counts as 1).
///
/// # Errors
/// When the database does not answer.
pub async fn lines(of: LogHandle<'_>, from: i64, most: LogPageLimit) -> Result<LogLinePage> {
    let mut walk = ChunkWalk::from(of, from);
    let page = LogLinePage { lines: vec![], next_line: from.max(1) };
    let mut filling = LogPageBuilder { page, most, room: most.bytes };
    while filling.has_room()
        && let Some(chunk) = walk.next().await?
    {
        if !filling.take(&chunk)? {
            break;
        }
    }
    Ok(filling.page)
}

/// A page on its way.
struct LogPageBuilder {
    page: LogLinePage,
    most: LogPageLimit,
    /// Bytes that are left.
    room: usize,
}

impl LogPageBuilder {
    fn has_room(&self) -> bool {
        self.page.lines.len() < self.most.lines
    }

    /// Takes the lines of a chunk; whether the page can take more.
    fn take(&mut self, chunk: &PlacedChunk) -> Result<bool> {
        if chunk.first_line > self.page.next_line {
            let gap = gap(self.page.next_line, chunk.first_line, chunk.at);
            if !self.push(gap) {
                return Ok(false);
            }
            self.page.next_line = chunk.first_line;
        }
        let mut unpack = LogUnpack::new(&chunk.data, chunk.at, chunk.first_line).map_err(Error::internal)?;
        while unpack.next_line().is_some_and(|(number, _)| number < self.page.next_line) {
            unpack.skip().map_err(Error::internal)?;
        }
        while self.has_room() {
            let Some(line) = unpack.read().map_err(Error::internal)? else { return Ok(true) };
            if !self.push(line) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Takes a line, unless it is the one too many.
    fn push(&mut self, line: Line) -> bool {
        let size = written(&line.text) + 1;
        if !self.has_room() || (size > self.room && !self.page.lines.is_empty()) {
            return false;
        }
        self.room = self.room.saturating_sub(size);
        self.page.next_line = line.number + 1;
        self.page.lines.push(line);
        true
    }
}

/// Stands for what was dropped, under the number of the first line of it.
fn gap(from: i64, to: i64, at: Timestamp) -> Line {
    let text = format!("… {} lines were dropped here: the log was longer than its limit", to - from);
    Line { number: from, at, source: Source::System, level: Level::Warn, text }
}

/// Bytes `from..from + length` of the log, fewer at its end; dropped bytes are left out. Either end is moved back to where
/// a character begins, so that ranges which follow each other are the text.
///
/// # Errors
/// When the database does not answer.
pub async fn bytes(store: &Store, id: SubtaskId, from: i64, length: usize) -> Result<Vec<u8>> {
    let from = from.max(0);
    let to = from.saturating_add(i64::try_from(length).unwrap_or(i64::MAX));
    let (mut out, mut at, mut largest) = (vec![], from, 0);
    while at < to {
        let limit = HELD.checked_div(largest).map_or(1, |many| many.clamp(1, BATCH));
        let rows = store::log::chunks_from_byte(store.read(), id, at, limit as u64).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows.iter().filter(|row| row.first_byte < to) {
            out.extend_from_slice(&part(row, from - row.first_byte, to - row.first_byte)?);
        }
        let behind = |row: &log_chunk::Model| row.first_byte + i64::from(row.bytes);
        at = rows.last().map_or(to, behind);
        largest = rows.iter().map(|row| row.data.len()).fold(largest, usize::max);
    }
    Ok(out)
}

/// The bytes of a chunk between these places of it, which may lie outside. A chunk ends with a line: no character goes
/// on in the next.
fn part(row: &log_chunk::Model, from: i64, to: i64) -> Result<Vec<u8>> {
    // As much before and behind as a character could need.
    let begin = (from - LONGEST).max(0);
    let length = to.min(row.bytes.into()) + LONGEST - begin;
    let unpack = LogUnpack::new(&row.data, row.at, row.first_line).map_err(Error::internal)?;
    let bytes = unpack.bytes(begin.unsigned_abs(), length.max(0).unsigned_abs()).map_err(Error::internal)?;
    let cut = |place: i64| boundary(&bytes, usize::try_from(place - begin).unwrap_or(0));
    Ok(bytes[cut(from)..cut(to)].to_vec())
}

/// The last whole lines, `most` bytes of them at the most, of a log that has `bytes` bytes; and how many bytes lie before
/// them.
///
/// # Errors
/// When the database does not answer.
pub async fn tail(of: LogHandle<'_>, bytes: i64, most: usize) -> Result<(i64, Vec<Line>)> {
    let first = bytes.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    let from = match first {
        ..=0 => 1,
        _ => {
            let chunks = store::log::chunks_from_byte(of.store.read(), of.id, first, 1).await?;
            chunks.first().map_or(1, |chunk| chunk.first_line)
        }
    };
    let mut walk = ChunkWalk::from(of, from);
    let mut ending = Ending { lines: VecDeque::new(), most, held: 0, read: 0 };
    let mut next_line = from;
    // A log may grow as fast as it is read.
    while ending.read < most.saturating_mul(2)
        && let Some(chunk) = walk.next().await?
    {
        if chunk.first_line > next_line {
            ending.push(gap(next_line, chunk.first_line, chunk.at));
        }
        next_line = chunk.next_line();
        let mut unpack = LogUnpack::new(&chunk.data, chunk.at, chunk.first_line).map_err(Error::internal)?;
        while let Some(line) = unpack.read().map_err(Error::internal)? {
            ending.push(line);
        }
    }
    let lines: Vec<Line> = ending.lines.into_iter().map(|(_, line)| line).collect();
    let size: i64 = lines.iter().map(|line| i64::try_from(line.text.len() + 1).unwrap_or(0)).sum();
    let left_out = if lines.first().is_none_or(|line| line.number == 1) { 0 } else { (bytes - size).max(1) };
    Ok((left_out, lines))
}

/// The last lines of all that were pushed, as many as have room.
struct Ending {
    lines: VecDeque<(usize, Line)>,
    most: usize,
    held: usize,
    read: usize,
}

impl Ending {
    fn push(&mut self, line: Line) {
        let size = written(&line.text) + 1;
        self.held += size;
        self.read += line.text.len() + 1;
        self.lines.push_back((size, line));
        // A line that does not fit leaves out all before it.
        while self.held > self.most
            && let Some((size, _)) = self.lines.pop_front()
        {
            self.held -= size;
        }
    }
}
