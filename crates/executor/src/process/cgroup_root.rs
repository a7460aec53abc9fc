//! The place below this server's own control group where the groups of its works are made:
//! `<own group>/taskloom/<instance>/<run>/<work>`.
//!
//! A group that holds processes cannot hand controllers down (the "no internal process constraint"). Where the
//! server is alone in a group that was delegated to it, it steps aside into `taskloom-server`; where others live in
//! the group too it leaves them in peace and does without the controllers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cgroup::{self, CgroupTree};
use super::cgroup_mount;
use super::server_run::ServerRun;

const OURS: &str = "taskloom";
const SERVER: &str = "taskloom-server";

/// Where groups of works are made, and what they can limit.
#[derive(Debug)]
pub(super) struct CgroupRoot {
    instance: PathBuf,
    run: PathBuf,
    pub(super) memory: bool,
    pub(super) cpu: bool,
    pub(super) processes: bool,
}

impl CgroupRoot {
    /// Finds the place and makes the folder of this run.
    ///
    /// # Errors
    /// With a sentence for the log, when this host does not let us.
    pub(super) fn make(run: &ServerRun) -> Result<Self, String> {
        let own = cgroup_mount::own_group()?;
        let base = match own.parent() {
            Some(parent) if own.ends_with(SERVER) => parent.to_owned(),
            _ => own,
        };
        hand_down(&base);
        let ours = base.join(OURS);
        let instance = ours.join(run.instance());
        let folder = instance.join(run.name());
        make_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for path in [&ours, &instance, &folder] {
            enable(path, &available(path));
        }
        if !folder.join("cgroup.freeze").exists() {
            return Err(format!("{} has no cgroup.freeze: Linux 5.2 or later is needed", folder.display()));
        }
        let handed = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        let has = |name: &str| handed.split_ascii_whitespace().any(|controller| controller == name);
        Ok(Self { memory: has("memory"), cpu: has("cpu"), processes: has("pids"), instance, run: folder })
    }

    /// The folder of this run.
    pub(super) fn path(&self) -> &Path {
        &self.run
    }

    /// Makes the group of a work.
    pub(super) fn group(&self, work: &str) -> io::Result<CgroupTree> {
        CgroupTree::make(self.run.join(work))
    }

    /// The groups of earlier runs of this instance.
    pub(super) fn earlier(&self) -> io::Result<Vec<CgroupTree>> {
        let runs = cgroup::children(&self.instance)?;
        Ok(runs.into_iter().filter(|run| *run != self.run).map(CgroupTree::at).collect())
    }
}

/// The guardian of an earlier run may just be removing the folder of the instance: then once more.
fn make_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder).or_else(|_| fs::create_dir_all(folder))
}

/// Lets the groups below `base` have the controllers they need, where that disturbs nobody.
fn hand_down(base: &Path) {
    let wanted = available(base);
    if enable(base, &wanted) || wanted.is_empty() {
        return;
    }
    let me = std::process::id().to_string();
    let alone = fs::read_to_string(base.join("cgroup.procs")).is_ok_and(|processes| processes.trim() == me);
    let aside = base.join(SERVER);
    if alone && (aside.exists() || fs::create_dir(&aside).is_ok()) && move_to(&aside, &me) {
        enable(base, &wanted);
    }
}

fn move_to(group: &Path, pid: &str) -> bool {
    cgroup::write(&group.join("cgroup.procs"), pid).is_ok()
}

/// Which of the controllers that we use can be handed down from here.
fn available(path: &Path) -> Vec<String> {
    let all = fs::read_to_string(path.join("cgroup.controllers")).unwrap_or_default();
    let used = all.split_ascii_whitespace().filter(|name| matches!(*name, "memory" | "cpu" | "pids"));
    used.map(|name| format!("+{name}")).collect()
}

/// Hands controllers down one by one, so that one that cannot be does not keep back the others.
fn enable(path: &Path, controllers: &[String]) -> bool {
    let file = path.join("cgroup.subtree_control");
    controllers.iter().filter(|name| cgroup::write(&file, name).is_err()).count() == 0
}
