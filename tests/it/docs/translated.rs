//! The pages in Chinese: the same headings, tables and lists in number and level, the same blocks byte for byte.

use super::page::Page;

/// A page and its translation.
const PAIRS: &[(&str, &str)] = &[
    ("README.md", "README.zh.md"),
    ("docs/operations.md", "docs/zh/operations.md"),
    ("docs/dialects/linkis.md", "docs/zh/dialects/linkis.md"),
    ("docs/dialects/ocp.md", "docs/zh/dialects/ocp.md"),
    ("docs/dialects/vsphere.md", "docs/zh/dialects/vsphere.md"),
];

#[test]
fn a_translation_has_the_same_headings() {
    for (own, other) in PAIRS {
        let levels = |page: &Page| page.headings.iter().map(|(level, _)| *level).collect::<Vec<_>>();
        assert_eq!(levels(&Page::read(own)), levels(&Page::read(other)), "{other}");
    }
}

#[test]
fn a_translation_has_the_same_blocks() {
    for (own, other) in PAIRS {
        let (own, translation) = (Page::read(own), Page::read(other));
        assert_eq!(own.blocks.len(), translation.blocks.len(), "blocks of {other}");
        for (block, same) in own.blocks.iter().zip(&translation.blocks) {
            let places = format!("{}:{} and {other}:{}", own.path, block.line, same.line);
            assert_eq!((&block.info, &block.body), (&same.info, &same.body), "{places}");
        }
    }
}

/// A row or a point that is missing is a sentence that was not translated.
#[test]
fn a_translation_has_the_same_rows_and_points() {
    for (own, other) in PAIRS {
        assert_eq!(shape(&Page::read(own)), shape(&Page::read(other)), "{other}");
    }
}

/// Rows of tables and points of lists below each heading.
fn shape(page: &Page) -> Vec<(usize, usize)> {
    let mut sections = vec![(0, 0)];
    let mut is_block = false;
    for line in page.text.lines() {
        is_block ^= line.starts_with("```");
        let last = sections.last_mut().unwrap();
        match line {
            _ if is_block => {}
            _ if line.starts_with('|') => last.0 += 1,
            _ if line.starts_with("- ") || line.starts_with("1. ") => last.1 += 1,
            _ if line.starts_with('#') => sections.push((0, 0)),
            _ => {}
        }
    }
    sections
}

#[test]
fn every_translation_is_compared() {
    let translated: Vec<String> = Page::all().into_iter().filter(Page::is_translation).map(|page| page.path).collect();
    let mut compared: Vec<&str> = PAIRS.iter().map(|(_, other)| *other).collect();
    compared.sort_unstable();
    assert_eq!(translated, compared);
}
