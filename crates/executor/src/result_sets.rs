//! What works without a process find, on its way out: rows in batches, within the limits, secrets masked.

use taskloom_core::ResultKind;
use taskloom_core::rows::{Column, Part, Row};
use tokio::sync::mpsc;

use super::mask::Mask;
use super::work::Report;

/// A batch is sent when it has grown to so many bytes.
const BATCH: usize = 128 << 10;
/// The most sets of one work: what more statements find is not kept.
const SETS: u32 = 1_000;

/// Takes rows in, and sends those that the limits leave.
#[derive(Debug)]
pub(super) struct ResultCollector {
    reports: mpsc::Sender<Report>,
    mask: Mask,
    /// The most rows of a set.
    rows: u64,
    /// How many bytes are left for all sets.
    bytes: u64,
    number: u32,
    open: bool,
    taken: u64,
    truncated: bool,
    batch: Vec<Row>,
    size: usize,
}

impl ResultCollector {
    pub(super) fn new(reports: mpsc::Sender<Report>, mask: Mask, (rows, bytes): (u64, u64)) -> Self {
        let (batch, size) = (vec![], 0);
        Self { reports, mask, rows, bytes, number: 0, open: false, taken: 0, truncated: false, batch, size }
    }

    /// Begins the next set; the one before it ends.
    pub(super) async fn begin(&mut self, kind: ResultKind, columns: Vec<Column>) {
        self.end().await;
        let is_one_too_many = self.number >= SETS;
        (self.open, self.taken, self.truncated) = (!is_one_too_many, 0, is_one_too_many);
        if is_one_too_many {
            return;
        }
        let mask = |column: Column| Column { name: self.mask.text(&column.name).into_owned(), ..column };
        let columns = columns.into_iter().map(mask).collect();
        self.send(Part::Begin { kind, columns }).await;
    }

    /// Takes a row, unless a limit is reached: then the set is marked as cut.
    pub(super) async fn push(&mut self, row: Row) {
        if self.truncated {
            return;
        }
        let row: Row = row.into_iter().map(|cell| cell.map(|text| self.mask.text(&text).into_owned())).collect();
        let size = row.iter().map(|cell| cell.as_ref().map_or(4, |text| text.len() + 3)).sum::<usize>() + 2;
        if self.taken >= self.rows || size as u64 > self.bytes {
            self.truncated = true;
            return;
        }
        self.taken += 1;
        self.bytes -= size as u64;
        self.size += size;
        self.batch.push(row);
        if self.size >= BATCH {
            self.flush().await;
        }
    }

    /// Says that there is more than was pushed.
    pub(super) fn cut(&mut self) {
        self.truncated = true;
    }

    /// How many rows the open set has.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Ends the set that is open.
    pub(super) async fn end(&mut self) {
        if std::mem::take(&mut self.open) {
            self.flush().await;
            self.send(Part::End { truncated: self.truncated }).await;
            self.number += 1;
        }
    }

    async fn flush(&mut self) {
        self.size = 0;
        let rows = std::mem::take(&mut self.batch);
        if !rows.is_empty() {
            self.send(Part::Rows(rows)).await;
        }
    }

    async fn send(&self, part: Part) {
        // Nobody listens any more: what is found is of no use.
        let _ = self.reports.send(Report::Result { number: self.number, part }).await;
    }
}
