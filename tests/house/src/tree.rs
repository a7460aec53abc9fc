//! The files of each crate as a tree of modules, and where a path leads in it: to the file that has the item, also
//! through those that give it on.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Import, Path, Source};

/// The text of every file, by its path.
pub type Texts = BTreeMap<String, String>;

/// One crate of ours: its name in code, and its folder.
#[derive(Clone, Debug)]
pub struct Crate {
    pub name: String,
    /// `src`, `crates/core/src`
    pub folder: String,
}

/// A file, as a module of its crate.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) source: Source,
    krate: usize,
    /// Its modules' names, from the crate's own down to it.
    at: Vec<String>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    crates: Vec<Crate>,
    pub(crate) files: BTreeMap<String, File>,
    modules: BTreeMap<(usize, Vec<String>), String>,
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// To a module, of which nothing more is said.
    Module(usize, Vec<String>),
    /// To something that this file has.
    Item(String),
    /// To something that this file should have, and is not seen in it: a macro makes it.
    Presumed(String),
}

impl Tree {
    /// Reads what belongs to these crates: what their roots name, and so on.
    ///
    /// # Errors
    /// When a file is not Rust, or not there.
    pub(crate) fn read(crates: &[Crate], texts: &Texts) -> Result<Self, String> {
        let mut tree = Self { crates: crates.to_vec(), ..Self::default() };
        for (krate, Crate { folder, .. }) in crates.iter().enumerate() {
            let roots = ["lib.rs", "main.rs"].map(|root| format!("{folder}/{root}"));
            for root in roots.into_iter().filter(|root| texts.contains_key(root)) {
                tree.add((krate, vec![]), root, texts)?;
            }
        }
        Ok(tree)
    }

    fn add(&mut self, (krate, at): (usize, Vec<String>), path: String, texts: &Texts) -> Result<(), String> {
        let text = texts.get(&path).ok_or_else(|| format!("{path} is not there"))?;
        let source = Source::parse(text).map_err(|error| format!("{path}: {error}"))?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let below = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => path.trim_end_matches(".rs").to_owned(),
        };
        let modules = source.modules.clone();
        self.modules.entry((krate, at.clone())).or_insert_with(|| path.clone());
        self.files.insert(path, File { source, krate, at: at.clone() });
        for module in modules {
            let ways = [format!("{below}/{module}.rs"), format!("{below}/{module}/mod.rs")];
            let there = ways.iter().find(|way| texts.contains_key(*way));
            let path = there.ok_or_else(|| format!("neither {} nor {} is there", ways[0], ways[1]))?;
            let at = at.iter().cloned().chain([module]).collect();
            self.add((krate, at), path.clone(), texts)?;
        }
        Ok(())
    }

    /// The files that this one uses.
    pub(crate) fn used_by(&self, path: &str) -> BTreeSet<String> {
        let file = &self.files[path];
        let mut used = BTreeSet::new();
        for import in &file.source.imports {
            // What is only given on is another's to use.
            if !import.is_public || file.source.words.contains(&import.name) {
                used.extend(self.import(file, import));
            }
        }
        used.extend(file.source.paths.iter().filter_map(|path| match self.place(file, path, 0)? {
            Place::Item(path) | Place::Presumed(path) => Some(path),
            Place::Module(..) => None,
        }));
        used.remove(path);
        used
    }

    /// Whether a file has the module in which the other lies.
    pub(crate) fn is_above(&self, upper: &str, lower: &str) -> bool {
        let (upper, lower) = (&self.files[upper], &self.files[lower]);
        upper.krate == lower.krate && upper.at.len() < lower.at.len() && lower.at.starts_with(&upper.at)
    }

    fn import(&self, file: &File, import: &Import) -> Option<String> {
        match self.place(file, &import.path, 0)? {
            Place::Item(path) | Place::Presumed(path) => Some(path),
            // A module is only a way to what is in it, unless it is all of that.
            Place::Module(krate, at) => (import.name == "*").then(|| self.modules[&(krate, at)].clone()),
        }
    }

    /// Where a path leads that is written in this file. None: out of the house, or nowhere that is known.
    fn place(&self, file: &File, path: &Path, depth: usize) -> Option<Place> {
        let mut at: Vec<String> = file.at.iter().chain(&path.within).cloned().collect();
        let mut names = &path.names[..];
        let mut krate = file.krate;
        let mut is_absolute = false;
        while let Some(name) = names.first() {
            match name.as_str() {
                "crate" => at.clear(),
                "super" => {
                    at.pop()?;
                }
                "self" => {}
                _ => break,
            }
            (names, is_absolute) = (&names[1..], true);
        }
        let first = names.first()?;
        if !is_absolute {
            let own = self.modules.contains_key(&(krate, [&at[..], std::slice::from_ref(first)].concat()));
            let imported = file.source.imports.iter().find(|import| import.name == *first && import.path != *path);
            if let Some(import) = imported.filter(|_| !own) {
                return self.through(file, import, &names[1..], depth);
            }
            if !own {
                krate = self.crates.iter().position(|it| it.name == *first)?;
                (at, names) = (vec![], &names[1..]);
            }
        }
        self.walk(krate, at, names, depth)
    }

    /// On from where an import leads.
    fn through(&self, file: &File, import: &Import, names: &[String], depth: usize) -> Option<Place> {
        // Two that import each other's names lead nowhere.
        if depth > 16 {
            return None;
        }
        match self.place(file, &import.path, depth + 1)? {
            Place::Module(krate, at) => self.walk(krate, at, names, depth + 1),
            item @ (Place::Item(_) | Place::Presumed(_)) => Some(item),
        }
    }

    /// Down the tree by names, as far as they are modules; then to the item.
    fn walk(&self, krate: usize, mut at: Vec<String>, names: &[String], depth: usize) -> Option<Place> {
        let mut names = names.iter();
        let item = loop {
            let Some(name) = names.next() else { return Some(Place::Module(krate, at)) };
            at.push(name.clone());
            if !self.modules.contains_key(&(krate, at.clone())) {
                break at.pop()?;
            }
        };
        // A module within a file is that file's.
        while !self.modules.contains_key(&(krate, at.clone())) {
            at.pop()?;
        }
        let path = &self.modules[&(krate, at)];
        let file = &self.files[path];
        if file.source.items.contains(&item) {
            return Some(Place::Item(path.clone()));
        }
        let rest: Vec<String> = names.cloned().collect();
        let given = file.source.imports.iter().find(|import| import.name == item);
        if let Some(found) = given.and_then(|import| self.through(file, import, &rest, depth)) {
            return Some(found);
        }
        let all = file.source.imports.iter().filter(|import| import.name == "*");
        let names: Vec<String> = [item].into_iter().chain(rest).collect();
        let is_seen = |place: &Place| !matches!(place, Place::Presumed(_));
        let seen = all.filter_map(|import| self.through(file, import, &names, depth)).find(is_seen);
        Some(seen.unwrap_or_else(|| Place::Presumed(path.clone())))
    }
}
