//! Text from outside: what programs, clients and other servers say, cleaned and bounded from the moment it enters.
//!
//! What is kept beside others (messages, warnings, names, rows of the audit log) is a [`Text`]: PostgreSQL refuses
//! U+0000 in any text, and a terminal obeys the other control characters. A raw `String` of somebody else's must not
//! reach the store. Logs are not cleaned: their bytes are kept as they came, under compression.

mod fold;

use std::fmt;

pub use fold::folded;

/// What stands for a character or byte that cannot be kept.
pub const REPLACEMENT: char = '\u{fffd}';

/// The bytes of a message, a warning or a reason that a program or another server gives.
pub const MESSAGE: usize = 4096;

/// Why a text is refused where one is to be kept or looked for.
pub const UNSTORABLE: &str = "it holds the character U+0000, which no text may hold";

/// Whether a text can be kept as it is.
#[must_use]
pub fn is_storable(text: &str) -> bool {
    memchr::memchr(0, text.as_bytes()).is_none()
}

/// Where in a JSON value a text stands that cannot be kept: the path of the first.
#[must_use]
pub fn unstorable(value: &serde_json::Value) -> Option<String> {
    // Not by recursion: the value may be as deep as somebody likes.
    let mut open = vec![(String::new(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            serde_json::Value::String(text) if !is_storable(text) => return Some(path),
            serde_json::Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)));
            }
            serde_json::Value::Object(members) => {
                let inside = if path.is_empty() { String::new() } else { format!("{path}.") };
                if let Some(name) = members.keys().find(|name| !is_storable(name)) {
                    return Some(format!("{inside}{}", Text::cut(name, 128)));
                }
                open.extend(members.iter().map(|(name, member)| (format!("{inside}{name}"), member)));
            }
            _ => {}
        }
    }
    None
}

/// What ends a text that was cut.
const ELLIPSIS: &str = "…";

/// Text without control characters (line feeds and tabs stay), of at most a stated number of bytes.
/// Read from elsewhere it is cleaned again, as a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Cleans `raw` and cuts it to `most` bytes; a text that was cut ends in `…`.
    #[must_use]
    pub fn cut(raw: &str, most: usize) -> Self {
        // Only so much can be kept, and a replacement is not shorter than what it replaces: the rest is not looked at.
        let seen = &raw[..raw.floor_char_boundary(most.saturating_add(1))];
        let lines = seen.replace("\r\n", "\n");
        let clean: String = lines.chars().map(|letter| if is_kept(letter) { letter } else { REPLACEMENT }).collect();
        if clean.len() <= most && seen.len() == raw.len() {
            return Self(clean);
        }
        let room = clean.floor_char_boundary(most.saturating_sub(ELLIPSIS.len()));
        Self(clean[..room].to_owned() + if most >= ELLIPSIS.len() { ELLIPSIS } else { "" })
    }

    /// A message: [`MESSAGE`] bytes at the most.
    #[must_use]
    pub fn message(raw: &str) -> Self {
        Self::cut(raw, MESSAGE)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, to be kept.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::message(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::message(&raw)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_kept(letter: char) -> bool {
    matches!(letter, '\n' | '\t') || !letter.is_control()
}

/// The greatest place in `bytes`, at or before `at`, that lies between two characters. Bytes that are no UTF-8 are
/// characters of their own, so that nothing is held back for them; what is open at the end of all bytes is.
#[must_use]
pub fn boundary(bytes: &[u8], at: usize) -> usize {
    if at >= bytes.len() {
        return complete(bytes);
    }
    let begin = complete(&bytes[..at]);
    // What looked incomplete may be followed by something that does not complete it.
    let goes_on = bytes[begin..].utf8_chunks().next().is_some_and(|chunk| {
        let first = chunk.valid().chars().next().map_or(0, char::len_utf8);
        begin + first > at
    });
    if goes_on { begin } else { at }
}

/// How many bytes at the beginning are whole characters: all, but for a last character that may still be completed.
#[must_use]
pub fn complete(bytes: &[u8]) -> usize {
    let end = bytes.len();
    for back in 1..=end.min(3) {
        let length = match bytes[end - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        // `from_utf8` knows which beginnings nothing can complete.
        let is_open =
            length > back && std::str::from_utf8(&bytes[end - back..]).is_err_and(|error| error.error_len().is_none());
        return if is_open { end - back } else { end };
    }
    end
}

/// How many bytes a text has when it is written as JSON, but for its quotes.
#[must_use]
pub fn written(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\t' | b'\r' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_as_long_as_it_will_be_written() {
        for text in ["", "plain 升", "\"\\/\n\t\r\u{8}\u{c}", "\0\u{1f}\u{7f}\u{85}"] {
            assert_eq!(written(text) + 2, serde_json::to_string(text).unwrap().len(), "{text:?}");
        }
    }

    #[test]
    fn controls_are_replaced_and_line_feeds_stay() {
        assert_eq!(Text::message("x\0y").as_str(), "x\u{fffd}y");
        assert_eq!(
            Text::message("a\u{1}\u{1b}[31m\u{7f}\u{9b}\r\n\tb").as_str(),
            "a\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}\n\tb"
        );
        assert_eq!(Text::message("升级 ok").as_str(), "升级 ok");
        assert_eq!(Text::message("").as_str(), "");
    }

    #[test]
    fn a_cut_lies_between_characters_and_is_seen() {
        assert_eq!(Text::cut("升升升", 9).as_str(), "升升升");
        assert_eq!(Text::cut("升升升", 8).as_str(), "升…");
        assert_eq!(Text::cut("升升升", 2).as_str(), "");
        assert_eq!(Text::cut(&"\0".repeat(10), 12).as_str(), "\u{fffd}\u{fffd}\u{fffd}…");
        for most in 0..40 {
            assert!(Text::cut("a\0é升𝄞b\0é升𝄞c\0é升𝄞", most).as_str().len() <= most);
        }
    }

    #[test]
    fn bytes_are_cut_between_characters() {
        let text = "aé升𝄞z".as_bytes(); // 1, 2, 3, 4, 1
        let cuts: Vec<usize> = (0..=11).map(|at| boundary(text, at)).collect();
        assert_eq!(cuts, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11]);
        // What no character begins or completes is not waited for.
        assert_eq!(boundary(b"\xff\xff\xff", 2), 2);
        assert_eq!(boundary(b"\xe5zz", 1), 1);
        assert_eq!(boundary(b"\x8d\x87\x8d\x87\x8d", 4), 4);
        assert_eq!(complete(b"a\xe5\x8d"), 1);
        assert_eq!(complete(b"a\xe5"), 1);
        assert_eq!(complete(b"a\xed\xa0"), 3, "a surrogate is none");
        assert_eq!(complete(b"\xf0\x9d\x84"), 0);
        assert_eq!(complete(b""), 0);
    }

    proptest::proptest! {
        #[test]
        fn a_text_cut_anywhere_stays_text(text in ".{0,60}", at in 0_usize..200) {
            let at = boundary(text.as_bytes(), at);
            proptest::prop_assert!(text.is_char_boundary(at));
            let lossy = String::from_utf8_lossy(&text.as_bytes()[..at]).into_owned() + &String::from_utf8_lossy(&text.as_bytes()[at..]);
            proptest::prop_assert_eq!(lossy, text);
        }
    }
}
