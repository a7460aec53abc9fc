//! Rows of result sets: what they are made of, and the chunks in which they are kept.
//!
//! A chunk is a JSON list of rows under zstd; a row is a list of texts and nulls. What a value means is its column's
//! type, never its JSON.

use std::io::{self, BufRead, BufReader, Read, Take};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zstd::stream::read::Decoder;

use crate::{ColumnType, ResultKind};

const LEVEL: i32 = 3;
/// JSON that is decompressed at a time.
const BUFFER: usize = 32 * 1024;

/// A row: a value a column, as text; none: null.
pub type Row = Vec<Option<String>>;

/// A column of a result set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// What the source says of it; mostly nothing.
    #[serde(default)]
    pub comment: String,
}

impl Column {
    /// A column of which nothing more is known.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: ColumnType) -> Self {
        Self { name: name.into(), kind, comment: String::new() }
    }
}

/// A part of one result set, on its way from where it was found. The parts of a set come in order, and no other set's
/// between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// It begins.
    Begin {
        /// What it is made of.
        kind: ResultKind,
        /// Its columns.
        columns: Arc<[Column]>,
    },
    /// Its next rows.
    Rows(Vec<Row>),
    /// It has ended.
    End {
        /// There were more rows than were kept.
        truncated: bool,
    },
}

/// Some rows, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowChunk {
    /// How many.
    pub rows: i32,
    /// How many bytes of JSON.
    pub bytes: i32,
    /// Those under zstd.
    pub data: Vec<u8>,
}

impl RowChunk {
    /// Packs rows.
    #[must_use]
    pub fn seal(rows: &[Row]) -> Self {
        let json = serde_json::to_vec(rows).expect("invariant: texts and nulls are JSON");
        let data = zstd::encode_all(json.as_slice(), LEVEL).expect("invariant: memory takes what is written to it");
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Self { rows: count(rows.len()), bytes: count(json.len()), data }
    }
}

/// A part of one result set, packed: what is kept of a [`Part`]. The parts of a set come in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PackedPart {
    /// A set begins.
    Begin {
        /// From 0 within the attempt.
        number: i32,
        /// What it is made of.
        kind: ResultKind,
        /// Its columns.
        columns: Vec<Column>,
    },
    /// Rows of a set.
    Rows {
        /// Of which.
        number: i32,
        /// Of the first of them, from 0.
        first_row: i64,
        /// The rows.
        chunk: RowChunk,
    },
    /// A set has ended.
    End {
        /// Which.
        number: i32,
        /// There were more rows than were kept.
        truncated: bool,
    },
}

/// The rows of a stored chunk, one after the other: a chunk is small, but its last row may be of any size.
pub struct RowUnpack<'a> {
    json: BufReader<Take<Decoder<'static, &'a [u8]>>>,
    row: Vec<u8>,
}

impl std::fmt::Debug for RowUnpack<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RowUnpack")
    }
}

impl<'a> RowUnpack<'a> {
    /// Opens a chunk that had so many bytes.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn new(data: &'a [u8], bytes: i32) -> io::Result<Self> {
        // No more than was packed: a damaged chunk cannot swell.
        let json = Decoder::with_buffer(data)?.take(bytes.unsigned_abs().into());
        let mut rows = Self { json: BufReader::with_capacity(BUFFER, json), row: vec![] };
        if rows.byte()? == b'[' { Ok(rows) } else { Err(damaged()) }
    }

    /// Passes over the next row; false behind the last.
    ///
    /// # Errors
    /// When the chunk is damaged.
    pub fn skip(&mut self) -> io::Result<bool> {
        self.scan(0)
    }

    /// The next row; none behind the last. One of more than `most` bytes is given as none of its own.
    ///
    /// # Errors
    /// When the chunk is damaged.
    pub fn read(&mut self, most: usize) -> io::Result<Option<Option<Row>>> {
        if !self.scan(most)? {
            return Ok(None);
        }
        let fits = self.row.len() <= most;
        Ok(Some(if fits { Some(serde_json::from_slice(&self.row)?) } else { None }))
    }

    /// Takes in the JSON of the next row, one byte more than `most` of it at the most.
    fn scan(&mut self, most: usize) -> io::Result<bool> {
        self.row.clear();
        let begin = loop {
            match self.byte()? {
                b']' => return Ok(false),
                b',' => {}
                byte => break byte,
            }
        };
        self.row.push(begin);
        let (mut in_text, mut escaped, mut ended) = (false, false, begin != b'[');
        while !ended {
            let bytes = self.json.fill_buf()?;
            if bytes.is_empty() {
                return Err(damaged());
            }
            let mut used = 0;
            for byte in bytes {
                used += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = in_text,
                    b'"' => in_text = !in_text,
                    b']' if !in_text => {
                        ended = true;
                        break;
                    }
                    _ => {}
                }
            }
            let room = (most + 1).saturating_sub(self.row.len());
            self.row.extend_from_slice(&bytes[..used.min(room)]);
            self.json.consume(used);
        }
        Ok(true)
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.json.read_exact(&mut byte)?;
        Ok(byte[0])
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a chunk of rows is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunk: &RowChunk, bytes: i32) -> io::Result<Vec<Row>> {
        let mut unpack = RowUnpack::new(&chunk.data, bytes)?;
        let mut rows = vec![];
        while let Some(row) = unpack.read(1000)? {
            rows.push(row.unwrap());
        }
        Ok(rows)
    }

    #[test]
    fn rows_come_back_as_they_were() {
        let texts = ["a\"\n界", "]", "\\", "\\\"],[", ""];
        let mut rows: Vec<Row> = texts.iter().map(|text| vec![Some((*text).to_owned()), None]).collect();
        rows.push(vec![]);
        let chunk = RowChunk::seal(&rows);
        assert_eq!(chunk.rows, 6);
        assert_eq!(all(&chunk, chunk.bytes).unwrap(), rows);
        assert_eq!(all(&RowChunk::seal(&[]), 2).unwrap(), Vec::<Row>::new());
        all(&RowChunk { data: chunk.data[..chunk.data.len() - 1].to_vec(), ..chunk.clone() }, chunk.bytes).unwrap_err();
        all(&chunk, chunk.bytes - 2).unwrap_err();
    }

    #[test]
    fn a_row_of_any_size_is_passed_over() {
        let row = |text: &str| vec![Some(text.to_owned())];
        let chunk = RowChunk::seal(&[row("a"), row(&"x".repeat(100_000)), row("b")]);
        let mut unpack = RowUnpack::new(&chunk.data, chunk.bytes).unwrap();
        assert_eq!(unpack.read(5).unwrap(), Some(Some(row("a"))), "`[\"a\"]` has five bytes");
        assert_eq!(unpack.read(5).unwrap(), Some(None));
        assert!(unpack.row.capacity() < 1000, "it is not held");
        assert!(unpack.skip().unwrap());
        assert_eq!((unpack.read(5).unwrap(), unpack.skip().is_err()), (None, true));
    }
}
