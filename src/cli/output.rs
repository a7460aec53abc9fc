//! Where commands write: results to standard output, words about them to standard error.

use std::io::{self, Write};

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
