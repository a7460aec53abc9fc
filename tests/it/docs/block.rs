//! Documents that pages show: GraphQL is valid against the schema, YAML and JSON are definitions or files of `apply`.

use std::fs;

use taskloom::task::spec;

use super::page::{Block, Page, source};
use crate::harness::clients::node;

/// Everything that a block may be.
const LANGUAGES: [&str; 8] = ["graphql", "js", "json", "sh", "sql", "text", "toml", "yaml"];

fn each(mut see: impl FnMut(&Page, &Block)) {
    for page in Page::all() {
        page.blocks.iter().for_each(|block| see(&page, block));
    }
}

#[test]
fn every_block_says_what_it_is() {
    each(|page, block| {
        let is_known = LANGUAGES.contains(&block.language());
        assert!(is_known, "{}:{}: {:?} is not among {LANGUAGES:?}", page.path, block.line, block.info);
        let rest = block.info.iter().skip(1).filter(|word| Some(word.as_str()) != block.file());
        let unknown: Vec<&String> = rest.filter(|word| !word.starts_with("untested=") && !block.is_output()).collect();
        assert!(unknown.is_empty(), "{}:{}: {unknown:?}", page.path, block.line);
    });
}

/// By npm `graphql`, the reference of the language.
#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_the_pages_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec![source("schema.graphql").display().to_string()];
    each(|page, block| {
        if block.language() == "graphql" {
            let path = folder.path().join(format!("{}:{}", page.path.replace('/', "_"), block.line));
            fs::write(&path, &block.body).unwrap();
            arguments.push(path.display().to_string());
        }
    });
    assert!(arguments.len() > 20, "{arguments:?}");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(node("validate.mjs", &arguments).await, "");
}

#[test]
fn the_definitions_of_the_pages_are_accepted() {
    let (mut definitions, mut wrong) = (0, vec![]);
    each(|page, block| {
        if !["yaml", "json"].contains(&block.language()) {
            return;
        }
        let place = format!("{}:{}", page.path, block.line);
        if block.body.starts_with("vcenters:") {
            // The page runs it.
            let command = block.file().map(|file| format!("apply -f {file}"));
            assert!(command.is_some_and(|command| page.text.contains(&command)), "{place} is not applied");
            return;
        }
        definitions += 1;
        wrong.extend(spec::parse(&block.body).err().map(|faults| format!("{place}: {faults:?}")));
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(definitions > 10, "{definitions}");
}
