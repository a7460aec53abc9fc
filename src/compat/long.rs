//! Numbers as old clients read them.

use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, OneOfBuilder, Schema, SchemaFormat, Type};

/// A 64-bit number: a JSON number as far as every client reads it exactly, a string beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Long(pub i64);

const EXACT: i64 = (1 << 53) - 1;

impl Serialize for Long {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.abs() <= EXACT { serializer.serialize_i64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl utoipa::PartialSchema for Long {
    fn schema() -> RefOr<Schema> {
        let number = Object::builder()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .build();
        let text = Object::builder().schema_type(Type::String).pattern(Some("^-?[0-9]{16,19}$")).build();
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(number).item(text).build()))
    }
}

impl utoipa::ToSchema for Long {}

#[cfg(test)]
mod tests {
    use super::Long;

    #[test]
    fn what_a_double_cannot_hold_is_text() {
        let json = |number| serde_json::to_string(&Long(number)).unwrap();
        assert_eq!(json(9_007_199_254_740_991), "9007199254740991");
        assert_eq!(json(9_007_199_254_740_992), "\"9007199254740992\"");
        assert_eq!(json(-9_007_199_254_740_992), "\"-9007199254740992\"");
    }
}
