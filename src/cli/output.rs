//! Where commands write: results to standard output, words about them to standard error.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// A line of the result.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// A text of the result that has its own line ends.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Words for the person at the terminal. Nobody to hear them is no reason to stop.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A line of a program's output as it may be written to standard output: as it is into a file or a pipe, and without
/// control characters where a terminal would obey them.
pub(super) fn shown(line: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { plain(line) } else { line.into() }
}

/// The same for standard error.
pub(super) fn noted(line: &str) -> Cow<'_, str> {
    if io::stderr().is_terminal() { plain(line) } else { line.into() }
}

fn plain(line: &str) -> Cow<'_, str> {
    let is_obeyed = |letter: char| letter.is_control() && letter != '\t';
    if !line.contains(is_obeyed) {
        return line.into();
    }
    console::strip_ansi_codes(line).replace(is_obeyed, "").into()
}

/// Rows under a head, each column as wide as its widest cell.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = render(&head.map(str::to_owned), &widths);
    for row in rows {
        text.push_str(&render(row, &widths));
    }
    self::text(&text)
}

fn render(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

/// An instant to the second.
pub(super) fn instant(at: taskloom_entity::Timestamp) -> String {
    at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_terminal_is_given_no_orders() {
        assert_eq!(plain("a line\tof its own"), "a line\tof its own");
        assert_eq!(plain("\x1b[31mred\x1b[0m and\r\x1b[2Jgone\x07"), "red andgone");
        assert_eq!(plain("\u{9b}1mbold"), "bold");
    }
}
