//! The house, held against its plan: who may see whom, how long a file may be, that each file says what it owns, and
//! that the documents name paths which exist. The table is `docs/ARCHITECTURE.md`'s; a change of it is a decision.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use taskloom_house::{House, module_of};

/// What asks: people, programs, time. Nothing below may know them.
const DOORS: &[&str] = &["gql", "graphql", "compat", "background", "demo", "cli", "server", "http"];

/// What uses another's protocols, and knows no table of ours.
const ABOVE_ADAPTERS: &[&str] = &["store", "engine", "feed", "resolver", "auth", "sea_orm"];

/// A folder, and what its files must never see: our own modules and foreign crates by their names.
struct Room {
    path: &'static str,
    never: &'static [&'static [&'static str]],
}

const ROOMS: &[Room] = &[
    Room { path: "entity/src", never: &[&["async_graphql", "axum", "tokio", "taskloom"]] },
    // An old migration must keep its meaning.
    Room { path: "migration/src", never: &[&["taskloom_entity", "taskloom", "async_graphql", "axum"]] },
    // What a task is, is decided in one room; words, rows and lines are beneath it.
    Room { path: "crates/core/src/document", never: &[&["task", "rows", "log", "principal"]] },
    Room { path: "crates/core/src/error", never: &[&["task", "document", "rows", "log", "principal"]] },
    Room { path: "crates/core/src/log", never: &[&["task", "document", "rows", "principal"]] },
    Room { path: "crates/core/src/schedule", never: &[&["task", "document", "rows", "log", "principal"]] },
    Room { path: "crates/core/src/rows", never: &[&["task", "document", "log", "principal"]] },
    // It is given programs with their values filled in, and the time.
    Room { path: "crates/executor/src", never: &[&["task", "document", "principal"]] },
    // Of what every process has it reads the clock; who supervises it stands above.
    Room { path: "crates/worker/src", never: &[&["principal", "lifecycle", "supervise", "descriptors"]] },
    Room { path: "src/store", never: &[DOORS, &["resolver", "engine", "executor", "feed", "auth", "worker"]] },
    Room { path: "src/engine", never: &[DOORS, &["resolver", "async_graphql", "axum"]] },
    Room { path: "src/feed", never: &[DOORS, &["resolver", "engine", "executor", "auth", "async_graphql", "axum"]] },
    Room { path: "src/auth", never: &[DOORS, &["resolver", "engine", "executor", "feed", "log"]] },
    Room { path: "src/resolver", never: &[DOORS, &["async_graphql", "axum"]] },
    // A layer for any schema: it knows no field and no resource, and what it is told it is told by ports of its own.
    Room {
        path: "src/gql",
        never: &[
            ABOVE_ADAPTERS,
            &["graphql", "compat", "background", "demo", "cli", "server", "executor", "worker", "task", "telemetry"],
            &["taskloom_entity", "vsphere", "vault"],
        ],
    },
    Room { path: "src/graphql", never: &[&["store", "engine", "sea_orm", "compat", "background", "cli", "server"]] },
    Room {
        path: "src/compat",
        never: &[&["store", "engine", "sea_orm", "gql", "graphql", "background", "cli", "server"]],
    },
    Room {
        path: "src/background",
        never: &[&["store", "engine", "sea_orm", "gql", "graphql", "compat", "cli", "server"]],
    },
    Room { path: "src/demo", never: &[&["store", "engine", "sea_orm", "gql", "graphql", "compat", "cli", "server"]] },
    Room { path: "src/config", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log"]] },
    Room { path: "src/telemetry", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log"]] },
    Room { path: "src/memory.rs", never: &[PURE, DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/private.rs", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/licenses", never: &[PURE, DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/lease.rs", never: &[PURE, DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/asker.rs", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/slow_lane.rs", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config"]] },
    Room { path: "src/secrecy.rs", never: &[DOORS, ABOVE_ADAPTERS, &["task", "executor", "log", "config", "tokio"]] },
    Room { path: "src/room.rs", never: &[DOORS, ABOVE_ADAPTERS, &["task", "log"]] },
    Room { path: "src/readiness.rs", never: &[DOORS, &["resolver", "engine", "auth", "executor"]] },
    // The command line is a client: what it does to a server it does through the graph.
    Room { path: "src/cli", never: &[&["sea_orm", "engine", "executor", "gql", "graphql", "compat", "background"]] },
];

/// No clock, no input, no output, no database.
const PURE: &[&str] = &["tokio", "sea_orm", "axum", "async_graphql", "reqwest", "SystemTime", "Instant", "getrandom"];

/// A crate of ours, and which of the others it may name: the compiler holds it to that, and `.ci/walls` to what they
/// bring along.
const CRATES: &[(&str, &[&str])] = &[
    ("crates/core", &[]),
    // Data sources are databases: it has SQLx, but no table of ours.
    ("crates/executor", &["taskloom-core", "taskloom-vault", "taskloom-vsphere"]),
    ("crates/runtime", &["taskloom-core"]),
    ("crates/vault", &[]),
    ("crates/vsphere", &["taskloom-core"]),
    // A worker on another host links without a database, and without the server.
    (
        "crates/worker",
        &["taskloom-core", "taskloom-executor", "taskloom-runtime", "taskloom-vault", "taskloom-vsphere"],
    ),
    ("entity", &["taskloom-core"]),
    // An old migration must keep its meaning.
    ("migration", &[]),
];

fn house() -> House {
    House::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_crate_names_only_what_is_below_it() {
    let folders = fs::read_dir("crates").unwrap().map(|entry| entry.unwrap().path());
    let missing: Vec<PathBuf> =
        folders.filter(|path| CRATES.iter().all(|(known, _)| Path::new(known) != path)).collect();
    assert!(missing.is_empty(), "these are in no line of the table: {missing:?}");
    for (folder, below) in CRATES {
        let text = fs::read_to_string(Path::new(folder).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&text).unwrap();
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"].map(|table| manifest.get(table));
        let names = tables.into_iter().flatten().flat_map(|table| table.as_table().unwrap().keys());
        let ours: Vec<&str> = names.map(String::as_str).filter(|name| name.starts_with("taskloom")).collect();
        assert_eq!(ours, *below, "{folder}");
        assert_eq!(text.contains("\"database\""), *folder == "entity", "{folder}: tables alone turn columns on");
    }
}

#[test]
fn every_room_sees_only_what_is_below_it() {
    let house = house();
    let mut wrong = vec![];
    for Room { path, never } in ROOMS {
        for file in house.files.0.keys().filter(|file| Path::new(file).starts_with(path)) {
            let seen = house.names(file).into_iter().filter(|name| never.concat().contains(&name.as_str()));
            wrong.extend(seen.map(|name| format!("{file} sees {name}")));
        }
    }
    assert!(wrong.is_empty(), "data goes down, never up:\n{}", wrong.join("\n"));
}

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
    let new: Vec<BTreeSet<String>> = house().circles.into_iter().filter(|it| !is_within(it)).collect();
    assert!(new.is_empty(), "what uses each other cannot be read apart: break these circles\n{new:#?}");
}

fn is_within(circle: &BTreeSet<String>) -> bool {
    let modules: BTreeSet<String> = circle.iter().map(|path| module_of(path)).collect();
    modules.len() == 1 && modules.iter().all(|module| WITHIN.contains(&module.trim_start_matches("core::")))
}

/// In `compat/`, a dialect knows no other dialect.
#[test]
fn no_dialect_sees_another() {
    let (house, mut wrong) = (house(), vec![]);
    let dialect = |file: &str| Some(file.strip_prefix("src/compat/")?.split_once('/')?.0.to_owned());
    let dialects: BTreeSet<String> = house.files.0.keys().filter_map(|file| dialect(file)).collect();
    for file in house.files.0.keys() {
        let Some(own) = dialect(file) else { continue };
        let others = house.paths(file).flat_map(|names| names.windows(2)).filter(|pair| pair[0] == "compat");
        let others = others.map(|pair| &pair[1]).filter(|other| **other != own && dialects.contains(*other));
        wrong.extend(others.map(|other| format!("{file} sees {other}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A COMMIT whose answer is lost has one name, so there is one place that commits.
#[test]
fn only_the_store_commits() {
    let code = |file: &PathBuf| code_of(&fs::read_to_string(file).unwrap());
    let files = rust_files(&["src", "crates"]);
    let commits: Vec<&PathBuf> = files.iter().filter(|file| code(file).contains(".commit()")).collect();
    assert_eq!(commits, [Path::new("src/store/mod.rs")], "`store::commit` is the way to");
}

/// A function of the store knows no caller: a door that had it could read what is another tenant's.
#[test]
fn no_resolver_hands_on_a_function_of_the_store() {
    let house = house();
    let resolvers = house.files.0.keys().filter(|file| file.starts_with("src/resolver/"));
    let mut all: Vec<(String, &String)> =
        resolvers.flat_map(|file| house.handed_on(file, "store").into_iter().map(move |name| (name, file))).collect();
    assert!(all.iter().any(|(name, _)| name == "Document"), "types are handed on: {all:?}");
    all.retain(|(name, _)| !name.starts_with(|first: char| first.is_ascii_uppercase()));
    assert!(all.is_empty(), "put functions that take the request in the place of these: {all:?}");
}

/// A stack trace says a type's name. Tables and migrations are named by their modules.
#[test]
fn types_have_names_of_their_own() {
    let same = house().namesakes();
    let of_modules = ["entity/", "migration/"];
    let same: Vec<_> = same.iter().filter(|(_, files)| !of_modules.iter().any(|it| files[0].starts_with(it))).collect();
    assert!(same.is_empty(), "each of these is several types: {same:#?}");
}

#[test]
fn the_table_names_every_module() {
    let known: BTreeSet<&str> = ROOMS.iter().filter_map(|room| room.path.strip_prefix("src/")).collect();
    let composition = ["lib.rs", "main.rs", "server.rs", "server", "http.rs", "http"];
    let missing: Vec<String> = fs::read_dir("src")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !composition.contains(&name.as_str()))
        .filter(|name| !known.contains(name.as_str()) && !known.contains(name.trim_end_matches(".rs")))
        .collect();
    assert!(missing.is_empty(), "these are in no room of the table: {missing:?}");
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let long: Vec<String> = rust_files(SOURCES)
        .into_iter()
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > 500)
        .map(|(lines, file)| format!("{} has {lines}", file.display()))
        .collect();
    assert!(long.is_empty(), "split these along a concept:\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<String> = rust_files(SOURCES)
        .into_iter()
        .filter(|file| {
            let text = fs::read_to_string(file).unwrap();
            let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
            header.is_empty() || header.len() > 15 || header[0].trim_start_matches("//!").trim().is_empty()
        })
        .map(|file| file.display().to_string())
        .collect();
    assert!(silent.is_empty(), "a header of 1 to 15 lines is missing from:\n{}", silent.join("\n"));
}

/// Time that passes proves nothing, and what is waited for comes later on a slow machine: see `harness::wait`.
#[test]
fn no_test_waits_for_time_to_pass() {
    // Between two looks; and a server of a story that is slow.
    let may = ["tests/it/harness/wait.rs", "tests/it/vsphere/client/hostile.rs"];
    let asleep =
        rust_files(&["tests"]).into_iter().filter(|file| !may.iter().any(|may| file.ends_with(may))).flat_map(|file| {
            let lines = code_of(&fs::read_to_string(&file).unwrap());
            let calls = |line: &&str| {
                ["time::sleep(", "time::sleep_until(", "thread::sleep("].iter().any(|call| line.contains(call))
            };
            lines.lines().filter(calls).map(|line| format!("{}: {}", file.display(), line.trim())).collect::<Vec<_>>()
        });
    let asleep: Vec<String> = asleep.filter(|line| !line.starts_with("tests/it/house.rs")).collect();
    assert!(asleep.is_empty(), "wait for what comes true:\n{}", asleep.join("\n"));
}

#[test]
fn every_path_in_the_documents_exists() {
    let mut documents = files(Path::new("docs"), "md");
    documents
        .extend(["README.md", "README.zh.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(PathBuf::from));
    let mut lost = vec![];
    for document in documents.iter().filter(|path| path.exists()) {
        let text = fs::read_to_string(document).unwrap();
        for path in paths_quoted(&text).filter(|path| !Path::new(path).exists()) {
            lost.push(format!("{}: `{path}`", document.display()));
        }
    }
    assert!(lost.is_empty(), "the documents name paths that do not exist:\n{}", lost.join("\n"));
}

const SOURCES: &[&str] = &["src", "crates", "entity", "migration", "tests", "benches", "build.rs"];

pub(crate) fn rust_files(roots: &[&str]) -> Vec<PathBuf> {
    roots.iter().flat_map(|root| files(Path::new(root), "rs")).collect()
}

/// Files with this extension at or below `root`; none when it does not exist (yet).
fn files(root: &Path, extension: &str) -> Vec<PathBuf> {
    if root.is_file() {
        return vec![root.to_owned()];
    }
    let entries = fs::read_dir(root).into_iter().flatten().map(|entry| entry.unwrap().path());
    let (folders, files_here): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let mut found: Vec<_> = files_here.into_iter().filter(|f| f.extension().is_some_and(|e| e == extension)).collect();
    found.extend(folders.iter().filter(|f| !f.ends_with("node_modules")).flat_map(|f| files(f, extension)));
    found.sort();
    found
}

/// The text without line comments, so that a document's mention of a module is not a use of it.
pub(crate) fn code_of(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// What stands in back-quotes and looks like a path of this project; patterns and placeholders do not.
fn paths_quoted(text: &str) -> impl Iterator<Item = &str> {
    const ROOTS: [&str; 10] =
        ["src/", "crates/", "entity/", "migration/", "tests/", "docs/", "benches/", "web/", ".ci/", ".config/"];
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted
        .filter(|text| ROOTS.iter().any(|root| text.starts_with(root)))
        .filter(|text| !text.contains(['<', '*', '{', '…', ' ']))
        .map(|text| text.split("::").next().unwrap_or(text).split(':').next().unwrap_or(text))
}

#[test]
fn placeholders_are_no_paths() {
    let text = "`src/task/mod.rs`, `src/compat/<dialect>/mod.rs`, `cargo run`, `docs/a.md:3`";
    assert_eq!(paths_quoted(text).collect::<Vec<_>>(), ["src/task/mod.rs", "docs/a.md"]);
}
