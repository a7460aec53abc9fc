//! Secrets made unreadable in everything that a work says: [`Mask`] knows what to look for, [`Stream`] looks in one
//! stream of bytes however it is cut.
//!
//! Looked for are the values themselves, their lines, and the forms in which programs repeat them (`forms`). The
//! invariant: a byte leaves a [`Stream`] only when no value can begin with what was held back before it.

mod forms;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;

use crate::vault::Hidden;

/// What stands for a secret.
const STARS: &[u8] = b"***";

/// What is to be made unreadable. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<Patterns>>);

struct Patterns {
    find: AhoCorasick,
    /// For each pattern, the length of its longest beginning that the first `i` bytes also end with.
    borders: Vec<(Vec<u8>, Vec<usize>)>,
    longest: usize,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask {{ patterns: {} }}", self.0.as_ref().map_or(0, |patterns| patterns.borders.len()))
    }
}

impl Mask {
    /// A mask over these values.
    #[must_use]
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s Hidden>) -> Self {
        let mut patterns: Vec<Vec<u8>> = secrets.into_iter().flat_map(|secret| forms::all(secret.expose())).collect();
        patterns.sort();
        patterns.dedup();
        if patterns.is_empty() {
            return Self(None);
        }
        let find =
            AhoCorasick::new(&patterns).expect("invariant: values of 64 KiB make an automaton of some megabytes");
        let longest = patterns.iter().map(Vec::len).max().unwrap_or_default();
        let with_borders = |pattern: Vec<u8>| {
            let borders = borders(&pattern);
            (pattern, borders)
        };
        let borders = patterns.into_iter().map(with_borders).collect();
        Self(Some(Arc::new(Patterns { find, borders, longest })))
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// A whole text, masked.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(patterns) = &self.0 else { return Cow::Borrowed(text) };
        let covered = patterns.covered(text.as_bytes());
        if covered.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut masked, mut from) = (vec![], 0);
        for Range { start, end } in covered {
            masked.extend_from_slice(&text.as_bytes()[from..start]);
            masked.extend_from_slice(STARS);
            from = end;
        }
        masked.extend_from_slice(&text.as_bytes()[from..]);
        Cow::Owned(String::from_utf8_lossy(&masked).into_owned())
    }

    /// A mask for one stream; none when there is nothing to look for.
    pub(super) fn stream(&self) -> Option<Stream> {
        self.0.as_ref().map(|patterns| Stream { patterns: patterns.clone(), held: vec![], covered: 0 })
    }
}

impl Patterns {
    /// What is to be covered: where patterns are found, those that touch joined.
    fn covered(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self.find.find_overlapping_iter(text).map(|found| found.range()).collect();
        found.sort_by_key(|range| range.start);
        let mut joined: Vec<Range<usize>> = vec![];
        for range in found {
            match joined.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        joined
    }

    /// From where on the end of `text` may be the beginning of a pattern.
    fn doubtful(&self, text: &[u8]) -> usize {
        let tail = &text[text.len().saturating_sub(self.longest - 1)..];
        let begun = self.borders.iter().map(|(pattern, borders)| begun(pattern, borders, tail)).max();
        text.len() - begun.unwrap_or_default()
    }
}

/// The Knuth-Morris-Pratt table: at `i`, how long a proper beginning of `pattern` also ends at `i`.
fn borders(pattern: &[u8]) -> Vec<usize> {
    let mut table = vec![0; pattern.len()];
    for at in 1..pattern.len() {
        let mut length: usize = table[at - 1];
        while length > 0 && pattern[at] != pattern[length] {
            length = table[length - 1];
        }
        table[at] = length + usize::from(pattern[at] == pattern[length]);
    }
    table
}

/// How long the beginning of `pattern`, short of all of it, is with which `tail` ends.
fn begun(pattern: &[u8], borders: &[usize], tail: &[u8]) -> usize {
    let mut length = 0;
    for &byte in tail {
        if length == pattern.len() {
            length = borders[length - 1];
        }
        while length > 0 && byte != pattern[length] {
            length = borders[length - 1];
        }
        length += usize::from(byte == pattern[length]);
    }
    if length == pattern.len() { borders[length - 1] } else { length }
}

/// One stream of bytes on its way through the mask.
pub(super) struct Stream {
    patterns: Arc<Patterns>,
    /// What may be the beginning of a pattern.
    held: Vec<u8>,
    /// So many bytes of it belong to what was covered already.
    covered: usize,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stream {{ held: {} }}", self.held.len())
    }
}

impl Stream {
    /// Takes the next bytes; what may leave, never more than was taken and held.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let until = self.patterns.doubtful(&self.held);
        self.leave(until)
    }

    /// What was held back: nothing follows.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.leave(self.held.len())
    }

    /// Lets the first `until` bytes leave.
    fn leave(&mut self, until: usize) -> Vec<u8> {
        if until == 0 {
            return vec![];
        }
        let mut ranges = self.patterns.covered(&self.held);
        if self.covered > 0 {
            // Its stars have left; what touches it is part of it.
            let touching = ranges.iter().take_while(|range| range.start < self.covered).count();
            let end = ranges.drain(..touching).map(|range| range.end).max().unwrap_or_default().max(self.covered);
            ranges.insert(0, 0..end);
        }
        let (mut left, mut from, continued) = (Vec::with_capacity(until), 0, self.covered > 0);
        self.covered = 0;
        for (at, Range { start, end }) in ranges.into_iter().enumerate() {
            if start >= until {
                break;
            }
            left.extend_from_slice(&self.held[from..start]);
            if at > 0 || !continued {
                left.extend_from_slice(STARS);
            }
            from = end.min(until);
            self.covered = end - from;
        }
        left.extend_from_slice(&self.held[from..until]);
        self.held.drain(..until);
        left
    }
}

#[cfg(test)]
mod tests;
