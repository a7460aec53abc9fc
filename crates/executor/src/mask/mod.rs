//! Secrets made unreadable in everything that a work says: [`Mask`] knows what to look for, [`MaskedStream`] looks in one
//! stream of bytes however it is cut.
//!
//! Looked for are the values themselves, their lines, and the forms in which programs repeat them (`forms`): the first
//! bytes of all of them at once, and the rest of a form only where those are found. So the largest secrets cost no
//! more memory than what a program really says of them. The invariant: a byte leaves a [`MaskedStream`] only when no value
//! can begin with what was held back before it.

mod forms;
mod letters;
mod run;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;
use taskloom_vault::Hidden;

use forms::Form;
use run::{BEGINNING, Run};

/// What stands for a secret.
const STARS: &[u8] = b"***";

/// What is to be made unreadable. Cheap to clone.
#[derive(Clone, Default)]
pub struct Mask(Option<Arc<Patterns>>);

struct Patterns {
    secrets: Vec<Hidden>,
    /// By their beginnings.
    patterns: Vec<Pattern>,
    /// Each beginning once, in order, with the patterns that have it.
    beginnings: Vec<(Vec<u8>, Range<usize>)>,
    find: AhoCorasick,
}

/// A form of a secret.
struct Pattern {
    secret: usize,
    form: Form,
    bytes: OnceLock<Vec<u8>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask {{ patterns: {} }}", self.0.as_ref().map_or(0, |patterns| patterns.patterns.len()))
    }
}

impl Mask {
    /// A mask over these values.
    #[must_use]
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s Hidden>) -> Self {
        let secrets: Vec<Hidden> = secrets.into_iter().cloned().collect();
        let mut found: Vec<(Vec<u8>, usize, Form)> = vec![];
        for (secret, value) in secrets.iter().enumerate() {
            let forms = forms::all(value.expose()).into_iter();
            found.extend(forms.map(|form| (form.beginning(value.expose(), BEGINNING), secret, form)));
        }
        if found.is_empty() {
            return Self(None);
        }
        found.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let (mut beginnings, mut patterns): (Vec<(Vec<u8>, Range<usize>)>, _) =
            (vec![], Vec::with_capacity(found.len()));
        for (beginning, secret, form) in found {
            patterns.push(Pattern { secret, form, bytes: OnceLock::new() });
            match beginnings.last_mut() {
                Some((last, of)) if *last == beginning => of.end = patterns.len(),
                _ => beginnings.push((beginning, patterns.len() - 1..patterns.len())),
            }
        }
        let find = AhoCorasick::new(beginnings.iter().map(|(beginning, _)| beginning));
        let find = find.expect("invariant: the beginnings are shorter than the secrets, and those have a limit");
        Self(Some(Arc::new(Patterns { secrets, patterns, beginnings, find })))
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// A whole text, masked.
    #[must_use]
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.masked(text, MaskedStream::finish)
    }

    /// The beginning of a text whose end is not known, masked: without what may be the beginning of a secret.
    #[must_use]
    pub fn beginning<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.masked(text, |_| vec![])
    }

    fn masked<'t>(&self, text: &'t str, end: impl Fn(&mut MaskedStream) -> Vec<u8>) -> Cow<'t, str> {
        let Some(mut stream) = self.stream() else { return Cow::Borrowed(text) };
        let mut masked = stream.pass(text.as_bytes());
        if masked.len() == text.len() && masked == text.as_bytes() {
            return Cow::Borrowed(text);
        }
        masked.append(&mut end(&mut stream));
        // Secrets are whole characters, and so is what lies between them.
        Cow::Owned(String::from_utf8_lossy(&masked).into_owned())
    }

    /// A mask for one stream; none when there is nothing to look for.
    pub(super) fn stream(&self) -> Option<MaskedStream> {
        self.0.as_ref().map(|patterns| MaskedStream::through(patterns.clone()))
    }
}

