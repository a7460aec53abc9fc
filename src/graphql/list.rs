//! The graph's lists: which order a cursor belongs to, and pages of them as resolvers take and give them.

use std::borrow::Cow;
use std::fmt::Debug;

use async_graphql::connection::EmptyFields;
use async_graphql::{ObjectType, OutputType};
use serde_json::Value;

use crate::error::Result;
use crate::gql::many::Paged;
use crate::gql::page::{self, Args, ConnectionRange, ConnectionRows};
use crate::resolver::any::Spot;
use crate::resolver::page::{Key, Kind, Page, Part, Slice, Value as SqlValue};
use crate::text;

/// A list with its order: what a cursor belongs to. One of another list, or of another order of this one, names no
/// place in it.
#[derive(Clone, Debug)]
pub struct OrderedList {
    name: Cow<'static, str>,
    kind: Kind,
}

impl OrderedList {
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
        page::cursor(&self.name, key.id, value)
    }

    /// The cursor of a row among those of all origins.
    #[must_use]
    pub fn spot_cursor(&self, spot: Spot) -> String {
        page::cursor(&self.name, spot.id, (spot.at, spot.origin))
    }

    /// A page in the order of ids.
    ///
    /// # Errors
    /// `INVALID_PAGE`; `INVALID_CURSOR` unless this list gave it out.
    pub fn page(&self, args: &Args) -> Result<Page> {
        let ConnectionRange { limit, after, before, backward } = args.wanted(|cursor| Some(self.key(cursor)?.id))?;
        Ok(Page { after, before, limit, backward })
    }

    /// A page in any order.
    ///
    /// # Errors
    /// `INVALID_PAGE`; `INVALID_CURSOR` unless this list gave it out.
    pub fn part(&self, args: &Args) -> Result<Part> {
        args.wanted(|cursor| self.key(cursor)).map(part)
    }

    /// A page of rows of all origins.
    ///
    /// # Errors
    /// `INVALID_PAGE`; `INVALID_CURSOR` unless this list gave it out.
    pub fn spots(&self, args: &Args) -> Result<Part<Spot>> {
        args.wanted(|cursor| self.spot(cursor)).map(part)
    }

    /// The place that a cursor of this list gives.
    ///
    /// # Errors
    /// `INVALID_CURSOR` unless this list gave it out.
    pub fn place(&self, cursor: &str) -> Result<Key> {
        self.key(cursor).ok_or_else(|| page::refused(cursor))
    }

    fn key(&self, cursor: &str) -> Option<Key> {
        let (id, value) = page::place::<Value>(&self.name, cursor)?;
        let value = match (self.kind, value) {
            (Kind::Id, Value::Null) => None,
            (Kind::Text, Value::String(text)) if text::is_storable(&text) => Some(text.into()),
            (Kind::Number, Value::Number(number)) => Some(number.as_i64()?.into()),
            _ => return None,
        };
        Some(Key { value, id })
    }

    fn spot(&self, cursor: &str) -> Option<Spot> {
        let (id, (at, origin)) = page::place(&self.name, cursor)?;
        Some(Spot { at, origin, id })
    }
}

fn part<K>(ConnectionRange { limit, after, before, backward }: ConnectionRange<K>) -> Part<K> {
    Part { limit, after, before, backward }
}

/// A connection of `slice`'s rows; `place` gives each row's cursor and node.
pub fn connection<M, N: OutputType>(slice: Slice<M>, place: impl Fn(M) -> (String, N)) -> Paged<N> {
    connection_with(slice, EmptyFields, place)
}

/// The same with further fields, such as `totalCount`.
pub fn connection_with<M, N: OutputType, F: ObjectType>(
    Slice { rows, has_next, has_previous }: Slice<M>,
    fields: F,
    place: impl Fn(M) -> (String, N),
) -> Paged<N, F> {
    page::connection(ConnectionRows { rows, has_next, has_previous }, fields, place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resolver::any::TaskOrigin;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_by_its_list_alone() {
        let by_id = OrderedList::by_id("users");
        let by_name = OrderedList::ordered("users", "Name", true, Kind::Text);
        let by_age = OrderedList::ordered("users", "Age", true, Kind::Number);
        let lists = [(&by_id, None), (&by_name, Some("näme".into())), (&by_age, Some(7_i64.into()))];
        for (list, value) in &lists {
            let key = Key { value: value.clone(), id: 42 };
            let cursor = list.keyed_cursor(&key);
            assert_eq!(list.place(&cursor).unwrap(), key);
            let others = [OrderedList::by_id("tokens"), OrderedList::ordered("users", "Name", false, Kind::Text)];
            let others = others.iter().chain(lists.iter().map(|(other, _)| *other).filter(|it| it.name != list.name));
            for other in others {
                assert_eq!(other.place(&cursor).unwrap_err().code().name, "INVALID_CURSOR");
            }
        }
        let forged = |list: &OrderedList, value: Value, id: i64| {
            list.place(&page::cursor(&list.name, id, value)).unwrap_err().code().name
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
        let all = OrderedList::ordered("all", "Age", true, Kind::Number);
        let spot = Spot { at: 7, origin: TaskOrigin::Vsphere, id: 42 };
        let behind = |cursor: String| all.spots(&Args { after: Some(cursor), ..Args::default() });
        assert_eq!(behind(all.spot_cursor(spot)).unwrap().after, Some(spot));
        for place in [json!([7, "NOWHERE"]), json!(["7", "VSPHERE"]), json!(7)] {
            let cursor = page::cursor(&all.name, 42, place);
            assert_eq!(behind(cursor).unwrap_err().code().name, "INVALID_CURSOR");
        }
    }
}
