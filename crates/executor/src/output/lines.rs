//! Cuts one stream into blocks of whole lines, without copying where it is busy and without holding memory where it
//! is not. Bounded: a line longer than [`FULL`] is cut between characters into pieces, each a line of the log. An
//! output alone may be longer, by its name.
//!
//! Fast because it looks at bytes in bulk only: a block without a line that starts with `::` is passed on as it was read.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use taskloom_core::Timestamp;
use taskloom_core::text::{Text, boundary, complete};

use super::directive;
use crate::work::{LineBlock, Report, Stream};

/// The longest line and the longest value of an output; unless it is an output's, the most that is held back.
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
        let most = self.most();
        (&mut self.buffer).limit(most - held)
    }

    /// How much is held back at the most.
    fn most(&self) -> usize {
        if self.whole > 0 || self.cut {
            return FULL;
        }
        // So much more that a value of 64 KiB comes whole with its line end, and a longer one is seen to be longer
        // wherever it is cut.
        directive::value_at(&self.buffer[..self.buffer.len().min(FULL)]).map_or(FULL, |value| value + FULL + 16)
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
        self.buffer.len() >= self.most()
    }

    /// Whether there are whole lines to be taken.
    pub(super) fn has_lines(&self) -> bool {
        self.whole > 0
    }

    /// Takes the whole lines, and when it is full without any the piece of a line. It is not full afterwards.
    pub(super) fn take(&mut self, reports: &mut Vec<Report>) {
        if self.whole > 0 {
            self.take_whole(reports);
        }
        while self.is_full() {
            self.take_piece(reports);
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

    /// The same, when the stream goes on but is not listened to any more: half a character is left out.
    pub(super) fn cut_off(&mut self, reports: &mut Vec<Report>) {
        self.take(reports);
        self.buffer.truncate(complete(&self.buffer));
        self.finish(reports);
    }

    fn take_whole(&mut self, reports: &mut Vec<Report>) {
        let mut text = self.split(self.whole);
        self.whole = 0;
        let first_is_rest = std::mem::replace(&mut self.cut, false);
        if first_is_rest && text.starts_with(b"\n") {
            // The line ended where it was cut, and has got its end there.
            text.advance(1);
        }
        let (stream, at) = (self.stream, self.at);
        let block = |text: Bytes| Report::Lines(LineBlock { lines: count(&text), text, stream, at });
        report(text, first_is_rest, block, reports);
    }

    /// Takes the beginning of a line that is longer than a line may be.
    fn take_piece(&mut self, reports: &mut Vec<Report>) {
        let whole = complete(&self.buffer);
        let is_rest = std::mem::replace(&mut self.cut, true);
        let asked = if is_rest { None } else { directive::parse(&self.buffer[..whole]) };
        let mut piece = self.buffer.split_to(boundary(&self.buffer, FULL));
        match asked {
            // Of these the beginning is enough; what follows it is text.
            Some(report @ (Report::Warning(_) | Report::Progress { .. })) => return push(report, reports),
            // An output is whole or none: who takes it sees that it is too long. The log has all of it.
            Some(report) => reports.push(report),
            None => {}
        }
        piece.put_u8(b'\n');
        let text = piece.freeze();
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

/// One line of the executor itself, whatever it quotes.
pub(crate) fn system(text: &str, at: Timestamp) -> Report {
    let text = Text::cut(text, FULL).into_string().replace('\n', " ") + "\n";
    Report::Lines(LineBlock { text: text.into(), lines: 1, stream: Stream::System, at })
}

/// Reports `text`, whole lines; directives apart, ordinary lines between them in blocks.
fn report(text: Bytes, first_is_rest: bool, block: impl Fn(Bytes) -> Report, reports: &mut Vec<Report>) {
    let starts = !first_is_rest && text.starts_with(directive::PREFIX);
    if !starts && memmem::find(&text, b"\n::").is_none() {
        return push_blocks(text, block, reports);
    }
    let (mut from, mut line) = (0, 0);
    while let Some(length) = memchr(b'\n', &text[line..]) {
        let end = line + length;
        let is_rest = line == 0 && first_is_rest;
        let parsed = if is_rest { None } else { directive::parse(&text[line..end]) };
        if let Some(parsed) = parsed {
            push_blocks(text.slice(from..line), &block, reports);
            from = end + 1;
            push(parsed, reports);
        }
        line = end + 1;
    }
    push_blocks(text.slice(from..), block, reports);
}

/// Reports ordinary lines. Only what was held back for an output, and is none, is longer than a block.
fn push_blocks(mut text: Bytes, block: impl Fn(Bytes) -> Report, reports: &mut Vec<Report>) {
    while text.len() > FULL + 1 {
        let lines = memrchr(b'\n', &text[..=FULL]).map(|end| text.split_to(end + 1));
        let lines = lines.unwrap_or_else(|| {
            let piece = text.split_to(boundary(&text, FULL));
            [&piece, &b"\n"[..]].concat().into()
        });
        reports.push(block(lines));
    }
    if !text.is_empty() {
        reports.push(block(text));
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

    /// Text of these letters, so long that it is cut.
    fn long(letters: &str, bytes: usize) -> String {
        letters.repeat(bytes / letters.len() + 1)
    }

    #[test]
    fn cuts_lie_between_characters() {
        for letters in ["升", "é", "𝄞", "a升", "升級é𝄞z", "\r 45%|███▎      |"] {
            let text = long(letters, 3 * FULL);
            for size in [1_000, 4_096, FULL - 1, FULL, FULL + 1, text.len()] {
                let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
                let (got, count, _) = run(&chunks);
                let got = String::from_utf8(got).expect("every line is text");
                assert!(
                    got.split('\n').take(3).all(|line| line.len() > FULL - 4),
                    "no piece is shorter than it has to be"
                );
                assert_eq!((got.replace('\n', ""), count), (text.clone(), 4), "{letters} by {size}");
            }
        }
    }

    #[test]
    fn what_is_no_text_passes_as_it_is() {
        let half = [vec![b'x'; FULL - 1], b"\xe5\x8dx\xff\xe5".to_vec()].concat();
        assert_eq!(run(&[&half]).0, [&half[..FULL - 1], b"\n", &half[FULL - 1..], b"\n"].concat());
        let never = vec![0x8d; 2 * FULL];
        assert_eq!(run(&[&never]).0, [&never[..FULL], b"\n", &never[FULL..], b"\n"].concat());
    }

    #[test]
    fn a_line_that_just_fits_gets_no_second_end() {
        for end in ["\n", "\r\n"] {
            let line = "x".repeat(FULL + 1 - end.len()) + end;
            let text = format!("{line}{line}next\n");
            for size in [FULL, FULL - 1, 10_000, text.len()] {
                let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
                let (got, count, _) = run(&chunks);
                assert_eq!((got == text.as_bytes(), count), (true, 3), "{end:?} by {size}");
            }
        }
    }

    #[test]
    fn an_output_of_64_kib_is_whole_and_a_longer_one_is_seen_to_be_longer() {
        for end in ["\n", "\r\n"] {
            let value = long("升", FULL)[..FULL - 1].to_owned() + "x";
            let line = format!("before\n::output some.key={value}{end}after\n");
            for size in [700, 4_096, line.len()] {
                let chunks: Vec<&[u8]> = line.as_bytes().chunks(size).collect();
                let (text, _, others) = run(&chunks);
                assert_eq!((text.as_slice(), others.len()), (&b"before\nafter\n"[..], 1));
                assert!(others[0] == Report::Output { key: "some.key".into(), value: value.clone() });
            }
        }
        for more in ["升", "x\r", "\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\r\rx"] {
            let value = long(more, FULL) + "x";
            let (text, _, others) = run(&[format!("::output k={value}\nafter\n").as_bytes()]);
            let [Report::Output { key, value: told }] = others.as_slice() else { panic!("{} reports", others.len()) };
            assert!(key == "k" && told.len() > FULL && value.starts_with(told.as_str()));
            let text = String::from_utf8(text).unwrap().replace('\n', "");
            let is_in_the_log = text == format!("::output k={value}after");
            assert!(is_in_the_log || told.len() == value.len(), "one that came whole needs no log");
        }
    }

    #[test]
    fn the_beginning_of_a_long_warning_is_one() {
        let text = long("升", 2 * FULL);
        let (log, _, others) = run(&[format!("::warning {text}\n::progress 0.5 {text}").as_bytes()]);
        let [Report::Warning(warning), Report::Progress { text: Some(progress), .. }] = others.as_slice() else {
            panic!("{} reports", others.len())
        };
        assert!(text.starts_with(warning.as_str()) && warning.len() > FULL - 16);
        assert!(text.starts_with(progress.as_str()) && progress.len() > FULL - 18);
        let rest = format!("{}{}", &text[warning.len()..], &text[progress.len()..]);
        assert_eq!(String::from_utf8(log).unwrap().replace('\n', ""), rest);
    }

    #[test]
    fn what_looks_like_an_output_is_cut_as_any_line() {
        let odd = [&b"::output k="[..], &vec![b'x'; FULL], b"\xff"].concat();
        let (text, count, others) =
            run(&[&odd, b"\n::output 1k=", &vec![b'y'; FULL], b"\n::output ", &vec![b'z'; FULL]]);
        assert_eq!((count, others), (6, vec![]));
        let want = [&odd[..], b"::output 1k=", &vec![b'y'; FULL], b"::output ", &vec![b'z'; FULL]].concat();
        assert!(text.into_iter().filter(|byte| *byte != b'\n').eq(want));
    }

    #[test]
    fn who_is_listened_to_no_more_is_cut_between_characters() {
        let mut lines = Lines::new(Stream::Stdout);
        let mut reports = vec![];
        lines.feed("whole\n升升".as_bytes().split_last().unwrap().1, Timestamp(0), &mut reports);
        lines.cut_off(&mut reports);
        let text: Vec<u8> = reports
            .iter()
            .flat_map(|report| match report {
                Report::Lines(block) => block.text.to_vec(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(String::from_utf8(text).unwrap(), "whole\n升\n");
    }

    #[test]
    fn a_line_of_the_executor_is_one_line() {
        let Report::Lines(block) = system("a\r\nb\nc\0d", Timestamp(0)) else { panic!("lines") };
        assert_eq!((&block.text[..], block.lines), ("a b c\u{fffd}d\n".as_bytes(), 1));
        let Report::Lines(block) = system(&long("升", 2 * FULL), Timestamp(0)) else { panic!("lines") };
        assert!(block.text.len() <= FULL + 1 && std::str::from_utf8(&block.text).unwrap().ends_with("…\n"));
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

        #[test]
        fn text_stays_text_however_it_is_read(
            parts in proptest::collection::vec(("[a é升𝄞]{1,20}", 1_usize..4_000), 1..8),
            size in 1_usize..100_000,
            secrets in proptest::option::of(proptest::collection::vec("[xyü鑰𝄢]{4,9}", 1..3)),
        ) {
            let text: String = parts.iter().map(|(letters, times)| letters.repeat(*times)).collect();
            let secrets: Vec<_> = secrets.into_iter().flatten().map(taskloom_vault::Hidden::new).collect();
            // Here and there a secret, and something that begins like one.
            let text = secrets.iter().fold(text, |text, secret| {
                let half = &secret.expose()[..secret.expose().floor_char_boundary(3)];
                text.replacen('升', &format!("{half} {} ", secret.expose()), 50)
            });
            let mut mask = crate::Mask::of(&secrets).stream();
            let (mut lines, mut reports) = (Lines::new(Stream::Stdout), vec![]);
            for chunk in text.as_bytes().chunks(size) {
                let chunk = mask.as_mut().map_or_else(|| chunk.to_vec(), |mask| mask.pass(chunk));
                lines.feed(&chunk, Timestamp(7), &mut reports);
            }
            lines.feed(&mask.map(|mut mask| mask.finish()).unwrap_or_default(), Timestamp(7), &mut reports);
            lines.finish(&mut reports);
            let mut got = vec![];
            for report in reports {
                let Report::Lines(block) = report else { panic!("{report:?}") };
                got.extend_from_slice(&block.text);
            }
            let got = String::from_utf8(got).expect("every line is text");
            let want = secrets.iter().fold(text, |text, secret| text.replace(secret.expose(), "***"));
            if secrets.len() < 2 {
                proptest::prop_assert!(got.replace('\n', "") == want);
            }
            proptest::prop_assert!(secrets.iter().all(|secret| !got.contains(secret.expose())));
        }
    }
}
