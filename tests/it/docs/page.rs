//! A page as it is written: its headings and its fenced blocks, each with the line on which it begins.

use std::fs;
use std::path::{Path, PathBuf};

/// A page of Markdown.
pub(super) struct Page {
    /// From the top of the source.
    pub(super) path: String,
    pub(super) text: String,
    /// As `(level, text)`.
    pub(super) headings: Vec<(usize, String)>,
    pub(super) blocks: Vec<Block>,
}

/// What stands between two fences.
#[derive(Clone)]
pub(super) struct Block {
    /// The words behind the opening fence.
    pub(super) info: Vec<String>,
    pub(super) body: String,
    pub(super) line: usize,
}

impl Block {
    pub(super) fn language(&self) -> &str {
        self.info.first().map_or("", String::as_str)
    }

    /// The name of the file that the block is.
    pub(super) fn file(&self) -> Option<&str> {
        self.info.get(1).map(String::as_str).filter(|word| word.contains('.'))
    }

    /// Why its commands cannot run in a test.
    pub(super) fn untested(&self) -> Option<&str> {
        self.info.iter().find_map(|word| word.strip_prefix("untested="))
    }

    /// Whether its commands run.
    pub(super) fn runs(&self) -> bool {
        self.language() == "sh" && self.untested().is_none()
    }

    pub(super) fn is_output(&self) -> bool {
        self.info == ["text", "output"]
    }
}

impl Page {
    pub(super) fn read(path: &str) -> Self {
        let text = fs::read_to_string(source(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let (mut headings, mut blocks): (Vec<(usize, String)>, Vec<Block>) = (vec![], vec![]);
        let mut open: Option<Block> = None;
        for (at, line) in text.lines().enumerate() {
            let fence = line.strip_prefix("```");
            assert!(!line.trim_start().starts_with("```") || fence.is_some(), "{path}:{}: an indented fence", at + 1);
            match (&mut open, fence) {
                (None, Some(info)) => {
                    let info = info.split_whitespace().map(str::to_owned).collect();
                    open = Some(Block { info, body: String::new(), line: at + 1 });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => {
                    block.body.push_str(line);
                    block.body.push('\n');
                }
                (None, None) => headings.extend(heading(line)),
            }
        }
        assert!(open.is_none(), "{path} ends within a block");
        Self { path: path.to_owned(), text, headings, blocks }
    }

    /// Every page that people read.
    pub(super) fn all() -> Vec<Self> {
        let mut paths = vec![];
        gather(Path::new(env!("CARGO_MANIFEST_DIR")), &mut paths, false);
        gather(&source("docs"), &mut paths, true);
        paths.sort();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        paths.iter().map(|path| Self::read(path.strip_prefix(root).unwrap().to_str().unwrap())).collect()
    }

    /// Whether another page has the same blocks.
    pub(super) fn is_translation(&self) -> bool {
        self.path.starts_with("docs/zh/") || self.path.ends_with(".zh.md")
    }
}

/// A path of the source.
pub(super) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let text = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, text.to_owned()))
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>, below: bool) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() && below {
            gather(&path, paths, below);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
}

#[test]
fn a_page_is_read_by_its_fences_and_headings() {
    let page = Page::read("CONTRIBUTING.md");
    assert_eq!(page.headings[0], (1, "Contributing".to_owned()));
    assert_eq!(page.blocks[0].untested(), Some("make"));
    assert!(page.text.lines().nth(page.blocks[0].line - 1).unwrap().starts_with("```sh"));
    assert!(Page::all().iter().any(|page| page.path == "docs/dialects/ocp.md"));
}
