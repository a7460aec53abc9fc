//! Relay's pages: arguments in, connections out. A cursor is its list and order with a row's place in it, in base64url.

use std::borrow::Cow;
use std::fmt::Debug;

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{ObjectType, OutputType};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::many::Paged;
use crate::error::{Error, Result, code};
use crate::resolver::any::Spot;
use crate::resolver::page::{Key, Kind, Page, Part, Slice, Value as SqlValue};
use crate::text::{self, Text};

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

/// A list with its order: what a cursor belongs to. One of another list, or of another order of this one, names no
/// place in it.
#[derive(Clone, Debug)]
pub struct List {
    name: Cow<'static, str>,
    kind: Kind,
}

impl List {
    /// A list in the order of ids.
    #[must_use]
    pub const fn by_id(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), kind: Kind::Id }
    }

    /// A list in the order of a column whose values are of this kind.
    #[must_use]
    pub fn ordered(name: &str, by: impl Debug, descending: bool, kind: Kind) -> Self {
        let direction = if descending { "descending" } else { "ascending" };
        Self { name: Cow::Owned(format!("{name} {by:?} {direction}")), kind }
    }

    /// The cursor of the row of this id.
    #[must_use]
    pub fn cursor(&self, id: i64) -> String {
        self.keyed_cursor(&Key { value: None, id })
    }

    /// The cursor of a row by its place.
    #[must_use]
    pub fn keyed_cursor(&self, key: &Key) -> String {
        let value = match &key.value {
            Some(SqlValue::String(Some(text))) => Value::from(text.as_str()),
            Some(SqlValue::BigInt(Some(number))) => Value::from(*number),
            Some(_) | None => Value::Null,
        };
        URL_SAFE_NO_PAD.encode(json!([self.name, key.id, value]).to_string())
    }

    /// The place of a cursor.
    ///
    /// # Errors
    /// `INVALID_CURSOR` unless this list gave it out.
    pub fn place(&self, cursor: &str) -> Result<Key> {
        self.read(cursor).ok_or_else(|| refused(cursor))
    }

    /// The cursor of a row among those of all origins.
    #[must_use]
    pub fn spot_cursor(&self, spot: Spot) -> String {
        URL_SAFE_NO_PAD.encode(json!([self.name, spot.id, [spot.at, spot.origin]]).to_string())
    }

    /// The place of such a cursor.
    ///
    /// # Errors
    /// `INVALID_CURSOR` unless this list gave it out.
    pub fn spot(&self, cursor: &str) -> Result<Spot> {
        let (id, (at, origin)) = self.parts(cursor).ok_or_else(|| refused(cursor))?;
        Ok(Spot { at, origin, id })
    }

    fn read(&self, cursor: &str) -> Option<Key> {
        let (id, value): (i64, Value) = self.parts(cursor)?;
        let value = match (self.kind, value) {
            (Kind::Id, Value::Null) => None,
            (Kind::Text, Value::String(text)) if text::is_storable(&text) => Some(text.into()),
            (Kind::Number, Value::Number(number)) => Some(number.as_i64()?.into()),
            _ => return None,
        };
        Some(Key { value, id })
    }

    /// What a cursor of this list says: the number of its row, and what else places it.
    fn parts<T: DeserializeOwned>(&self, cursor: &str) -> Option<(i64, T)> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (name, id, place): (String, i64, T) = serde_json::from_slice(&bytes).ok()?;
        // Rows are numbered from 1; 0 is the place before all of them.
        (name == self.name && id >= 0).then_some((id, place))
    }
}

