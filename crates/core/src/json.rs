//! JSON kept as its text: a list of rows costs no parsing of what nobody asked for.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A JSON document as text, valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "database", derive(sea_orm::DeriveValueType))]
pub struct JsonText(String);

impl JsonText {
    /// The JSON of `value`.
    ///
    /// # Panics
    /// When `value` cannot be JSON (a map with keys that are no strings): a mistake of the caller's type.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        Self(serde_json::to_string(value).expect("invariant: only types with string keys are stored as JSON"))
    }

    /// Reads the document as `T`.
    ///
    /// # Errors
    /// When it has another shape than `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(&self.0)
    }

    /// The document as a value; `null` when it is damaged.
    #[must_use]
    pub fn value(&self) -> serde_json::Value {
        self.parse().unwrap_or_default()
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
