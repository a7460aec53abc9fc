//! One pattern on its way through a stream, by the algorithm of Knuth, Morris and Pratt: each byte is looked at once,
//! however often the pattern repeats itself. It begins where the pattern's first bytes were found, and ends where less
//! than those is left of it.

use std::ops::Range;

/// So many first bytes of each form are looked for at once.
pub(super) const BEGINNING: usize = 16;

/// How far a pattern has gone.
pub(super) struct Run {
    pub(super) pattern: usize,
    /// It has looked at everything before.
    at: usize,
    /// The longest beginning of the pattern, short of all of it, that ends there.
    length: usize,
    /// At `i`, how long a proper beginning of the pattern's first `i + 1` bytes also ends them. As far as needed.
    borders: Vec<u32>,
}

impl Run {
    /// The first bytes of a longer pattern were found up to `at`.
    pub(super) fn begun(pattern: usize, at: usize) -> Self {
        Self { pattern, at, length: BEGINNING, borders: vec![] }
    }

    pub(super) fn is_on(&self) -> bool {
        self.length >= BEGINNING
    }

    /// Where what has been matched begins.
    pub(super) fn from(&self) -> usize {
        self.at - self.length
    }

    /// The first `bytes` of the stream are gone.
    pub(super) fn shift(&mut self, bytes: usize) {
        self.at -= bytes;
    }

    /// Looks at the rest of `text`, as long as it is on; where the whole `pattern` is goes to `found`.
    pub(super) fn advance(&mut self, pattern: &[u8], text: &[u8], found: &mut Vec<Range<usize>>) {
        while self.is_on() && self.at < text.len() {
            if text[self.at] != pattern[self.length] {
                // What is left may go on with the same byte.
                self.length = self.border(pattern);
                continue;
            }
            self.at += 1;
            self.length += 1;
            if self.length == pattern.len() {
                found.push(self.from()..self.at);
                self.length = self.border(pattern);
            }
        }
    }

    /// The longest proper beginning of the pattern with which what has been matched ends.
    fn border(&mut self, pattern: &[u8]) -> usize {
        while self.borders.len() < self.length {
            let at = self.borders.len();
            let mut length = self.borders.last().map_or(0, |last| *last as usize);
            while length > 0 && pattern[at] != pattern[length] {
                length = self.borders[length - 1] as usize;
            }
            let longer = at > 0 && pattern[at] == pattern[length];
            self.borders.push(u32::try_from(length + usize::from(longer)).unwrap_or_default());
        }
        self.borders[self.length - 1] as usize
    }
}
