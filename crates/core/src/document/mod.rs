//! YAML and JSON documents that people write: read into a bounded tree whose values know their lines, and taken apart
//! so that every fault is named by its path and line, at once. What a document means is for who asks.

pub mod place;
pub mod tree;
pub mod value;
pub mod word;
pub mod yaml;

use std::collections::HashMap;

use place::{Faults, Place};
use tree::Content;

/// What holds everywhere: no key twice, no NUL byte (PostgreSQL and environments cannot hold one).
pub fn sound(place: &Place<'_>, faults: &mut Faults) {
    const NUL: &str = "contains a NUL byte: remove it";
    if matches!(&place.node.content, Content::Text(text) if text.contains('\0')) {
        faults.add(place, NUL);
    }
    for item in place.items() {
        sound(&item, faults);
    }
    let mut lines = HashMap::new();
    for entry in place.entries() {
        let here = place.entry(entry);
        if entry.key.contains('\0') {
            faults.add(&here, NUL);
        }
        if let Some(first) = lines.insert(entry.key.as_str(), entry.line) {
            let first = first.map_or(String::new(), |line| format!(", first on line {line}"));
            faults.add(&here, format!("the key {} is here twice{first}: keep one", word::quote(&entry.key)));
        }
        sound(&here, faults);
    }
}
