//! The spelling of the canonical JSON: what is at its default is left out, durations are text. The canonical JSON is
//! itself a document that [`super::parse`] accepts.

use crate::OnLost;

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) const fn one() -> f64 {
    1.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(super) fn is_one(value: &f64) -> bool {
    (*value - one()).abs() < f64::EPSILON
}

/// Durations as text, such as `2m 30s`.
pub(super) mod span {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&humantime::format_duration(*value))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        humantime::parse_duration(&text).map_err(D::Error::custom)
    }

    /// The same for a duration that may be absent.
    pub(in super::super) mod optional {
        use super::{Deserializer, Duration, Serializer};

        pub(in super::super::super) fn serialize<S: Serializer>(
            value: &Option<Duration>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, to),
                None => to.serialize_none(),
            }
        }

        /// Only called where the key is present, which the canonical form writes only with a value.
        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Duration>, D::Error> {
            super::deserialize(from).map(Some)
        }
    }
}

/// `onLost` in the lower case of documents; the database's words are upper case.
pub(super) mod lost {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::OnLost;

    pub(in super::super) const fn retry() -> OnLost {
        OnLost::Retry
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(in super::super) fn is_retry(value: &OnLost) -> bool {
        *value == retry()
    }

    pub(in super::super) fn serialize<S: Serializer>(value: &OnLost, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.name().to_lowercase())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OnLost, D::Error> {
        let word = String::deserialize(from)?;
        OnLost::parse(&word.to_uppercase()).ok_or_else(|| D::Error::custom("unknown onLost"))
    }
}

/// Names and texts in their order, as a mapping.
pub(super) mod pairs {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use serde_json::{Map, Value};

    pub(in super::super) fn serialize<S: Serializer>(pairs: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(pairs.iter().map(|(name, text)| (name, text)))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
        let map = Map::<String, Value>::deserialize(from)?;
        let pair = |(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            _ => Err(D::Error::custom("a header is text")),
        };
        map.into_iter().map(pair).collect()
    }
}
