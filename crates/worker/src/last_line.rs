//! The last line that a program wrote to its standard error: why it failed, more often than not.

use memchr::memrchr;
use taskloom_core::text::{Text, complete};

/// Bytes of it that are kept.
const LONGEST: usize = 500;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct LastLine(Vec<u8>);

impl LastLine {
    /// Hears whole lines. The last that is not blank counts.
    pub(super) fn hear(&mut self, lines: &[u8]) {
        let text = lines.trim_ascii_end();
        if text.is_empty() {
            return;
        }
        let from = memrchr(b'\n', text).map_or(0, |end| end + 1);
        let line = text[from..].trim_ascii_start();
        self.0.clear();
        self.0.extend_from_slice(&line[..line.len().min(LONGEST)]);
    }

    /// The reason of a failure with what was said last.
    pub(super) fn explain(&self, reason: &Text) -> Text {
        if self.0.is_empty() {
            return reason.clone();
        }
        let line = String::from_utf8_lossy(&self.0[..complete(&self.0)]);
        Text::message(&format!("{reason}: {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(lines: &[&str]) -> String {
        let mut last = LastLine::default();
        lines.iter().for_each(|text| last.hear(text.as_bytes()));
        last.explain(&Text::message("exit status 2")).into_string()
    }

    #[test]
    fn the_last_line_that_says_something_counts() {
        assert_eq!(explained(&[]), "exit status 2");
        assert_eq!(explained(&["\n \n"]), "exit status 2");
        assert_eq!(explained(&["one\n", "Traceback:\n  two\r\n\n", " \n"]), "exit status 2: two");
        let long = explained(&[&"界".repeat(400)]);
        assert_eq!(long, format!("exit status 2: {}", "界".repeat(166)));
    }
}