impl Args {
    /// For a list in the order of ids.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn by_id(&self, list: &List) -> Result<Page> {
        let Part { limit, after, before, backward } = self.keyed(list)?;
        let id = |key: Option<Key>| key.map(|key| key.id);
        Ok(Page { after: id(after), before: id(before), limit, backward })
    }

    /// For a list in any order.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn keyed(&self, list: &List) -> Result<Part> {
        self.placed(|cursor| list.place(cursor))
    }

    /// For a list of all origins.
    ///
    /// # Errors
    /// `INVALID_PAGE`, `INVALID_CURSOR`.
    pub fn spots(&self, list: &List) -> Result<Part<Spot>> {
        self.placed(|cursor| list.spot(cursor))
    }

    fn placed<K>(&self, place: impl Fn(&str) -> Result<K>) -> Result<Part<K>> {
        let (limit, backward) = self.size()?;
        let (after, before) = (self.after.as_deref().map(&place), self.before.as_deref().map(&place));
        Ok(Part { limit, after: after.transpose()?, before: before.transpose()?, backward })
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

fn refused(cursor: &str) -> Error {
    Error::new(&code::INVALID_CURSOR).with("cursor", Text::cut(cursor, SHOWN))
}

fn out_of_range(what: &str, reason: &str) -> Error {
    Error::new(&code::INVALID_PAGE).with("what", format!("`{what}`")).with("reason", reason)
}

/// A connection of `slice`'s rows; `place` gives each row's cursor and node.
pub fn connection<M, N: OutputType>(slice: Slice<M>, place: impl Fn(M) -> (String, N)) -> Paged<N> {
    connection_with(slice, EmptyFields, place)
}

/// The same with further fields, such as `totalCount`.
pub fn connection_with<M, N: OutputType, F: ObjectType>(
    slice: Slice<M>,
    fields: F,
    place: impl Fn(M) -> (String, N),
) -> Paged<N, F> {
    let mut connection = Connection::with_additional_fields(slice.has_previous, slice.has_next, fields);
    connection.edges = slice
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
    use crate::resolver::any::Origin;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_by_its_list_alone() {
        let by_id = List::by_id("users");
        let by_name = List::ordered("users", "Name", true, Kind::Text);
        let by_age = List::ordered("users", "Age", true, Kind::Number);
        let lists = [(&by_id, None), (&by_name, Some("näme".into())), (&by_age, Some(7_i64.into()))];
        for (list, value) in &lists {
            let key = Key { value: value.clone(), id: 42 };
            let cursor = list.keyed_cursor(&key);
            assert_eq!(list.place(&cursor).unwrap(), key);
            let others = [List::by_id("tokens"), List::ordered("users", "Name", false, Kind::Text)];
            let others = others.iter().chain(lists.iter().map(|(other, _)| *other).filter(|it| it.name != list.name));
            for other in others {
                assert_eq!(other.place(&cursor).unwrap_err().code().name, "INVALID_CURSOR");
            }
        }
        let forged = |list: &List, value: Value, id: i64| {
            list.place(&URL_SAFE_NO_PAD.encode(json!([list.name, id, value]).to_string())).unwrap_err().code().name
        };
        for (list, value, id) in [
            (&by_id, json!(1), 1),
            (&by_id, Value::Null, -1),
            (&by_name, json!(1), 1),
            (&by_name, json!("a\u{0}"), 1),
            (&by_age, json!("1"), 1),
            (&by_age, json!(1.5), 1),
            (&by_age, json!(u64::MAX), 1),
        ] {
            assert_eq!(forged(list, value, id), "INVALID_CURSOR");
        }
        let all = List::ordered("all", "Age", true, Kind::Number);
        let spot = Spot { at: 7, origin: Origin::Vsphere, id: 42 };
        assert_eq!(all.spot(&all.spot_cursor(spot)).unwrap(), spot);
        for place in [json!([7, "NOWHERE"]), json!(["7", "VSPHERE"]), json!(7)] {
            let cursor = URL_SAFE_NO_PAD.encode(json!([all.name, 42, place]).to_string());
            assert_eq!(all.spot(&cursor).unwrap_err().code().name, "INVALID_CURSOR");
        }
        for text in ["", "***", "MQ", "W10", "\u{0}"] {
            assert_eq!(by_id.place(text).unwrap_err().code().name, "INVALID_CURSOR");
        }
    }

    #[test]
    fn a_page_has_a_size() {
        const LIST: List = List::by_id("users");
        let args = |first, last| Args { first, last, ..Args::default() };
        assert_eq!(args(None, None).by_id(&LIST).unwrap().limit, 20);
        assert!(args(None, Some(3)).by_id(&LIST).unwrap().backward);
        for wrong in [args(Some(-1), None), args(Some(1001), None), args(Some(1), Some(1))] {
            assert_eq!(wrong.by_id(&LIST).unwrap_err().code().name, "INVALID_PAGE");
        }
    }
}
