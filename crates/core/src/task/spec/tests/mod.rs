//! Stories about definitions: a document in, a definition or its faults out.

mod accept;
mod bounds;
mod faults;
mod format;
mod graphs;
mod page;
mod reach;
mod schema;

use super::{Definition, parse};
use crate::error::Fault;

/// A definition without faults.
fn good(text: &str) -> Definition {
    parse(text).unwrap_or_else(|faults| panic!("{}\n{text}", show(&faults)))
}

/// The faults of a document, a line each: `line path: message`.
fn bad(text: &str) -> String {
    parse(text).map_or_else(|faults| show(&faults), |definition| panic!("no fault in {definition:?}"))
}

fn show(faults: &[Fault]) -> String {
    let lines = faults.iter().map(|Fault { path, line, message }| {
        let line = line.map_or("-".to_owned(), |line| line.to_string());
        format!("{line} {path}: {message}")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A definition of one subtask with these further lines of YAML, each indented by four spaces.
fn with(lines: &str) -> String {
    let mut text = "name: d\nsubtasks:\n  - name: a\n".to_owned();
    if !lines.contains("run:") {
        text.push_str("    run: {noop: {}}\n");
    }
    for line in lines.lines() {
        text.push_str(&format!("    {line}\n"));
    }
    text
}
