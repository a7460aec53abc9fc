//! Scalars of our own.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, InputValueError, InputValueResult, OutputType, Positioned, Scalar, ScalarType, ServerResult,
    Value,
};
use taskloom_entity::JsonText;

/// A 64-bit number: a JSON number up to 2^53-1, a string beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

const EXACT: i64 = (1 << 53) - 1;

#[Scalar]
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

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub struct Json(pub serde_json::Value);

#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// JSON as it is kept, parsed where it is answered.
#[derive(Clone, Debug)]
pub struct Kept(pub Arc<JsonText>);

impl Kept {
    /// About how many bytes its values take beside their text: as many again, and many short ones more.
    #[must_use]
    pub fn held(&self) -> usize {
        let text = self.0.as_str();
        text.len() + memchr::memchr3_iter(b',', b'[', b'{', text.as_bytes()).count() * VALUE
    }
}

/// What a value weighs beside its text.
const VALUE: usize = 32;

impl OutputType for Kept {
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
