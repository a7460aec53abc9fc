//! Reads a stored chunk line by line. It is decompressed as far as it is read and no further: a few kilobytes may hold
//! many megabytes.

use std::io::{BufRead, BufReader, Read};
use std::{io, vec};

use zstd::stream::read::Decoder;

use super::chunk::{ChunkError, Line, Mark, Source, level};
use crate::Timestamp;

/// Text that is decompressed at a time.
const BUFFER: usize = 32 * 1024;

/// A stored chunk that is being read.
pub struct LogUnpack<'a> {
    text: BufReader<Decoder<'static, &'a [u8]>>,
    marks: vec::IntoIter<Mark>,
    /// The run of the next line; its lines are those that are left.
    run: Mark,
    number: i64,
    line: Vec<u8>,
}

impl std::fmt::Debug for LogUnpack<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogUnpack").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<'a> LogUnpack<'a> {
    /// Reads the marks of a chunk whose first line has this number.
    ///
    /// # Errors
    /// [`ChunkError`] when the row was damaged.
    pub fn new(data: &'a [u8], at: Timestamp, first_line: i64) -> Result<Self, ChunkError> {
        let mut text = BufReader::with_capacity(BUFFER, Decoder::with_buffer(data)?);
        let count = take(&mut text)?;
        let mut marks = vec![];
        for _ in 0..count {
            let lines = u32::try_from(take(&mut text)?).map_err(|_| ChunkError::Marks)?;
            let later = i64::try_from(take(&mut text)?).map_err(|_| ChunkError::Marks)?;
            let source = Source::numbered(take(&mut text)?).ok_or(ChunkError::Marks)?;
            marks.push(Mark { lines, at: Timestamp(at.0.saturating_add(later)), source });
        }
        let run = Mark { lines: 0, at, source: Source::System };
        Ok(Self { text, marks: marks.into_iter(), run, number: first_line, line: vec![] })
    }

    /// The number of the next line, and its source; none behind the last.
    pub fn next_line(&mut self) -> Option<(i64, Source)> {
        while self.run.lines == 0 {
            self.run = self.marks.next()?;
        }
        Some((self.number, self.run.source))
    }

    /// How many of the lines that are left are of this source.
    #[must_use]
    pub fn count(&self, source: Source) -> i64 {
        let runs = std::iter::once(&self.run).chain(self.marks.as_slice());
        runs.filter(|run| run.source == source).map(|run| i64::from(run.lines)).sum()
    }

    /// Passes over the next line.
    ///
    /// # Errors
    /// [`ChunkError`] when the row was damaged.
    pub fn skip(&mut self) -> Result<(), ChunkError> {
        if self.next_line().is_some() {
            self.text.skip_until(b'\n')?;
            self.pass();
        }
        Ok(())
    }

    /// The next line; none behind the last.
    ///
    /// # Errors
    /// [`ChunkError`] when the row was damaged.
    pub fn read(&mut self) -> Result<Option<Line>, ChunkError> {
        let Some((number, source)) = self.next_line() else { return Ok(None) };
        self.line.clear();
        self.text.read_until(b'\n', &mut self.line)?;
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = String::from_utf8_lossy(text).into_owned();
        let line = Line { number, at: self.run.at, source, level: level(source, &text), text };
        self.pass();
        Ok(Some(line))
    }

    fn pass(&mut self) {
        self.run.lines -= 1;
        self.number += 1;
    }

    /// `length` bytes of the text from `from` on, fewer at its end. To be asked first, of all that is asked.
    ///
    /// # Errors
    /// [`ChunkError`] when the row was damaged.
    pub fn bytes(mut self, from: u64, length: u64) -> Result<Vec<u8>, ChunkError> {
        io::copy(&mut self.text.by_ref().take(from), &mut io::sink())?;
        let mut bytes = vec![];
        self.text.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// A number in LEB128.
fn take(text: &mut impl Read) -> Result<u64, ChunkError> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        if text.read(&mut byte)? == 0 {
            break;
        }
        number |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(number);
        }
    }
    Err(ChunkError::Marks)
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{Level, LogChunk};
    use super::*;

    fn sealed() -> LogChunk {
        let marks = [
            Mark { lines: 2, at: Timestamp(1_000), source: Source::Stdout },
            Mark { lines: 1, at: Timestamp(1_300), source: Source::Warning },
        ];
        LogChunk::seal(&marks, b"2024-01-01 10:00:00.1 ERROR no\n\xff\nlook\n")
    }

    #[test]
    fn what_is_sealed_is_read_again() {
        let chunk = sealed();
        assert_eq!((chunk.lines, chunk.bytes), (3, 38));
        let mut unpack = LogUnpack::new(&chunk.data, chunk.at, 7).unwrap();
        assert_eq!((unpack.count(Source::Stdout), unpack.count(Source::Warning)), (2, 1));
        let mut lines = vec![];
        while let Some(line) = unpack.read().unwrap() {
            lines.push(line);
        }
        let read: Vec<_> = lines.iter().map(|l| (l.number, l.at.0, l.level, l.text.as_str())).collect();
        let want = [
            (7, 1_000, Level::Error, "2024-01-01 10:00:00.1 ERROR no"),
            (8, 1_000, Level::Info, "\u{fffd}"),
            (9, 1_300, Level::Warn, "look"),
        ];
        assert_eq!(read, want);
    }

    #[test]
    fn lines_are_passed_over_and_bytes_are_read_from_anywhere() {
        let chunk = sealed();
        let mut unpack = LogUnpack::new(&chunk.data, chunk.at, 7).unwrap();
        unpack.skip().unwrap();
        unpack.skip().unwrap();
        assert_eq!(unpack.next_line(), Some((9, Source::Warning)));
        assert_eq!(unpack.read().unwrap().unwrap().text, "look");
        assert!(unpack.next_line().is_none() && unpack.read().unwrap().is_none());
        let bytes = |from, length| LogUnpack::new(&chunk.data, chunk.at, 1).unwrap().bytes(from, length).unwrap();
        assert_eq!((bytes(33, 4), bytes(36, 100), bytes(100, 1)), (b"look".to_vec(), b"k\n".to_vec(), vec![]));
    }

    #[test]
    fn a_damaged_chunk_is_an_error() {
        LogUnpack::new(b"nonsense", Timestamp(0), 1).unwrap_err();
        let cut = zstd::bulk::compress(&[200, 1], 1).unwrap();
        LogUnpack::new(&cut, Timestamp(0), 1).unwrap_err();
    }
}
