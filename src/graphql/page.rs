//! Relay's pages: arguments in, connections out. Cursors are a row's place in its list, in base64url.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{ObjectType, OutputType};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::error::{Error, Result, code};
use crate::resolver::page::{Key, Page, Part, Slice, Value as SqlValue};

/// Rows of a page when nobody says how many.
pub const USUAL: i32 = 20;
/// Rows of a page at the most.
pub const MOST: i32 = 1000;

/// The arguments of a connection, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Args {
    /// The first so many.
    pub first: Option<i32>,
    /// Behind this cursor.
    pub after: Option<String>,
    /// The last so many.
    pub last: Option<i32>,
    /// Before this cursor.
    pub before: Option<String>,
}

impl Args {
    /// For a list in the order of ids.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn by_id(&self) -> Result<Page> {
        let (limit, backward) = self.size()?;
        let id = |cursor: &Option<String>| cursor.as_deref().map(|text| key(text).map(|key| key.id)).transpose();
        Ok(Page { after: id(&self.after)?, before: id(&self.before)?, limit, backward })
    }

    /// For a list in any order.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn keyed(&self) -> Result<Part> {
        let (limit, backward) = self.size()?;
        let place = |cursor: &Option<String>| cursor.as_deref().map(key).transpose();
        Ok(Part { limit, after: place(&self.after)?, before: place(&self.before)?, backward })
    }

    fn size(&self) -> Result<(u64, bool)> {
        let (size, backward) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(out_of_range("first", "give either `first` or `last`")),
            (None, Some(last)) => (("last", last), true),
            (first, None) => (("first", first.unwrap_or(USUAL)), false),
        };
        match size {
            (_, count @ 0..=MOST) => Ok((u64::from(count.unsigned_abs()), backward)),
            (name, _) => Err(out_of_range(name, &format!("0 to {MOST} rows at a time"))),
        }
    }
}

/// What a page costs: each of its rows as much as one.
#[must_use]
pub fn cost(first: Option<i32>, last: Option<i32>, row: usize) -> usize {
    let rows = usize::try_from(first.or(last).unwrap_or(USUAL)).unwrap_or_default();
    row.saturating_mul(rows).saturating_add(1)
}

/// The offset and the length of the page that old lists know: `number` from 1.
///
/// # Errors
/// `INVALID_PAGE`.
pub fn numbered(number: i64, size: i64, most: i64) -> Result<(u64, u64)> {
    if number < 1 {
        return Err(out_of_range("number", "pages are counted from 1"));
    }
    if !(1..=most).contains(&size) {
        return Err(out_of_range("size", &format!("1 to {most} rows at a time")));
    }
    let offset = (number - 1).checked_mul(size).ok_or_else(|| out_of_range("number", "there is no such page"))?;
    Ok((offset.unsigned_abs(), size.unsigned_abs()))
}

fn out_of_range(what: &str, reason: &str) -> Error {
    Error::new(&code::INVALID_PAGE).with("what", format!("`{what}`")).with("reason", reason)
}

/// The cursor of a row in a list by ids.
#[must_use]
pub fn cursor(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(id.to_string())
}

/// The cursor of a row in a list by any order.
#[must_use]
pub fn keyed_cursor(key: &Key) -> String {
    let value = match &key.value {
        None => return cursor(key.id),
        Some(SqlValue::String(Some(text))) => Value::from(text.as_str()),
        Some(SqlValue::BigInt(Some(number))) => Value::from(*number),
        Some(SqlValue::Double(Some(number))) => Value::from(*number),
        Some(_) => Value::Null,
    };
    URL_SAFE_NO_PAD.encode(Value::from(vec![value, Value::from(key.id)]).to_string())
}

fn key(cursor: &str) -> Result<Key> {
    let refused = || Error::new(&code::INVALID_CURSOR).with("cursor", cursor);
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    if let Some(id) = value.as_i64() {
        return Ok(Key { value: None, id });
    }
    let (Some(id), Some(value)) = (value.get(1).and_then(Value::as_i64), value.get(0)) else {
        return Err(refused());
    };
    let value = match value {
        Value::String(text) => text.clone().into(),
        Value::Number(number) if number.is_i64() => number.as_i64().into(),
        Value::Number(number) => number.as_f64().into(),
        _ => return Err(refused()),
    };
    Ok(Key { value: Some(value), id })
}

/// A connection of `slice`'s rows; `place` gives each row's cursor and node.
pub fn connection<M, N: OutputType>(
    slice: Slice<M>,
    place: impl Fn(M) -> (String, N),
) -> Connection<String, N, EmptyFields> {
    connection_with(slice, EmptyFields, place)
}

/// The same with further fields, such as `totalCount`.
pub fn connection_with<M, N: OutputType, F: ObjectType>(
    slice: Slice<M>,
    fields: F,
    place: impl Fn(M) -> (String, N),
) -> Connection<String, N, F> {
    let mut connection = Connection::with_additional_fields(slice.has_previous, slice.has_next, fields);
    connection.edges = slice
        .rows
        .into_iter()
        .map(|row| {
            let (cursor, node) = place(row);
            Edge::new(cursor, node)
        })
        .collect();
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for value in [None, Some("näme".into()), Some(7_i64.into())] {
            let place = Key { value, id: 42 };
            assert_eq!(key(&keyed_cursor(&place)).unwrap(), place);
        }
        assert_eq!(key("***").unwrap_err().code().name, "INVALID_CURSOR");
    }

    #[test]
    fn a_page_has_a_size() {
        let args = |first, last| Args { first, last, ..Args::default() };
        assert_eq!(args(None, None).by_id().unwrap().limit, 20);
        assert!(args(None, Some(3)).by_id().unwrap().backward);
        for wrong in [args(Some(-1), None), args(Some(1001), None), args(Some(1), Some(1))] {
            assert_eq!(wrong.by_id().unwrap_err().code().name, "INVALID_PAGE");
        }
    }
}
