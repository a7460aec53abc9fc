//! The pages of `docs/` that are written from the code. A stale page fails; `UPDATE_DOCS=1` writes it anew.

use std::fs;
use std::path::Path;

use taskloom::compat::{self, Dialect};
use taskloom::error::code;
use taskloom::task::state;

/// Where a page of a dialect stops being written by hand, in each language.
const CALLS: [(&str, &str); 2] = [("docs/dialects", "## Call by call\n"), ("docs/zh/dialects", "## 逐个调用\n")];

#[test]
fn the_page_of_states_is_current() {
    current("docs/task-states.md", &state::document());
}

#[test]
fn the_page_of_error_codes_is_current() {
    current("docs/error-codes.md", &error_codes());
}

/// What people copy is what a test runs.
#[test]
fn the_page_of_subscriptions_shows_the_client_that_is_tested() {
    let (page, client) = (include_str!("../../../docs/subscriptions.md"), include_str!("../../clients/follow.mjs"));
    assert!(page.contains(&format!("```js\n{client}```\n")), "docs/subscriptions.md shows another follow.mjs");
}

/// Behind its own words, the page of a dialect shows the document of each route, as it is served.
#[test]
fn the_pages_of_the_dialects_show_what_is_served() {
    for (Dialect { name, documents, .. }, (folder, heading)) in pairs() {
        let path = format!("{folder}/{name}.md");
        let kept = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        let (own, _) = kept.split_once(heading).unwrap_or_else(|| panic!("{path} has no place for the calls"));
        let call = |(operation, document): &(&str, &str)| {
            let (call, document) = document.split_once('\n').unwrap();
            format!("\n### {operation}: `{}`\n\n```graphql\n{}```\n", &call[2..], document.trim_start_matches("#\n"))
        };
        let calls: String = documents.iter().map(call).collect();
        current(&path, &format!("{own}{heading}{calls}"));
    }
}

/// Each dialect in each language.
fn pairs() -> impl Iterator<Item = (&'static Dialect, (&'static str, &'static str))> {
    compat::DIALECTS.iter().flat_map(|dialect| CALLS.map(|place| (dialect, place)))
}

fn current(path: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|wish| wish == "1") {
        fs::write(&file, page).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    let differs = page.lines().zip(kept.lines()).position(|(new, old)| new != old);
    let line = differs.unwrap_or_else(|| page.lines().count().min(kept.lines().count())) + 1;
    assert!(kept == page, "{path} is stale from line {line} on: run this test with UPDATE_DOCS=1");
}

fn error_codes() -> String {
    let mut page = String::from(
        "# Error codes\n\nWritten from the table in `crates/core/src/error/code.rs`; a test fails when this page is stale. The code is \
         `extensions.code` of a GraphQL error; `{names}` are filled in, the language follows `Accept-Language`.\n\n\
         | code | HTTP | English | 中文 | what to do |\n|---|---|---|---|---|\n",
    );
    for code in code::ALL {
        let cells = [code.en, code.zh, code.remedy].map(|text| text.replace('|', "\\|"));
        page.push_str(&format!("| `{}` | {} | {} |\n", code.name, code.status, cells.join(" | ")));
    }
    page
}

/// Clients tell errors apart by their names, people by their text.
#[test]
fn every_code_is_told_apart_and_says_what_to_do() {
    for (at, one) in code::ALL.iter().enumerate() {
        assert!(code::ALL[..at].iter().all(|other| other.name != one.name), "{} is there twice", one.name);
        assert!(!one.remedy.is_empty() && one.remedy.ends_with('.'), "{} says what to do in a sentence", one.name);
        assert_eq!(names(one.en), names(one.zh), "{} fills in the same in both languages", one.name);
    }
}

/// What stands in braces, sorted.
fn names(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    names.sort_unstable();
    names
}
