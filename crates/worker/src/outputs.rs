//! What an attempt puts out: parameters of the steps downstream, so bounded in number and size. Nothing is cut: what
//! passes a limit fails the attempt, which says why.

use std::fmt;

use serde_json::{Map, Value};
use taskloom_core::text::Text;

/// How many outputs an attempt may have.
pub const MOST: usize = 256;
/// Bytes of one output's value.
pub const VALUE: usize = 64 << 10;
/// Bytes of all values together.
pub const SUM: usize = 1 << 20;

/// Names and values, within the limits.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    values: Map<String, Value>,
    bytes: usize,
}

/// An output that is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OutputExcess {
    /// Its value is too long: so many bytes.
    Value(usize),
    /// There are too many.
    Number,
    /// With it, all values are too long.
    Sum,
}

impl Outputs {
    /// Takes one in; a second value of a name replaces the first.
    pub(super) fn put(&mut self, key: &str, value: &str) -> Result<(), OutputExcess> {
        if value.len() > VALUE {
            return Err(OutputExcess::Value(value.len()));
        }
        let before = self.values.get(key).and_then(Value::as_str).map(str::len);
        if before.is_none() && self.values.len() >= MOST {
            return Err(OutputExcess::Number);
        }
        let bytes = self.bytes - before.unwrap_or(0) + value.len();
        if bytes > SUM {
            return Err(OutputExcess::Sum);
        }
        self.bytes = bytes;
        // An environment cannot hold it, and neither can every store.
        self.values.insert(key.to_owned(), Value::String(value.replace('\0', "\u{fffd}")));
        Ok(())
    }

    pub(super) fn into_values(self) -> Map<String, Value> {
        self.values
    }
}

impl OutputExcess {
    /// In words, with the name.
    pub(super) fn of(&self, key: &str) -> Text {
        Text::message(&format!("output {}: {self}", Text::cut(key, 128)))
    }
}

impl fmt::Display for OutputExcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(bytes) => {
                write!(f, "{bytes} bytes, and one output may have {VALUE}: put large data into a file")
            }
            Self::Number => write!(f, "an attempt may have {MOST} outputs, and this is one more"),
            Self::Sum => write!(f, "with it, the outputs of this attempt have more than {SUM} bytes together"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_reached_and_not_passed() {
        let full = "x".repeat(VALUE);
        let mut outputs = Outputs::default();
        for n in 0..SUM / VALUE {
            outputs.put(&format!("k{n}"), &full).unwrap();
        }
        assert_eq!(outputs.put("more", "x"), Err(OutputExcess::Sum));
        outputs.put("k0", "short").unwrap();
        outputs.put("more", "x").unwrap();
        assert_eq!(outputs.put("long", &format!("{full}x")), Err(OutputExcess::Value(VALUE + 1)));
        assert_eq!(outputs.into_values().len(), 17);

        let mut outputs = Outputs::default();
        for n in 0..MOST {
            outputs.put(&format!("k{n}"), "").unwrap();
        }
        assert_eq!(outputs.put("k256", ""), Err(OutputExcess::Number));
        outputs.put("k255", "again").unwrap();
        assert!(OutputExcess::Number.of("k256").as_str().starts_with("output k256: an attempt may have 256"));
    }

    #[test]
    fn a_nul_is_replaced() {
        let mut outputs = Outputs::default();
        outputs.put("k", "a\0b").unwrap();
        assert_eq!(outputs.into_values()["k"], "a\u{fffd}b");
    }
}
