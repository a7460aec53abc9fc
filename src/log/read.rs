//! Reads a log by line or by byte: the live end from memory, the rest from the database, never more than is asked.

use taskloom_entity::{SubtaskId, Timestamp};

use super::chunk::{self, Level, Line, Source};
use super::live::{Live, Placed};
use crate::error::{Error, Result};
use crate::store::{self, Store};

/// A page of lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// In order.
    pub lines: Vec<Line>,
    /// The line to ask for next.
    pub next_line: i64,
}

/// Lines from `from` (1 is the first; anything below counts as 1), `limit` at the most.
///
/// # Errors
/// When the database does not answer.
pub async fn lines(store: &Store, live: &Live, id: SubtaskId, from: i64, limit: usize) -> Result<Page> {
    let from = from.max(1);
    let mut page = Page { lines: vec![], next_line: from };
    while page.lines.len() < limit {
        let chunks = match live.from(id, page.next_line) {
            Some(chunks) => chunks,
            None => stored(store, id, page.next_line).await?,
        };
        if chunks.is_empty() {
            break;
        }
        for placed in chunks {
            if page.lines.len() >= limit {
                break;
            }
            take(&mut page, &placed, limit)?;
        }
    }
    Ok(page)
}

fn take(page: &mut Page, placed: &Placed, limit: usize) -> Result<()> {
    if placed.first_line > page.next_line {
        page.lines.push(gap(page.next_line, placed.first_line, placed.at));
        page.next_line = placed.first_line;
    }
    let opened = chunk::open(&placed.data, placed.at, placed.first_line).map_err(Error::internal)?;
    let wanted = opened.into_iter().filter(|line| line.number >= page.next_line);
    let room = limit.saturating_sub(page.lines.len());
    page.lines.extend(wanted.take(room));
    if let Some(last) = page.lines.last().filter(|line| line.number >= page.next_line) {
        page.next_line = last.number + 1;
    }
    Ok(())
}

/// Stands for what was dropped, under the number of the first line of it.
fn gap(from: i64, to: i64, at: Timestamp) -> Line {
    let text = format!("… {} lines were dropped here: the log was longer than its limit", to - from);
    Line { number: from, at, source: Source::System, level: Level::Warn, text }
}

async fn stored(store: &Store, id: SubtaskId, line: i64) -> Result<Vec<Placed>> {
    let rows = store::log::chunks(store.read(), id, line, 16).await?;
    let placed = |row: taskloom_entity::log_chunk::Model| Placed {
        first_line: row.first_line,
        lines: u32::try_from(row.lines).unwrap_or(0),
        at: row.at,
        data: row.data.into(),
    };
    Ok(rows.into_iter().map(placed).collect())
}

/// Bytes `from..from + length` of the log, fewer at its end; dropped bytes are left out.
///
/// # Errors
/// When the database does not answer.
pub async fn bytes(store: &Store, id: SubtaskId, from: i64, length: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = from.max(0);
    while out.len() < length {
        let rows = store::log::chunks_from_byte(store.read(), id, at, 16).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            let text = chunk::text(&row.data, row.at).map_err(Error::internal)?;
            let skip = usize::try_from(at - row.first_byte).unwrap_or(0).min(text.len());
            let room = length - out.len();
            out.extend_from_slice(&text[skip..text.len().min(skip + room)]);
            at = row.first_byte + i64::from(row.bytes);
        }
    }
    Ok(out)
}

/// The last whole lines, `most` bytes of them at the most, of a log that has `bytes` bytes; and how many bytes lie before
/// them.
///
/// # Errors
/// When the database does not answer.
pub async fn tail(store: &Store, live: &Live, id: SubtaskId, bytes: i64, most: usize) -> Result<(i64, Vec<Line>)> {
    let first = bytes.saturating_sub(i64::try_from(most).unwrap_or(i64::MAX));
    let from = match first {
        ..=0 => 1,
        _ => {
            store::log::chunks_from_byte(store.read(), id, first, 1).await?.first().map_or(1, |chunk| chunk.first_line)
        }
    };
    let mut page = Page { lines: vec![], next_line: from };
    let mut read = 0;
    // A log may grow as fast as it is read.
    while read < most.saturating_mul(2) {
        let next = lines(store, live, id, page.next_line, LINES).await?;
        if next.lines.is_empty() {
            break;
        }
        read += next.lines.iter().map(|line| line.text.len() + 1).sum::<usize>();
        page.next_line = next.next_line;
        page.lines.extend(next.lines);
    }
    // From the end: a line that does not fit leaves out all before it.
    let mut room = most;
    let fits = |line: &&Line| match room.checked_sub(line.text.len() + 1) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    let kept = page.lines.iter().rev().take_while(fits).count();
    let lines = page.lines.split_off(page.lines.len() - kept);
    let size: i64 = lines.iter().map(|line| i64::try_from(line.text.len() + 1).unwrap_or(0)).sum();
    let left_out = if lines.first().is_none_or(|line| line.number == 1) { 0 } else { (bytes - size).max(1) };
    Ok((left_out, lines))
}

/// Lines that are read at a time.
const LINES: usize = 10_000;
