//! The import graph of this project, read from its sources: which file uses which, what goes in circles, and how far it
//! is from a door to SQL. `make house` prints it, and `tests/it/house.rs` holds the code against it.
//!
//! A file uses the file in which something is defined that it names, also where a third one gives it on; that a module
//! lies within another is no use of it. Code that is compiled for tests alone does not count.

mod graph;
mod source;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

pub use graph::Graph;
pub use tree::{Crate, Texts};

use source::Import;
use tree::Tree;

/// What asks: people, programs, time.
pub const DOORS: [&str; 4] = ["graphql", "compat", "cli", "background"];

/// Where all SQL is, and by whose names it is known.
const STORE: &str = "store";
const SQL: [&str; 2] = ["sea_orm", "sqlx"];

/// Crates of several modules, and how these are named beside each other. Any other crate is one module, named after its
/// folder.
const SEVERAL: [(&str, &str); 3] = [("src/", ""), ("crates/core/src/", "core::"), ("crates/runtime/src/", "runtime::")];

/// The same crates by their names.
const SEVERAL_BY_NAME: [&str; 2] = ["taskloom_core", "taskloom_runtime"];

/// The project, as its files use each other.
#[derive(Debug)]
pub struct House {
    /// Between files, by their paths.
    pub files: Graph,
    /// Between modules.
    pub modules: Graph,
    /// Files that use each other. That one uses the module in which it lies makes no circle.
    pub circles: Vec<BTreeSet<String>>,
    sql: BTreeSet<String>,
    tree: Tree,
}

impl House {
    /// Reads the project in this folder: its crate, those of `crates/`, entities and migrations.
    ///
    /// # Errors
    /// When a file cannot be read or is not Rust.
    pub fn read(root: &Path) -> Result<Self, String> {
        let mut folders = vec![String::new(), "entity/".to_owned(), "migration/".to_owned()];
        let crates = fs::read_dir(root.join("crates")).into_iter().flatten().flatten();
        folders.extend(crates.map(|entry| format!("crates/{}/", entry.file_name().to_string_lossy())));
        folders[3..].sort();
        let (mut crates, mut texts) = (vec![], Texts::new());
        for folder in folders {
            let manifest = root.join(&folder).join("Cargo.toml");
            let manifest = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
            let name = name.ok_or_else(|| format!("{folder}Cargo.toml names no package"))?.replace('-', "_");
            let folder = format!("{folder}src");
            gather(root, &folder, &mut texts)?;
            crates.push(Crate { name, folder });
        }
        Self::of(&crates, &texts)
    }

    /// The same of these texts.
    ///
    /// # Errors
    /// When one of them is not Rust, or names a module that is not there.
    pub fn of(crates: &[Crate], texts: &Texts) -> Result<Self, String> {
        let tree = Tree::read(crates, texts)?;
        let files = Graph(tree.files.keys().map(|path| (path.clone(), tree.used_by(path))).collect());
        let speaks = |path: &String| {
            let source = &tree.files[path].source;
            let heads = source.imports.iter().map(|it| &it.path).chain(&source.paths).filter_map(|it| it.names.first());
            heads.into_iter().any(|head| SQL.contains(&head.as_str()))
        };
        let sql = tree.files.keys().filter(|path| module_of(path) == STORE && speaks(path)).cloned().collect();
        let circles = files.without(|path, used| tree.is_above(used, path)).circles();
        Ok(Self { modules: files.by(module_of), files, circles, sql, tree })
    }

    /// What a file names in its imports and paths, tests included: modules of ours, by `crate::…` or a crate of several
    /// modules, and the first name of every other path, which is a crate's or a type's. A crate of ours is known by its
    /// module's name as well. Neighbours of the same name as a module are no use of it.
    #[must_use]
    pub fn names(&self, path: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for names in self.paths(path) {
            match names {
                [first, second, ..] if first == "crate" || SEVERAL_BY_NAME.contains(&&**first) => {
                    seen.insert(second.clone());
                }
                [first, ..] if !self.is_module(first) => {
                    seen.extend(first.strip_prefix("taskloom_").map(str::to_owned));
                    seen.insert(first.clone());
                }
                _ => {}
            }
        }
        seen
    }

    /// Every path that a file names, tests included.
    pub fn paths(&self, path: &str) -> impl Iterator<Item = &[String]> {
        let source = &self.tree.files[path].source;
        let imports = source.imports.iter().map(|import| &import.path);
        imports.chain(&source.paths).chain(&source.of_tests).map(|path| &path.names[..])
    }

    /// What a file hands on of this module: the names that its `pub use` of any part of it have there, `*` for all.
    #[must_use]
    pub fn handed_on(&self, path: &str, module: &str) -> Vec<String> {
        let imports = self.tree.files[path].source.imports.iter().filter(|import| import.is_public);
        let of_it = imports.filter(|import| import.path.names.iter().any(|name| name == module));
        let name = |import: &Import| match import.name.as_str() {
            "*" => Some("*".to_owned()),
            _ => import.path.names.last().cloned(),
        };
        of_it.filter_map(name).collect()
    }

    /// Types of one crate that have the same name, each with its files.
    #[must_use]
    pub fn namesakes(&self) -> Vec<(String, Vec<String>)> {
        let mut all: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for (path, file) in &self.tree.files {
            let krate = path.split_once("src/").map_or("", |(krate, _)| krate);
            for name in &file.source.types {
                all.entry((krate, name)).or_default().push(path.clone());
            }
        }
        all.into_iter()
            .filter(|(_, files)| files.len() > 1)
            .map(|((_, name), files)| (name.to_owned(), files))
            .collect()
    }

    fn is_module(&self, name: &str) -> bool {
        self.modules.0.keys().any(|module| module.rsplit("::").next() == Some(name))
    }

    /// The longest way from a file of a door to one that speaks SQL.
    #[must_use]
    pub fn longest(&self) -> Vec<BTreeSet<String>> {
        self.files.longest(|path| DOORS.contains(&module_of(path).as_str()), |path| self.sql.contains(path))
    }

    /// The same by modules.
    #[must_use]
    pub fn longest_of_modules(&self) -> Vec<BTreeSet<String>> {
        self.modules.longest(|name| DOORS.contains(&name), |name| name == STORE)
    }
}

/// The module of a file: what lies directly in the folder of a crate of several, or the crate's own folder.
#[must_use]
pub fn module_of(path: &str) -> String {
    for (folder, named) in SEVERAL {
        if let Some(rest) = path.strip_prefix(folder) {
            let module = rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs");
            return format!("{named}{module}");
        }
    }
    let krate = path.split("/src/").next().unwrap_or(path);
    krate.rsplit('/').next().unwrap_or(krate).to_owned()
}

/// The texts of all Rust files in a folder, by their paths from `root` on.
fn gather(root: &Path, folder: &str, texts: &mut Texts) -> Result<(), String> {
    let said = |error: std::io::Error| format!("{folder}: {error}");
    for entry in fs::read_dir(root.join(folder)).map_err(said)? {
        let entry = entry.map_err(said)?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            gather(root, &path, texts)?;
        } else if path.ends_with(".rs") {
            texts.insert(path, fs::read_to_string(entry.path()).map_err(said)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
