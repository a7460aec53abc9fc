//! The first measure: one pass over the bytes, before the parser sees them.
//!
//! It must agree with the parser on where strings and comments end, or brackets could hide in what only one of the
//! two takes for a string. Where the parser would fall back (an unclosed `"""` read as an empty string), the document
//! is refused here.

use super::{malformed, within};
use crate::error::Error;

/// What is looked at here.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScanLimits {
    pub(super) bytes: usize,
    pub(super) tokens: usize,
    pub(super) nesting: usize,
}

/// Checks length, tokens and nesting; gives the number of tokens.
///
/// # Errors
///
/// `QUERY_TOO_COMPLEX` above a limit, `BAD_REQUEST` for a string without end.
pub(super) fn check(source: &str, limits: ScanLimits) -> Result<usize, Error> {
    within("bytes", source.len(), limits.bytes)?;
    let bytes = source.as_bytes();
    let (mut at, mut tokens, mut nesting) = (0, 0, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += length(&bytes[at..], |b| b != b'\n' && b != b'\r');
                continue;
            }
            b'"' => string(bytes, at)?,
            b'{' | b'[' | b'(' => {
                nesting += 1;
                within("levels of brackets", nesting, limits.nesting)?;
                at + 1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                at + 1
            }
            _ if is_word(byte) => at + length(&bytes[at..], is_word),
            b'.' => at + length(&bytes[at..], |b| b == b'.'),
            _ => at + 1,
        };
        tokens += 1;
        within("tokens", tokens, limits.tokens)?;
        at = end;
    }
    Ok(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn length(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|&byte| !belongs(byte)).unwrap_or(bytes.len())
}

/// The position behind the string that begins at `start`.
fn string(bytes: &[u8], start: usize) -> Result<usize, Error> {
    const BLOCK: &[u8] = b"\"\"\"";
    let is_block = bytes[start..].starts_with(BLOCK);
    let mut at = start + if is_block { BLOCK.len() } else { 1 };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if !is_block => return Ok(at + 1),
            b'"' if bytes[at..].starts_with(BLOCK) => return Ok(at + BLOCK.len()),
            b'\\' if !is_block => at += 2,
            b'\\' if bytes[at + 1..].starts_with(BLOCK) => at += 1 + BLOCK.len(),
            b'\n' | b'\r' if !is_block => break,
            _ => at += 1,
        }
    }
    Err(malformed("a string in the document has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> Option<&'static str> {
        check(source, ScanLimits { bytes: 10_000, tokens: 20, nesting: 60 }).err().map(|error| error.code().name)
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "[".repeat(500);
        assert_eq!(code(&format!("{{ a(b: \"{many}\\\"{many}\") }} # {many}")), None);
        assert_eq!(code(&format!("{{ a(b: \"\"\"{many}\" \\\"\"\" {many}\"\"\") }}")), None);
        assert_eq!(code(&format!("# comment\r{many}")), Some("QUERY_TOO_COMPLEX"));
    }

    #[test]
    fn a_string_that_the_parser_would_read_otherwise_is_refused() {
        let many = "[".repeat(500);
        assert_eq!(code(&format!("{{ a(b: [\"\"\"x\"\n{many}")), Some("BAD_REQUEST"));
        assert_eq!(code(&format!("{{ a(b: \"x\n{many}")), Some("BAD_REQUEST"));
        assert_eq!(code("{ a(b: \"x\\"), Some("BAD_REQUEST"));
    }

    #[test]
    fn tokens_are_words_strings_and_punctuation() {
        assert_eq!(code("{ a, , b # c d e f\n ...f x(y: 1.5) }"), None);
        assert_eq!(code(&"a ".repeat(20)), None);
        assert_eq!(code(&"a ".repeat(21)), Some("QUERY_TOO_COMPLEX"));
        assert_eq!(code(&"!".repeat(21)), Some("QUERY_TOO_COMPLEX"));
    }
}
