//! Gathers lines into chunks on the worker's side, and keeps a log within its limit: its head and its tail.

use std::collections::VecDeque;

use super::chunk::{LogChunk, Mark, Source};
use crate::Timestamp;

/// Lines on their way into chunks.
#[derive(Debug)]
pub struct Gather {
    size: usize,
    marks: Vec<Mark>,
    text: Vec<u8>,
}

impl Gather {
    /// Into chunks of about `size` bytes of text.
    #[must_use]
    pub fn into_chunks(size: usize) -> Self {
        Self { size, marks: vec![], text: vec![] }
    }

    /// Takes whole lines; returns a chunk when one is full.
    pub fn push(&mut self, text: &[u8], lines: u32, source: Source, at: Timestamp) -> Option<LogChunk> {
        self.text.extend_from_slice(text);
        match self.marks.last_mut() {
            Some(last) if last.source == source && at.0 - last.at.0 < 1_000 => last.lines += lines,
            _ => self.marks.push(Mark { lines, at, source }),
        }
        if self.text.len() >= self.size { self.seal() } else { None }
    }

    /// What has been gathered, if anything.
    pub fn seal(&mut self) -> Option<LogChunk> {
        if self.marks.is_empty() {
            return None;
        }
        let chunk = LogChunk::seal(&self.marks, &self.text);
        self.marks.clear();
        self.text.clear();
        Some(chunk)
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }
}

/// Which chunks of one attempt's log stay: half of the limit from its head, half from its tail.
#[derive(Debug)]
pub struct Limit {
    half: u64,
    head: u64,
    tail: VecDeque<(i64, u64)>,
    tail_bytes: u64,
}

impl Limit {
    /// At most `bytes` of text.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self { half: bytes / 2, head: 0, tail: VecDeque::new(), tail_bytes: 0 }
    }

    /// Counts a stored chunk; names the first lines of those that have to go.
    pub fn count(&mut self, first_line: i64, bytes: u64) -> Vec<i64> {
        if self.head + bytes <= self.half {
            self.head += bytes;
            return vec![];
        }
        // Once the head is full it stays: what follows is tail, however small.
        self.half = self.half.max(self.head);
        self.head = self.half;
        self.tail.push_back((first_line, bytes));
        self.tail_bytes += bytes;
        let mut gone = vec![];
        while self.tail_bytes > self.half {
            let Some((line, bytes)) = self.tail.pop_front() else { break };
            self.tail_bytes -= bytes;
            gone.push(line);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_chunk_comes_out_and_the_rest_stays() {
        let mut gather = Gather::into_chunks(100);
        let line = [b'x'; 50];
        assert!(gather.push(&line, 1, Source::Stdout, Timestamp(0)).is_none());
        let chunk = gather.push(&line, 1, Source::Stderr, Timestamp(5)).expect("full");
        assert_eq!(chunk.lines, 2);
        assert!(gather.is_empty() && gather.seal().is_none());
    }

    #[test]
    fn head_and_tail_stay_and_the_middle_goes() {
        let mut limit = Limit::of(400);
        let gone: Vec<i64> = (0..10).flat_map(|n| limit.count(n * 10, 100)).collect();
        assert_eq!(gone, [20, 30, 40, 50, 60, 70], "0 and 10 are the head, 80 and 90 the tail");
    }
}
