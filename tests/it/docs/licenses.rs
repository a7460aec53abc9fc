//! The licences that the binary prints and a server serves: those of every crate and package that it carries.

use std::collections::BTreeSet;
use std::process::Command;

use taskloom::licenses::NOTICES;

use super::page::source;
use crate::cli::taskloom;
use crate::harness::server::Server;

const REMEDY: &str = "run `make licenses`";

/// Names with versions.
type Carried = BTreeSet<(String, String)>;

/// What the notices name: `  name version  address` of crates, `## name - version (LICENCE)` of packages.
fn named() -> (Carried, Carried) {
    let (crates, packages) = NOTICES.split_once("Packages of the pages\n").expect(REMEDY);
    let pair = |(name, version): (&str, &str)| (name.to_owned(), version.to_owned());
    let of_crate = |line: &str| {
        let mut words = line.strip_prefix("  ")?.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        (!line.starts_with("   ") && version.starts_with(|first: char| first.is_ascii_digit()))
            .then(|| pair((name, version)))
    };
    let of_package = |line: &str| {
        let (name, rest) = line.strip_prefix("## ")?.split_once(" - ")?;
        Some(pair((name, rest.split(' ').next()?)))
    };
    (crates.lines().filter_map(of_crate).collect(), packages.lines().filter_map(of_package).collect())
}

/// What is compiled into the binary, as cargo resolves it; ours have no licence to name.
#[test]
fn every_crate_is_named() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(source("")).args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"]);
    cargo.args(["--package", "taskloom", "--target", "x86_64-unknown-linux-gnu", "--format", "{p}"]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let carried: Carried = tree
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .filter(|(name, _)| !name.starts_with("taskloom"))
        .map(|(name, rest)| (name.to_owned(), rest.split(' ').next().unwrap().to_owned()))
        .collect();
    let (crates, _) = named();
    assert!(carried.len() > 200, "{}", carried.len());
    assert_eq!(carried.difference(&crates).collect::<Vec<_>>(), [] as [&(String, String); 0], "{REMEDY}");

    let locked: toml::Table = toml::from_str(include_str!("../../../Cargo.lock")).unwrap();
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let packages = locked["package"].as_array().unwrap().iter();
    let locked: Carried = packages.map(|package| (text(&package["name"]), text(&package["version"]))).collect();
    assert_eq!(crates.difference(&locked).collect::<Vec<_>>(), [] as [&(String, String); 0], "{REMEDY}");
}

#[test]
fn every_package_of_the_pages_is_named() {
    let lock: serde_json::Value = serde_json::from_str(include_str!("../../../web/package-lock.json")).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    let version = |name: &str| packages.get(&format!("node_modules/{name}")).map(|package| package["version"].clone());
    let (_, named) = named();
    for name in packages[""]["dependencies"].as_object().unwrap().keys() {
        let own = version(name).unwrap();
        assert!(named.contains(&(name.clone(), own.as_str().unwrap().to_owned())), "{name} {own}: {REMEDY}");
    }
    for (name, version) in &named {
        let end = format!("node_modules/{name}");
        let is_locked = |(path, package): (&String, &serde_json::Value)| {
            path.ends_with(&end) && package["version"] == version.as_str()
        };
        assert!(packages.iter().any(is_locked), "{name} {version} is no longer there: {REMEDY}");
    }
}

/// Everywhere the same text, which says the most common licence in full once for each wording.
#[tokio::test(flavor = "multi_thread")]
async fn the_binary_prints_and_serves_them() {
    let printed = taskloom().arg("licenses").output().unwrap();
    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), NOTICES);

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let (status, served) = server.probe("/licenses.txt").await;
    assert_eq!((status, served.as_str()), (200, NOTICES));
    assert!(served.contains(include_str!("../../../LICENSE").trim()));
}
