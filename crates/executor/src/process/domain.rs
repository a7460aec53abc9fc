//! Landlock's rules: what a process and its descendants may reach of the file system, and that they look into no process
//! outside of their own domain. `landlock(7)`.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};

use super::cell::TEMPORARY;

/// What these rules are written for. An older kernel holds less, a newer one no more.
const KNOWN: ABI = ABI::V5;

/// Whether a domain can be made that restricts nothing of the file system.
pub(super) fn can_be_alone() -> bool {
    alone().is_ok()
}

/// A domain that only keeps its processes from looking into others, and from their abstract sockets: a domain must
/// restrict something.
pub(super) fn alone() -> io::Result<OwnedFd> {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).scope(Scope::AbstractUnixSocket);
    open(rules.and_then(Ruleset::create).map_err(io::Error::other)?)
}

/// Everything but what is `hidden`, and of that `own`. In the folders above what is hidden nothing new can be made.
pub(super) fn all_but(hidden: &[&Path], own: &Path) -> io::Result<OwnedFd> {
    let mut rules = begin()?;
    // Names are no secret, and `ls /` goes on working.
    rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    let mut open_folders = vec![PathBuf::from("/")];
    while let Some(folder) = open_folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().map_or(true, |kind| kind.is_symlink()) || hidden.contains(&&*path) {
                continue;
            }
            if hidden.iter().any(|hidden| hidden.starts_with(&path)) {
                open_folders.push(path);
            } else {
                rules = allow(rules, &path, AccessFs::from_all(KNOWN))?;
            }
        }
    }
    open(allow(rules, own, AccessFs::from_all(KNOWN))?)
}

/// These paths, to be written where that is said, the process's own folder, and what is mounted on `/tmp`: a rule for what
/// is above a mount does not count below it.
pub(super) fn nothing_but(paths: &[(PathBuf, bool)], own: &Path) -> io::Result<OwnedFd> {
    let mut rules = begin()?;
    for (path, writes) in paths {
        rules = allow(rules, path, if *writes { AccessFs::from_all(KNOWN) } else { AccessFs::from_read(KNOWN) })?;
    }
    for path in [own, &own.join(TEMPORARY)] {
        rules = allow(rules, path, AccessFs::from_all(KNOWN))?;
    }
    open(rules)
}

fn begin() -> io::Result<RulesetCreated> {
    let required = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let files = required.handle_access(AccessFs::from_all(ABI::V1)).map_err(io::Error::other)?;
    let files = files.set_compatibility(CompatLevel::BestEffort).handle_access(AccessFs::from_all(KNOWN));
    files.and_then(Ruleset::create).map_err(io::Error::other)
}

/// What is not there, or not for us, needs no rule.
fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    let Ok(found) = PathFd::new(path) else { return Ok(rules) };
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
    rules.add_rule(PathBeneath::new(found, access)).map_err(io::Error::other)
}

fn open(rules: RulesetCreated) -> io::Result<OwnedFd> {
    Option::<OwnedFd>::from(rules).ok_or_else(|| io::ErrorKind::Unsupported.into())
}
