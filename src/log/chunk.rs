//! One chunk: marks, which say when and from where each run of lines came, and the lines' text; both under zstd.
//!
//! Layout before compression: the number of marks, then for each the number of its lines, the microseconds since the
//! chunk's instant and the source, all as LEB128; then the text, each line ended by a line feed.

use taskloom_entity::Timestamp;

/// Fast enough for a log that is written at the disk's speed; higher levels save little on log lines.
const ZSTD_LEVEL: i32 = 1;

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Taskloom itself.
    System,
    /// `::warning`.
    Warning,
}

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// An error.
    Error,
    /// A warning.
    Warn,
    /// Anything else.
    Info,
}

/// A run of lines of one source and instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// How many lines.
    pub lines: u32,
    /// When they came.
    pub at: Timestamp,
    /// From where.
    pub source: Source,
}

/// A chunk, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// How many lines.
    pub lines: u32,
    /// How many bytes of text, line ends included.
    pub bytes: u32,
    /// When the first line came.
    pub at: Timestamp,
    /// Marks and text under zstd.
    pub data: Vec<u8>,
}

/// A line as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1 within the subtask's log.
    pub number: i64,
    /// When it came.
    pub at: Timestamp,
    /// From where.
    pub source: Source,
    /// How loud.
    pub level: Level,
    /// Without its line end; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A chunk that was stored cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ChunkError {
    /// zstd refuses it.
    #[error("a chunk of the log is damaged")]
    Damaged(#[from] std::io::Error),
    /// Its marks do not fit.
    #[error("the marks of a chunk of the log are damaged")]
    Marks,
}

impl Chunk {
    /// Seals marks and text.
    #[must_use]
    pub fn seal(marks: &[Mark], text: &[u8]) -> Self {
        let at = marks.first().map_or(Timestamp(0), |mark| mark.at);
        let mut plain = Vec::with_capacity(text.len() + marks.len() * 8 + 8);
        put(&mut plain, marks.len() as u64);
        for mark in marks {
            put(&mut plain, u64::from(mark.lines));
            put(&mut plain, u64::try_from(mark.at.0 - at.0).unwrap_or(0));
            put(&mut plain, mark.source.number());
        }
        plain.extend_from_slice(text);
        let data = zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("invariant: compression into memory cannot fail");
        let lines = marks.iter().map(|mark| mark.lines).sum();
        Self { lines, bytes: u32::try_from(text.len()).unwrap_or(u32::MAX), at, data }
    }
}

/// The lines of a stored chunk whose first line has this number.
///
/// # Errors
/// [`ChunkError`] when the row was damaged.
pub fn open(data: &[u8], at: Timestamp, first_line: i64) -> Result<Vec<Line>, ChunkError> {
    let plain = zstd::stream::decode_all(data)?;
    let (marks, text) = marks(&plain, at)?;
    let mut lines = Vec::with_capacity(marks.iter().map(|mark| mark.lines as usize).sum());
    let mut number = first_line;
    let mut rest = text;
    for mark in marks {
        for _ in 0..mark.lines {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let text = String::from_utf8_lossy(&rest[..end]).into_owned();
            lines.push(Line { number, at: mark.at, source: mark.source, level: level(mark.source, &text), text });
            rest = rest.get(end + 1..).unwrap_or_default();
            number += 1;
        }
    }
    Ok(lines)
}

/// The text of a stored chunk, byte for byte.
///
/// # Errors
/// [`ChunkError`] when the row was damaged.
pub fn text(data: &[u8], at: Timestamp) -> Result<Vec<u8>, ChunkError> {
    let plain = zstd::stream::decode_all(data)?;
    let (_, text) = marks(&plain, at)?;
    Ok(text.to_vec())
}

fn marks(plain: &[u8], at: Timestamp) -> Result<(Vec<Mark>, &[u8]), ChunkError> {
    let mut rest = plain;
    let count = take(&mut rest).ok_or(ChunkError::Marks)?;
    let mut marks = Vec::new();
    for _ in 0..count {
        let lines = take(&mut rest).and_then(|n| u32::try_from(n).ok()).ok_or(ChunkError::Marks)?;
        let later = take(&mut rest).and_then(|n| i64::try_from(n).ok()).ok_or(ChunkError::Marks)?;
        let source = take(&mut rest).and_then(Source::numbered).ok_or(ChunkError::Marks)?;
        marks.push(Mark { lines, at: Timestamp(at.0 + later), source });
    }
    Ok((marks, rest))
}

impl Source {
    const fn number(self) -> u64 {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
            Self::System => 2,
            Self::Warning => 3,
        }
    }

    const fn numbered(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Stdout),
            1 => Some(Self::Stderr),
            2 => Some(Self::System),
            3 => Some(Self::Warning),
            _ => None,
        }
    }
}

/// A line's own word counts when it is written as loggers do: date, time, level.
fn level(source: Source, text: &str) -> Level {
    if source == Source::Warning {
        return Level::Warn;
    }
    let mut words = text.splitn(4, ' ');
    let (date, time, word) = (words.next(), words.next(), words.next());
    let stamped = |word: Option<&str>| word.is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    match word.map(|word| word.trim_start_matches("SYSTEM-")) {
        Some("ERROR") if stamped(date) && stamped(time) => Level::Error,
        Some("WARN") if stamped(date) && stamped(time) => Level::Warn,
        _ => Level::Info,
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_again() {
        let marks = [
            Mark { lines: 2, at: Timestamp(1_000), source: Source::Stdout },
            Mark { lines: 1, at: Timestamp(1_300), source: Source::Warning },
        ];
        let chunk = Chunk::seal(&marks, b"2024-01-01 10:00:00.1 ERROR no\n\xff\nlook\n");
        assert_eq!((chunk.lines, chunk.bytes), (3, 38));
        let lines = open(&chunk.data, chunk.at, 7).unwrap();
        let read: Vec<_> = lines.iter().map(|l| (l.number, l.at.0, l.level, l.text.as_str())).collect();
        let want = [
            (7, 1_000, Level::Error, "2024-01-01 10:00:00.1 ERROR no"),
            (8, 1_000, Level::Info, "\u{fffd}"),
            (9, 1_300, Level::Warn, "look"),
        ];
        assert_eq!(read, want);
        assert_eq!(text(&chunk.data, chunk.at).unwrap().len(), 38);
    }

    #[test]
    fn a_damaged_chunk_is_an_error() {
        assert!(open(b"nonsense", Timestamp(0), 1).is_err());
        let cut = zstd::bulk::compress(&[200, 1], 1).unwrap();
        assert!(open(&cut, Timestamp(0), 1).is_err());
    }
}
