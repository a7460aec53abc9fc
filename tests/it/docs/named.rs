//! Names that pages use: settings, variables, metrics, commands with their options, targets of the Makefile, pages and
//! places in them. Each exists; and what there is of some of them is named.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::page::{Page, source};
use crate::cli::taskloom;
use crate::harness::server::Server;

/// What stands in single back-quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Every setting as `section.key`, and every section.
pub(super) fn settings() -> (BTreeSet<String>, BTreeSet<String>) {
    let all: toml::Table = toml::from_str(include_str!("../../../src/config/taskloom.toml")).unwrap();
    let (mut keys, mut sections) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<(String, toml::Table)> = vec![(String::new(), all)];
    while let Some((section, table)) = open.pop() {
        for (key, value) in table {
            let path = if section.is_empty() { key } else { format!("{section}.{key}") };
            match value {
                toml::Value::Table(below) => {
                    sections.insert(path.clone());
                    open.push((path, below));
                }
                _ => drop(keys.insert(path)),
            }
        }
    }
    (keys, sections)
}

#[test]
fn the_settings_that_pages_name_exist() {
    let (keys, sections) = settings();
    let mut wrong = vec![];
    for page in Page::all() {
        for name in quoted(&page.text).map(|text| text.split([' ', '=']).next().unwrap_or(text)) {
            let is_one = name.split('.').count() > 1
                && sections.contains(name.split('.').next().unwrap())
                && name.bytes().all(|byte| matches!(byte, b'.' | b'_' | b'a'..=b'z'));
            if is_one && !keys.contains(name) && !sections.contains(name) {
                wrong.push(format!("{}: `{name}`", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "no such settings:\n{}", wrong.join("\n"));
}

/// Variables of settings, of the command line, and of what steps are given.
#[test]
fn the_variables_that_pages_name_exist() {
    let (keys, _) = settings();
    let variables: BTreeSet<String> =
        keys.iter().map(|key| format!("TASKLOOM_{}", key.to_uppercase().replace('.', "__"))).collect();
    let code = sources(&source("src")) + &sources(&source("crates"));
    // One that is no setting on purpose, and the form of all that are.
    let may = ["TASKLOOM_PORT", "TASKLOOM_SECTION__KEY"];
    let mut wrong = vec![];
    for (path, text) in pages_and_deployments() {
        for at in text.match_indices("TASKLOOM_").map(|(at, _)| at) {
            let name = text[at..].split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).next().unwrap();
            let given = ["TASKLOOM_PARAM_", "TASKLOOM_SECRET_"].iter().any(|given| name.starts_with(given));
            let known = given || may.contains(&name) || variables.contains(name) || code.contains(&format!("{name}\""));
            if !known {
                wrong.push(format!("{path}: {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "nobody reads these:\n{}", wrong.join("\n"));
}

fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { sources(&path) } else { fs::read_to_string(path).unwrap_or_default() })
        .collect()
}

/// Texts that name variables, by their paths.
fn pages_and_deployments() -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = Page::all().into_iter().map(|page| (page.path, page.text)).collect();
    for entry in fs::read_dir(source("docs/deploy")).unwrap() {
        let path = entry.unwrap().path();
        texts.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
    }
    texts
}

/// Samples have an end that their family has not.
fn family(name: &str) -> &str {
    ["_bucket", "_total", "_info"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// In both directions: what the page names is there, and what is there is named.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_operations_names_the_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let (_, text) = server.probe("/metrics").await;
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let there: BTreeSet<&str> = families.map(family).collect();
    let page = Page::read("docs/operations.md").text;
    let words = page.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
    let named = words.filter(|word| ["taskloom_", "process_"].iter().any(|begin| word.starts_with(begin)));
    let named: BTreeSet<&str> = named.map(family).collect();
    // A family has no line before its first sample.
    let code = sources(&source("src/telemetry"));
    let exists = |name: &str| there.contains(name) || name == "process_tree" || code.contains(&format!("\"{name}\""));
    assert_eq!(named.iter().filter(|name| !exists(name)).collect::<Vec<_>>(), [] as [&&str; 0]);
    assert_eq!(there.difference(&named).collect::<Vec<_>>(), [] as [&&str; 0]);
}

/// Help texts of commands, read once each.
#[derive(Default)]
struct Helps(BTreeMap<Vec<String>, String>);

impl Helps {
    fn of(&mut self, command: &[String]) -> &str {
        self.0.entry(command.to_vec()).or_insert_with(|| {
            let output = taskloom().args(command).arg("--help").output().unwrap();
            assert!(output.status.success(), "taskloom {} --help", command.join(" "));
            String::from_utf8(output.stdout).unwrap()
        })
    }

    fn has_command(&mut self, command: &[String], name: &str) -> bool {
        let listed = |line: &str| line.strip_prefix("  ").and_then(|line| line.split(' ').next()) == Some(name);
        let help = self.of(command).split("\nCommands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
        help.is_some_and(|commands| commands.lines().any(listed))
    }

    fn has_option(&mut self, command: &[String], option: &str) -> bool {
        let words =
            |text: &str| text.split(|c: char| c != '-' && !c.is_ascii_alphanumeric()).any(|word| word == option);
        words(self.of(command))
    }
}

#[test]
fn the_commands_that_pages_name_exist() {
    let mut helps = Helps::default();
    let (mut seen, mut wrong) = (0, vec![]);
    for page in Page::all() {
        let shown = page.blocks.iter().filter(|block| block.language() == "sh").flat_map(|block| block.body.lines());
        for call in shown.chain(quoted(&page.text)).flat_map(|line| line.split("taskloom ").skip(1)) {
            let (mut command, mut options) = (vec![], vec![]);
            for word in call.split_whitespace().take_while(|word| !["|", "#", ">"].contains(word)) {
                let name = word.trim_end_matches([')', ';', '`']);
                if name.starts_with("--") {
                    options.push(name.split('=').next().unwrap().to_owned());
                } else if options.is_empty() && helps.has_command(&command, name) {
                    command.push(name.to_owned());
                }
            }
            // A folder or an image may be called so, too.
            if command.is_empty() {
                continue;
            }
            seen += 1;
            for option in options.iter().filter(|option| !helps.has_option(&command, option)) {
                wrong.push(format!("{}: taskloom {} {option}", page.path, command.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "no such options:\n{}", wrong.join("\n"));
    assert!(seen > 30, "{seen}");
}

#[test]
fn the_targets_that_pages_name_exist() {
    let makefile = fs::read_to_string(source("Makefile")).unwrap();
    let mut wrong = vec![];
    for page in Page::all() {
        let shown = page.blocks.iter().filter(|block| block.untested() == Some("make"));
        let lines = shown.flat_map(|block| block.body.lines()).chain(quoted(&page.text));
        for target in lines.filter_map(|line| line.strip_prefix("make ")?.split_whitespace().next()) {
            let is_there =
                makefile.lines().any(|line| line.strip_prefix(target).is_some_and(|rest| rest.starts_with(':')));
            wrong.extend((!is_there).then(|| format!("{}: make {target}", page.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `Type.field`, as pages write fields of the graph.
#[test]
fn the_fields_that_pages_name_exist() {
    let schema = include_str!("../../../schema.graphql");
    let has = |kind: &str, field: &str| {
        let own = schema.split(&format!("\ntype {kind} ")).nth(1).and_then(|rest| rest.split("\n}").next());
        own.is_some_and(|own| own.lines().any(|line| line.trim().split([':', '(']).next() == Some(field)))
    };
    let (mut seen, mut wrong) = (0, vec![]);
    for page in Page::all() {
        for name in quoted(&page.text) {
            let Some((kind, rest)) = name.split_once('.').filter(|_| !source(name).exists()) else { continue };
            let field = rest.split([' ', '(']).next().unwrap();
            let is_kind = kind.starts_with(|first: char| first.is_ascii_uppercase())
                && kind.chars().skip(1).any(char::is_lowercase);
            let is_field = field.starts_with(|first: char| first.is_ascii_lowercase());
            if is_kind && is_field && [kind, field].iter().all(|word| word.chars().all(char::is_alphanumeric)) {
                seen += 1;
                wrong.extend((!has(kind, field)).then(|| format!("{}: `{kind}.{field}`", page.path)));
            }
        }
    }
    assert!(wrong.is_empty(), "the graph has no such fields:\n{}", wrong.join("\n"));
    assert!(seen > 5, "{seen}");
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = vec![];
    for page in Page::all() {
        let folder = Path::new(&page.path).parent().unwrap().to_owned();
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((link, ""));
            let path = if file.is_empty() { page.path.clone().into() } else { folder.join(file) };
            let is_there = source(path.to_str().unwrap()).exists();
            let has_place = place.is_empty() || (is_there && anchors(&path).contains(place));
            wrong.extend((!is_there || !has_place).then(|| format!("{}: {link}", page.path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The places of a page that a link can name.
fn anchors(path: &Path) -> BTreeSet<String> {
    let page = Page::read(path.to_str().unwrap());
    let anchor = |text: &str| {
        let kept = text.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    };
    page.headings.iter().map(|(_, text)| anchor(text)).collect()
}

/// A page that nobody is led to is not read.
#[test]
fn every_page_and_every_decision_is_listed() {
    let listed = |list: &str, folder: &str| {
        let text = Page::read(list).text;
        let pages = Page::all().into_iter().filter(|page| page.path.starts_with(folder) && !page.is_translation());
        let pages = pages.filter(|page| folder == "docs/adr/" || !page.path.starts_with("docs/adr/"));
        pages.filter(|page| !text.contains(&page.path)).map(|page| page.path).collect::<Vec<_>>()
    };
    assert_eq!(listed("README.md", "docs/"), [] as [&str; 0]);
    assert_eq!(listed("docs/ARCHITECTURE.md", "docs/adr/"), [] as [&str; 0]);
}
