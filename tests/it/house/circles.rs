//! Circles of the import graph. Those that there are stand here; a new one is a failure. `make house` prints them all.

use std::collections::BTreeSet;

use taskloom_house::module_of;

use super::house;

/// Modules within which files use each other. No circle of files goes through several modules.
const WITHIN: [&str; 9] =
    ["background", "compat", "engine", "executor", "graphql", "resolver", "store", "task", "vsphere"];

#[test]
fn no_modules_use_each_other() {
    let circles = house().modules.circles();
    assert!(circles.is_empty(), "data goes down, never up: break these circles\n{circles:#?}");
}

#[test]
fn no_circle_of_files_leaves_its_module() {
    let house = house();
    let new: Vec<BTreeSet<String>> = house.circles.into_iter().filter(|it| !is_within(it)).collect();
    assert!(new.is_empty(), "what uses each other cannot be read apart: break these circles\n{new:#?}");
}

fn is_within(circle: &BTreeSet<String>) -> bool {
    let modules: BTreeSet<String> = circle.iter().map(|path| module_of(path)).collect();
    modules.len() == 1 && modules.iter().all(|module| WITHIN.contains(&module.trim_start_matches("core::")))
}
