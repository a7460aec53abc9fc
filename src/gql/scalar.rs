//! Scalars of our own.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputValueError, InputValueResult, OutputType, Positioned, Scalar, ScalarType, ServerResult,
    Value,
};
use chrono::{DateTime, Utc};
use taskloom_core::{JsonText, Timestamp};

/// A whole number of 64 bits: of things that nothing bounds, of lines and bytes, and of rows. It is a JSON number within
/// 2^53, which every client reads exactly, and a string beyond; either is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

const EXACT: i64 = (1 << 53) - 1;

#[Scalar(specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259#section-6")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => number.as_i64().map(Self).ok_or_else(|| InputValueError::expected_type(value)),
            Value::String(text) => text.parse().map(Self).map_err(|_| InputValueError::expected_type(value)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        if self.0.abs() <= EXACT { Value::from(self.0) } else { Value::String(self.0.to_string()) }
    }
}

/// Any JSON value: an object, a list, a text, a number, a boolean or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// An instant as RFC 3339 writes it, such as `2026-11-28T09:30:00.125+00:00`. It is answered in UTC with up to six digits of
/// a second, and taken with any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

#[Scalar(name = "DateTime", specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339#section-5.6")]
impl ScalarType for Instant {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(Self(text.parse()?)),
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339())
    }
}

impl From<Timestamp> for Instant {
    fn from(at: Timestamp) -> Self {
        Self(at.utc())
    }
}

impl From<Instant> for Timestamp {
    fn from(at: Instant) -> Self {
        at.0.into()
    }
}

/// JSON as it is kept, parsed where it is answered.
#[derive(Clone, Debug)]
pub struct StoredJson(pub Arc<JsonText>);

impl StoredJson {
    /// About how many bytes its values take beside their text: as many again, and many short ones more.
    #[must_use]
    pub fn held(&self) -> usize {
        let text = self.0.as_str();
        text.len() + memchr::memchr3_iter(b',', b'[', b'{', text.as_bytes()).count() * VALUE
    }
}

/// What a value weighs beside its text.
const VALUE: usize = 32;

impl OutputType for StoredJson {
    fn type_name() -> Cow<'static, str> {
        <Json as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Json as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(self.0.parse().unwrap_or_default())
    }
}

impl From<&JsonText> for Json {
    fn from(text: &JsonText) -> Self {
        Self(text.value())
    }
}
