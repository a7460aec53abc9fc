//! The page for users says nothing that the code does not do.

use super::good;

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/definitions.md"));

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    PAGE.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
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
