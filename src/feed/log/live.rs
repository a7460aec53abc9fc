//! The live ends of logs, in memory: who follows a log is told that it has grown and finds its newest chunks here.
//!
//! Only what is on disk gets in: a line that was shown is never taken back. An end lives while somebody follows it or
//! its attempt runs, and holds at most [`END_BYTES`] of compressed chunks.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use taskloom_entity::{SubtaskId, Timestamp};
use tokio::sync::watch;

use crate::log::LogChunk;

/// Compressed bytes of one end.
const END_BYTES: usize = 256 * 1024;

/// A stored chunk with its place.
#[derive(Clone, Debug)]
pub struct PlacedChunk {
    /// The number of its first line.
    pub first_line: i64,
    /// How many lines.
    pub lines: u32,
    /// When the first came.
    pub at: Timestamp,
    /// Marks and text under zstd.
    pub data: Arc<[u8]>,
}

impl PlacedChunk {
    /// The line behind its last.
    #[must_use]
    pub fn next_line(&self) -> i64 {
        self.first_line + i64::from(self.lines)
    }
}

#[derive(Debug)]
struct LiveEnd {
    chunks: VecDeque<PlacedChunk>,
    bytes: usize,
    grown: watch::Sender<()>,
}

impl Default for LiveEnd {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, grown: watch::Sender::new(()) }
    }
}

impl LiveEnd {
    /// The line behind the newest chunk.
    fn next_line(&self) -> Option<i64> {
        self.chunks.back().map(PlacedChunk::next_line)
    }

    /// From here on the database is asked.
    fn forget(&mut self) {
        self.chunks.clear();
        self.bytes = 0;
    }
}

/// Every live end of this process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<HashMap<SubtaskId, LiveEnd>>>);

impl Live {
    /// These chunks were committed, the first at this line.
    pub fn grow(&self, id: SubtaskId, first_line: i64, chunks: Vec<LogChunk>) {
        let mut ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        let end = ends.entry(id).or_default();
        if end.next_line() != Some(first_line) {
            // Another process wrote in between, and has not been heard of yet: what is here would leave its lines out.
            end.forget();
        }
        let mut first_line = first_line;
        for chunk in chunks {
            let placed = PlacedChunk { first_line, lines: chunk.lines, at: chunk.at, data: chunk.data.into() };
            first_line += i64::from(chunk.lines);
            end.bytes += placed.data.len();
            end.chunks.push_back(placed);
        }
        while end.bytes > END_BYTES && end.chunks.len() > 1 {
            if let Some(gone) = end.chunks.pop_front() {
                end.bytes -= gone.data.len();
            }
        }
        end.grown.send_replace(());
    }

    /// The log has grown somewhere else: read it from the database.
    pub fn grown_elsewhere(&self, id: SubtaskId) {
        let mut ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        if let Some(end) = ends.get_mut(&id) {
            end.forget();
            end.grown.send_replace(());
        }
    }

    /// Any log may have grown somewhere else.
    pub fn all_grown_elsewhere(&self) {
        let mut ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        for end in ends.values_mut() {
            end.forget();
            end.grown.send_replace(());
        }
    }

    /// To be told of growth.
    #[must_use]
    pub fn follow(&self, id: SubtaskId) -> watch::Receiver<()> {
        let mut ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        ends.entry(id).or_default().grown.subscribe()
    }

    /// The chunks from the one that has this line on, when they are here.
    #[must_use]
    pub fn from(&self, id: SubtaskId, line: i64) -> Option<Vec<PlacedChunk>> {
        let ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        let chunks = &ends.get(&id)?.chunks;
        if chunks.front()?.first_line > line {
            return None;
        }
        let from = chunks.partition_point(|chunk| chunk.next_line() <= line);
        Some(chunks.range(from..).cloned().collect())
    }

    /// Forgets ends that nobody follows; called when an attempt has ended.
    pub fn release(&self, id: SubtaskId) {
        let mut ends = self.0.lock().expect("invariant: nothing panics under the ends' lock");
        if ends.get(&id).is_some_and(|end| end.grown.receiver_count() == 0) {
            ends.remove(&id);
        }
    }

    /// How many ends there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().expect("invariant: nothing panics under the ends' lock").len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::chunk::{Mark, Source};

    fn chunk(lines: u32) -> LogChunk {
        let mark = Mark { lines, at: Timestamp(0), source: Source::Stdout };
        LogChunk::seal(&[mark], "x\n".repeat(lines as usize).as_bytes())
    }

    #[test]
    fn lines_that_another_process_wrote_are_not_skipped() {
        let (live, id) = (Live::default(), SubtaskId(1));
        live.grow(id, 1, vec![chunk(3), chunk(2)]);
        assert_eq!(live.from(id, 4).map(|chunks| chunks.len()), Some(1));
        live.grow(id, 9, vec![chunk(1)]); // 6 to 8 were written elsewhere, and the notice is still on its way
        assert!(live.from(id, 6).is_none(), "the database has them");
        assert_eq!(live.from(id, 9).map(|chunks| chunks[0].first_line), Some(9));
    }

    #[test]
    fn after_a_gap_in_the_notices_the_database_is_asked() {
        let (live, id) = (Live::default(), SubtaskId(1));
        let mut grown = live.follow(id);
        live.grow(id, 1, vec![chunk(3)]);
        grown.borrow_and_update();
        live.all_grown_elsewhere();
        assert!(grown.has_changed().unwrap() && live.from(id, 4).is_none());
    }
}
