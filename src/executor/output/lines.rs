//! Cuts one stream into blocks of whole lines, without copying where it is busy and without holding memory where it
//! is not. Bounded: a line longer than [`FULL`] is cut into pieces, each a line of the log.
//!
//! Fast because it looks at bytes in bulk only: a block without a line that starts with `::` is passed on as it was read.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use taskloom_entity::Timestamp;

use super::directive;
use crate::executor::work::{LineBlock, Report, Stream};

/// The most that is held back, and the longest line.
pub(super) const FULL: usize = 64 * 1024;
/// A buffer's size before its stream has shown to be busy.
const SMALL: usize = 8 * 1024;
/// Blocks below this are copied out, so that they do not keep a large buffer alive.
const COPIED: usize = 4 * 1024;

/// The unfinished end of a stream and the whole lines before it that have not been taken yet.
#[derive(Debug)]
pub(super) struct Lines {
    stream: Stream,
    buffer: BytesMut,
    /// Up to here there are whole lines.
    whole: usize,
    /// The buffer begins in the middle of a line that was cut.
    cut: bool,
    at: Timestamp,
}

impl Lines {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, buffer: BytesMut::new(), whole: 0, cut: false, at: Timestamp(0) }
    }

    /// Where to read into: never more than until the buffer is full.
    pub(super) fn space(&mut self) -> impl BufMut + '_ {
        let held = self.buffer.len();
        if self.buffer.capacity() - held < SMALL / 2 {
            // Filled up: the stream is busy.
            let more = if held == 0 { SMALL } else { FULL.max(held + SMALL) - held };
            self.buffer.reserve(more);
        }
        (&mut self.buffer).limit(FULL - held)
    }

    /// `read` bytes came in, at `at`.
    pub(super) fn filled(&mut self, read: usize, at: Timestamp) {
        let old = self.buffer.len() - read;
        if self.whole == 0 {
            self.at = at;
        }
        if let Some(end) = memrchr(b'\n', &self.buffer[old..]) {
            self.whole = old + end + 1;
        }
    }

    /// Takes `text` in, which came in at `at`; what fills up goes to `ready`.
    pub(super) fn feed(&mut self, mut text: &[u8], at: Timestamp, ready: &mut Vec<Report>) {
        while !text.is_empty() {
            let taken = {
                let mut space = self.space();
                let taken = text.len().min(space.remaining_mut());
                space.put_slice(&text[..taken]);
                taken
            };
            text = &text[taken..];
            self.filled(taken, at);
            if self.is_full() {
                self.take(ready);
            }
        }
    }

    /// Whether it has to be taken before more can be read.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= FULL
    }

    /// Whether there are whole lines to be taken.
    pub(super) fn has_lines(&self) -> bool {
        self.whole > 0
    }

    /// Takes the whole lines, or when it is full without any the piece of a line.
    pub(super) fn take(&mut self, reports: &mut Vec<Report>) {
        if self.whole > 0 {
            let text = self.split(self.whole);
            self.whole = 0;
            let first_is_rest = std::mem::replace(&mut self.cut, false);
            let (stream, at) = (self.stream, self.at);
            let block = |text: Bytes| Report::Lines(LineBlock { lines: count(&text), text, stream, at });
            report(text, first_is_rest, block, reports);
        } else if self.is_full() {
            self.take_piece(reports);
            self.cut = true;
        }
    }

    /// Takes everything: the stream has ended. A last line without end gets one.
    pub(super) fn finish(&mut self, reports: &mut Vec<Report>) {
        self.take(reports);
        if !self.buffer.is_empty() {
            self.buffer.put_u8(b'\n');
            self.whole = self.buffer.len();
            self.take(reports);
        }
    }

    fn take_piece(&mut self, reports: &mut Vec<Report>) {
        self.buffer.put_u8(b'\n');
        let text = self.buffer.split().freeze();
        reports.push(Report::Lines(LineBlock { text, lines: 1, stream: self.stream, at: self.at }));
    }

    fn split(&mut self, end: usize) -> Bytes {
        if end >= COPIED {
            return self.buffer.split_to(end).freeze();
        }
        let text = Bytes::copy_from_slice(&self.buffer[..end]);
        self.buffer.advance(end);
        text
    }
}

/// One line of the executor itself.
pub(in crate::executor) fn system(text: &str, at: Timestamp) -> Report {
    let text = Bytes::from(format!("{text}\n"));
    Report::Lines(LineBlock { text, lines: 1, stream: Stream::System, at })
}

