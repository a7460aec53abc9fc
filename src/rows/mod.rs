//! Rows of result sets: what they are made of, and the chunks in which they are kept.
//!
//! A chunk is a JSON list of rows under zstd; a row is a list of texts and nulls. What a value means is its column's
//! type, never its JSON.

use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use taskloom_entity::{ColumnType, ResultKind};

const LEVEL: i32 = 3;

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// How many.
    pub rows: i32,
    /// How many bytes of JSON.
    pub bytes: i32,
    /// Those under zstd.
    pub data: Vec<u8>,
}

impl Chunk {
    /// Packs rows.
    #[must_use]
    pub fn seal(rows: &[Row]) -> Self {
        let json = serde_json::to_vec(rows).expect("invariant: texts and nulls are JSON");
        let data = zstd::encode_all(json.as_slice(), LEVEL).expect("invariant: memory takes what is written to it");
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        Self { rows: count(rows.len()), bytes: count(json.len()), data }
    }
}

/// Unpacks the rows of a chunk that had so many bytes.
///
/// # Errors
/// When it is damaged.
pub fn open(data: &[u8], bytes: i32) -> io::Result<Vec<Row>> {
    let mut json = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    // No more than was packed: a damaged chunk cannot swell.
    zstd::Decoder::new(data)?.take(u64::from(bytes.unsigned_abs()) + 1).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let rows: Vec<Row> = vec![vec![Some("a\"\n界".into()), None], vec![Some(String::new()), Some("1".into())]];
        let chunk = Chunk::seal(&rows);
        assert_eq!(chunk.rows, 2);
        assert_eq!(open(&chunk.data, chunk.bytes).unwrap(), rows);
        open(&chunk.data[..chunk.data.len() - 1], chunk.bytes).unwrap_err();
        open(&chunk.data, chunk.bytes - 2).unwrap_err();
    }
}
