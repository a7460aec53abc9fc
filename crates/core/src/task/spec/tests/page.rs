//! The page for users says nothing that the code does not do.

use super::good;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/definitions.md"));

/// The fenced blocks of a language; behind it stands the file that the page calls it.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language} ");
    let behind = PAGE.split(&fence).skip(1);
    let text = behind.map(|rest| rest.split_once('\n').map_or("", |(_, text)| text));
    text.map(|text| text.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn its_examples_are_definitions() {
    let examples: Vec<_> = blocks("yaml").into_iter().chain(blocks("json")).collect();
    assert!(examples.len() >= 3, "{}", examples.len());
    for example in examples {
        assert!(!good(&example).subtasks.is_empty());
    }
}

#[test]
fn every_key_is_described() {
    for key in super::super::check::keys() {
        assert!(PAGE.contains(&format!("`{key}`")), "{key}");
    }
}
