//! The id of a request: in its span, in its log lines, in its answer. A caller may bring one, so that a call through
//! several programs has one id; anything that is not well-formed is replaced, never repeated.

use std::fmt;

/// 64 random bits, written as 16 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A new one.
    ///
    /// # Panics
    ///
    /// When the operating system has no random bits: nothing could be safe then.
    #[must_use]
    pub fn random() -> Self {
        Self(getrandom::u64().expect("invariant: the system has random bits"))
    }

    /// The one that a caller brought, if it is well-formed.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if digits { u64::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn only_what_we_would_write_is_accepted() {
        assert_eq!(RequestId::parse("00000000000000ff").map(|id| id.to_string()).as_deref(), Some("00000000000000ff"));
        for text in ["", "ff", "00000000000000FF", "000000000000000g", "+0000000000000ff", "00000000000000ff\n"] {
            assert_eq!(RequestId::parse(text), None, "{text:?}");
        }
    }
}
