//! Files that commands are given, and what is wrong in them, told as `FILE:LINE: PATH: MESSAGE`.

use std::path::Path;

use anyhow::Context;

use super::Usage;
use crate::error::Fault;

/// The text of a file; `-` is standard input.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        return std::io::read_to_string(std::io::stdin()).context("cannot read standard input");
    }
    std::fs::read_to_string(file).map_err(|error| Usage(format!("cannot read {}: {error}", file.display())).into())
}

/// Every fault at its place: what is wrong with `what`.
pub(super) fn refuse(what: &str, place: &str, faults: &[Fault]) -> anyhow::Error {
    let mut text = what.to_owned();
    for fault in faults {
        let line = fault.line.map(|line| format!("{line}:")).unwrap_or_default();
        let path = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
        text.push_str(&format!("\n  {place}:{line} {path}{}", fault.message));
    }
    Usage(text).into()
}
