//! Relay's pages: arguments in, connections out. A cursor is the name of its list with a row's place in it, in
//! base64url; what a place is made of is the list's own matter.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{ObjectType, OutputType};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::many::Paged;
use crate::error::{Error, Result, code};
use crate::text::Text;

/// Rows of a page when nobody says how many.
pub const USUAL: i32 = 20;
/// Characters of a refused cursor that are shown.
const SHOWN: usize = 100;
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

/// Which rows of a list were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRange<K> {
    /// At most so many.
    pub limit: u64,
    /// Behind this place.
    pub after: Option<K>,
    /// Before this place.
    pub before: Option<K>,
    /// The last ones instead of the first.
    pub backward: bool,
}

/// Some rows of a list, in its order.
#[derive(Clone, Debug)]
pub struct ConnectionRows<M> {
    pub rows: Vec<M>,
    /// Whether there are others behind them.
    pub has_next: bool,
    /// Whether there are others before them.
    pub has_previous: bool,
}

impl Args {
    /// What is asked for, in a list whose cursors `place` reads.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn wanted<K>(&self, place: impl Fn(&str) -> Option<K>) -> Result<ConnectionRange<K>> {
        let (limit, backward) = self.size()?;
        let place = |cursor: &String| place(cursor).ok_or_else(|| refused(cursor));
        let (after, before) = (self.after.as_ref().map(place), self.before.as_ref().map(place));
        Ok(ConnectionRange { limit, after: after.transpose()?, before: before.transpose()?, backward })
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

/// The cursor of a row: its list, its number, and what else places it.
#[must_use]
pub fn cursor(list: &str, id: i64, place: impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(json!([list, id, place]).to_string())
}

/// What a cursor of this list says: the number of its row, and what else places it. None unless this list gave it out.
#[must_use]
pub fn place<T: DeserializeOwned>(list: &str, cursor: &str) -> Option<(i64, T)> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (name, id, place): (String, i64, T) = serde_json::from_slice(&bytes).ok()?;
    // Rows are numbered from 1; 0 is the place before all of them.
    (name == list && id >= 0).then_some((id, place))
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

/// A cursor that names no place in its list.
#[must_use]
pub fn refused(cursor: &str) -> Error {
    Error::new(&code::INVALID_CURSOR).with("cursor", Text::cut(cursor, SHOWN))
}

fn out_of_range(what: &str, reason: &str) -> Error {
    Error::new(&code::INVALID_PAGE).with("what", format!("`{what}`")).with("reason", reason)
}

/// A connection of these rows, with further fields, such as `totalCount`; `place` gives each row's cursor and node.
pub fn connection<M, N: OutputType, F: ObjectType>(
    page: ConnectionRows<M>,
    fields: F,
    place: impl Fn(M) -> (String, N),
) -> Paged<N, F> {
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, fields);
    connection.edges = page
        .rows
        .into_iter()
        .map(|row| {
            let (cursor, node) = place(row);
            Edge::new(cursor, node)
        })
        .collect();
    Paged(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_of_one_list() {
        let written = cursor("users", 42, "näme");
        assert_eq!(place("users", &written), Some((42, "näme".to_owned())));
        assert_eq!(place::<String>("tokens", &written), None);
        assert_eq!(place::<i64>("users", &written), None, "its place is a text");
        assert_eq!(place::<i64>("users", &cursor("users", -1, 7)), None, "rows are numbered from 1");
        for text in ["", "***", "MQ", "W10", "\u{0}"] {
            assert_eq!(place::<serde_json::Value>("users", text), None, "{text}");
        }
    }

    #[test]
    fn a_page_has_a_size() {
        let args = |first, last| Args { first, last, ..Args::default() };
        let wanted = |args: Args| args.wanted(|cursor| cursor.parse::<i64>().ok());
        assert_eq!(wanted(args(None, None)).unwrap().limit, 20);
        assert!(wanted(args(None, Some(3))).unwrap().backward);
        for wrong in [args(Some(-1), None), args(Some(1001), None), args(Some(1), Some(1))] {
            assert_eq!(wanted(wrong).unwrap_err().code().name, "INVALID_PAGE");
        }
        let behind = |after: &str| wanted(Args { after: Some(after.to_owned()), ..Args::default() });
        assert_eq!(behind("7").unwrap().after, Some(7));
        assert_eq!(behind("seven").unwrap_err().code().name, "INVALID_CURSOR");
    }
}
