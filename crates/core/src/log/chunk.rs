//! One chunk: marks, which say when and from where each run of lines came, and the lines' text; both under zstd. It is
//! sealed here, and read by [`super::unpack`].
//!
//! Layout before compression: the number of marks, then for each the number of its lines, the microseconds since the
//! chunk's instant and the source, all as LEB128; then the text, each line ended by a line feed.

use crate::Timestamp;

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
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogChunk {
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

impl LogChunk {
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

impl Source {
    const fn number(self) -> u64 {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
            Self::System => 2,
            Self::Warning => 3,
        }
    }

    pub(super) const fn numbered(number: u64) -> Option<Self> {
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
pub(super) fn level(source: Source, text: &str) -> Level {
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
