//! Circles of the import graph. Those that there are stand here; a new one is a failure. `make house` prints them all.

use std::collections::BTreeSet;
use std::path::Path;

use taskloom_house::{House, module_of};

/// Modules that use each other.
const MODULES: [&[&str]; 1] = [&["auth", "log", "store"]];

/// Modules within which files use each other. No circle of files goes through several modules.
const WITHIN: [&str; 9] =
    ["background", "compat", "engine", "executor", "graphql", "resolver", "store", "task", "vsphere"];

#[test]
fn no_circle_of_modules_is_new() {
    let house = House::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let new: Vec<BTreeSet<String>> = house.modules.circles().into_iter().filter(|it| !is_known(it)).collect();
    assert!(new.is_empty(), "data goes down, never up: break these circles\n{new:#?}");
}

fn is_known(circle: &BTreeSet<String>) -> bool {
    MODULES.iter().any(|known| circle.iter().all(|module| known.contains(&module.as_str())))
}

#[test]
fn no_circle_of_files_leaves_its_module() {
    let house = House::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let new: Vec<BTreeSet<String>> = house.circles.into_iter().filter(|it| !is_within(it)).collect();
    assert!(new.is_empty(), "what uses each other cannot be read apart: break these circles\n{new:#?}");
}

fn is_within(circle: &BTreeSet<String>) -> bool {
    let modules: BTreeSet<String> = circle.iter().map(|path| module_of(path)).collect();
    modules.len() == 1 && modules.iter().all(|module| WITHIN.contains(&module.trim_start_matches("core::")))
}