impl Patterns {
    /// All bytes of a pattern.
    fn bytes(&self, pattern: usize) -> &[u8] {
        let Pattern { secret, form, bytes } = &self.patterns[pattern];
        bytes.get_or_init(|| form.whole(self.secrets[*secret].expose()))
    }

    /// Whether a pattern can begin with `tail`, which is shorter than a beginning.
    fn may_begin(&self, tail: &[u8]) -> bool {
        let next = self.beginnings.partition_point(|(beginning, _)| beginning.as_slice() <= tail);
        self.beginnings.get(next).is_some_and(|(beginning, _)| beginning.starts_with(tail))
    }
}

/// One stream of bytes on its way through the mask.
pub(super) struct MaskedStream {
    patterns: Arc<Patterns>,
    /// What may be the beginning of a pattern.
    held: Vec<u8>,
    /// So much of it has been looked at.
    seen: usize,
    /// Where patterns have begun and gone on so far; one for each pattern.
    runs: Vec<Run>,
    found: Vec<Range<usize>>,
    /// So many bytes of what is held belong to what was covered already.
    covered: usize,
}

impl std::fmt::Debug for MaskedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MaskedStream {{ held: {} }}", self.held.len())
    }
}

impl MaskedStream {
    fn through(patterns: Arc<Patterns>) -> Self {
        Self { patterns, held: vec![], seen: 0, runs: vec![], found: vec![], covered: 0 }
    }

    /// Takes the next bytes; what may leave, never more than was taken and held.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        self.look();
        self.leave(self.doubtful())
    }

    /// What was held back: nothing follows.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.runs.clear();
        self.leave(self.held.len())
    }

    /// Looks at what is new.
    fn look(&mut self) {
        let (patterns, held) = (self.patterns.clone(), std::mem::take(&mut self.held));
        let from = self.seen.saturating_sub(BEGINNING - 1);
        for hit in patterns.find.find_overlapping_iter(&held[from..]) {
            let text = &held[..from + hit.end()];
            if text.len() > self.seen {
                let (beginning, of) = &patterns.beginnings[hit.pattern().as_usize()];
                of.clone().for_each(|pattern| self.begin(pattern, beginning.len(), text));
            }
        }
        for run in &mut self.runs {
            run.advance(patterns.bytes(run.pattern), &held, &mut self.found);
        }
        self.runs.retain(Run::is_on);
        self.seen = held.len();
        self.held = held;
    }

    /// A pattern's beginning, of `length` bytes, was found at the end of `text`.
    fn begin(&mut self, pattern: usize, length: usize, text: &[u8]) {
        let (bytes, end) = (self.patterns.bytes(pattern), text.len());
        if bytes.len() == length {
            return self.found.push(end - length..end);
        }
        match self.runs.iter_mut().find(|run| run.pattern == pattern) {
            Some(run) => {
                run.advance(bytes, text, &mut self.found);
                // One that is still on knows of this beginning, as the end of what it has matched.
                if !run.is_on() {
                    *run = Run::begun(pattern, end);
                }
            }
            None => self.runs.push(Run::begun(pattern, end)),
        }
    }

    /// From where on what is held may be the beginning of a pattern.
    fn doubtful(&self) -> usize {
        let end = self.held.len();
        let tails = end.saturating_sub(BEGINNING - 1)..end;
        let tail = tails.into_iter().find(|from| self.patterns.may_begin(&self.held[*from..])).unwrap_or(end);
        self.runs.iter().map(Run::from).fold(tail, usize::min)
    }

    /// What was found, in order, where it overlaps joined.
    fn ranges(&mut self) -> Vec<Range<usize>> {
        let mut found = std::mem::take(&mut self.found);
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

    /// Lets the first `until` bytes leave.
    fn leave(&mut self, until: usize) -> Vec<u8> {
        if until == 0 {
            return vec![];
        }
        let mut ranges = self.ranges();
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
                self.found.push(start - until..end - until);
                continue;
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
        self.seen -= until;
        self.runs.iter_mut().for_each(|run| run.shift(until));
        left
    }
}

#[cfg(test)]
mod tests;