/// Reports `text`, whole lines; directives apart, ordinary lines between them in blocks.
fn report(text: Bytes, first_is_rest: bool, block: impl Fn(Bytes) -> Report, reports: &mut Vec<Report>) {
    let starts = !first_is_rest && text.starts_with(directive::PREFIX);
    if !starts && memmem::find(&text, b"\n::").is_none() {
        reports.push(block(text));
        return;
    }
    let (mut from, mut line) = (0, 0);
    while let Some(length) = memchr(b'\n', &text[line..]) {
        let end = line + length;
        let is_rest = line == 0 && first_is_rest;
        let parsed = if is_rest { None } else { directive::parse(&text[line..end]) };
        if let Some(parsed) = parsed {
            if from < line {
                reports.push(block(text.slice(from..line)));
            }
            from = end + 1;
            push(parsed, reports);
        }
        line = end + 1;
    }
    if from < text.len() {
        reports.push(block(text.slice(from..)));
    }
}

/// Of progress reports in a row only the newest is worth anything.
fn push(report: Report, reports: &mut Vec<Report>) {
    match (reports.last_mut(), &report) {
        (Some(last @ Report::Progress { .. }), Report::Progress { .. }) => *last = report,
        _ => reports.push(report),
    }
}

fn count(text: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `chunks` as separate reads and gives the text of the lines and the other reports.
    fn run(chunks: &[&[u8]]) -> (Vec<u8>, u32, Vec<Report>) {
        let mut lines = Lines::new(Stream::Stdout);
        let mut reports = vec![];
        for chunk in chunks {
            let mut rest = *chunk;
            while !rest.is_empty() {
                let read = {
                    let mut space = lines.space();
                    let read = rest.len().min(space.remaining_mut());
                    space.put_slice(&rest[..read]);
                    read
                };
                assert!(read > 0);
                rest = &rest[read..];
                lines.filled(read, Timestamp(7));
                if lines.is_full() {
                    lines.take(&mut reports);
                }
            }
        }
        lines.finish(&mut reports);
        let (mut text, mut count, mut others) = (vec![], 0, vec![]);
        for report in reports {
            match report {
                Report::Lines(block) => {
                    assert!(block.text.ends_with(b"\n"));
                    assert!(block.text.len() <= FULL + 1);
                    assert_eq!(block.lines as usize, block.text.iter().filter(|byte| **byte == b'\n').count());
                    text.extend_from_slice(&block.text);
                    count += block.lines;
                }
                other => others.push(other),
            }
        }
        (text, count, others)
    }

    #[test]
    fn lines_are_whole_however_they_are_read() {
        assert_eq!(run(&[b"a\nb", b"c\n", b"\n", b"last"]), (b"a\nbc\n\nlast\n".to_vec(), 4, vec![]));
        assert_eq!(run(&[]), (vec![], 0, vec![]));
    }

    #[test]
    fn directives_are_taken_out_even_in_two_reads() {
        let (text, count, others) =
            run(&[b"::progress 0.1\n::prog", b"ress 0.2 x\nline\n::output a=1\n::bad\n::warning w"]);
        assert_eq!((text.as_slice(), count), (&b"line\n::bad\n"[..], 2));
        let progress = Report::Progress { fraction: 0.2, text: Some("x".into()) };
        let output = Report::Output { key: "a".into(), value: "1".into() };
        assert_eq!(others, [progress, output, Report::Warning("w".into())]);
    }

    #[test]
    fn a_long_line_is_cut_and_its_rest_is_no_directive() {
        let mut long = vec![b'x'; FULL];
        long.extend_from_slice(b"::warning no\nnext\n");
        let (text, count, others) = run(&[&long]);
        assert_eq!(text.len(), FULL + 1 + "::warning no\nnext\n".len());
        assert_eq!((count, others), (3, vec![]));
        let endless = vec![b'y'; 3 * FULL + 5];
        let (text, count, _) = run(&[&endless]);
        assert_eq!((text.len(), count), (3 * FULL + 5 + 4, 4));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]

        #[test]
        fn nothing_is_lost_or_changed(chunks in proptest::collection::vec(proptest::collection::vec(0_u8..=255, 0..40_000), 0..8)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let (text, _, others) = run(&chunks);
            let plain: Vec<u8> = chunks.concat().into_iter().filter(|byte| *byte != b'\n').collect();
            let got: Vec<u8> = text.into_iter().filter(|byte| *byte != b'\n').collect();
            proptest::prop_assert!(others.is_empty());
            proptest::prop_assert_eq!(plain, got);
        }
    }
}
