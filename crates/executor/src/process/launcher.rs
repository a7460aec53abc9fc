//! What this host offers for holding process trees: found once, at start, and used for every work.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::capabilities::{Capabilities, Enforcement, TreeChoice, TreeKind};
use super::cell::Cell;
use super::cgroup::{self, CgroupTree};
use super::cgroup_root::CgroupRoot;
use super::child::Child;
use super::exit;
use super::guardian::Guardian;
use super::server_run::ServerRun;
use super::spawn::{self, Command, SpawnError, Spawned, Wiring};
use super::subreaper::{self, Subreaper};
use super::subreaper_tree::SubreaperTree;
use super::sweep;
use super::tree::ProcessTree;
use crate::error::{ExecutorError, StartError};
use crate::work::Limits;

/// Starts processes, each work's in a tree of its own. One for each start of the server on a data folder.
#[derive(Debug)]
pub(crate) struct ProcessLauncher {
    run: ServerRun,
    root: Option<CgroupRoot>,
    /// Why there is no place for control groups.
    lacking: String,
    reaper: Arc<Subreaper>,
    guardian: Option<Guardian>,
    null: File,
    /// How many descriptors a work may have open.
    descriptors: Option<(u64, u64)>,
}

/// A main process to be started.
#[derive(Debug)]
pub(crate) struct ProcessStart<'a> {
    pub(crate) work: &'a str,
    pub(crate) command: Command,
    pub(crate) limits: Limits,
    /// The reading end of a pipe; none: there is nothing to read.
    pub(crate) stdin: Option<OwnedFd>,
    /// The writing ends of the pipes; ours are closed when it has been started, so that the readers see the end.
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

/// A main process under way, and how to reach all that it starts.
#[derive(Debug)]
pub(crate) struct StartedProcess {
    pub(crate) tree: ProcessTree,
    pub(crate) child: Child,
    /// Lines for the log.
    pub(crate) notes: Vec<String>,
}

impl ProcessLauncher {
    /// Looks what works here, best first, and tries it.
    pub(crate) fn detect(
        data_folder: &Path,
        choice: TreeChoice,
        descriptors: Option<(u64, u64)>,
    ) -> Result<Self, ExecutorError> {
        let lack = |what| move |source| ExecutorError::Host { what, source };
        let run = ServerRun::begin(data_folder);
        let null = File::open("/dev/null").map_err(lack("/dev/null"))?;
        let found = match choice {
            TreeChoice::Only(TreeKind::Subreaper) => Err("not wanted by the configuration".to_owned()),
            TreeChoice::Best | TreeChoice::Only(TreeKind::Cgroup) => {
                CgroupRoot::make(&run).and_then(|root| probe(&root, &null).map(|()| root))
            }
        };
        let (root, lacking) = match found {
            Ok(root) => (Some(root), String::new()),
            Err(why) if choice == TreeChoice::Only(TreeKind::Cgroup) => return Err(ExecutorError::NoGroups(why)),
            Err(why) => (None, why),
        };
        let reaper = Subreaper::begin(run.clone()).map_err(lack("prctl(PR_SET_CHILD_SUBREAPER)"))?;
        let guardian = match Guardian::post(&run, root.as_ref().map(CgroupRoot::path)) {
            Ok(guardian) => Some(guardian),
            Err(error) => {
                tracing::warn!(%error, "no guardian: if this server is killed, its processes end at its next start");
                None
            }
        };
        if let Some(guardian) = &guardian {
            subreaper::own(guardian.pid());
        }
        let reaper = Arc::new(reaper);
        Ok(Self { run, root, lacking, reaper, guardian, null, descriptors })
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        let each = |has: bool, other| if has { Enforcement::Whole } else { other };
        let root = self.root.as_ref();
        Capabilities {
            way: if root.is_some() { TreeKind::Cgroup } else { TreeKind::Subreaper },
            memory: each(root.is_some_and(|found| found.memory), Enforcement::EachProcess),
            cpu: each(root.is_some_and(|found| found.cpu), Enforcement::No),
            processes: each(root.is_some_and(|found| found.processes), Enforcement::No),
        }
    }

    /// The mark that every process of `work` carries in its environment.
    pub(crate) fn mark(&self, work: &str) -> String {
        self.run.mark(work)
    }

    /// Ends what earlier runs have left; how many processes. Blocks.
    pub(crate) fn sweep(&self) -> io::Result<usize> {
        sweep::sweep(&self.run, self.root.as_ref())
    }

    /// Starts the main process of a work, within a runtime. The notes say which limits are not held.
    pub(crate) fn start(&self, start: ProcessStart<'_>) -> Result<StartedProcess, StartError> {
        let ProcessStart { work, mut command, limits, stdin, stdout, stderr } = start;
        let notes = self.hold(&mut command, limits);
        command.descriptors = self.descriptors;
        let stdin = stdin.as_ref().map_or(self.null.as_fd(), OwnedFd::as_fd);
        let wiring = Wiring { stdin, stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let (spawned, tree) = match &self.root {
            Some(root) => {
                let path = root.path().join(work);
                let fail = |source: io::Error| match source.kind() {
                    io::ErrorKind::ResourceBusy => ExecutorError::Taken(work.to_owned()),
                    _ => ExecutorError::Group { path, source },
                };
                let group = root.group(work).and_then(|group| group.limit(limits).map(|()| group)).map_err(fail)?;
                (enter(&command, wiring, &group), ProcessTree::Cgroup(group))
            }
            None => {
                let entered = self.reaper.enter(work);
                command.tag = entered.ok_or_else(|| ExecutorError::Taken(work.to_owned()))?;
                let tree = SubreaperTree::new(self.reaper.clone(), work.to_owned());
                (spawn::spawn(&command, wiring, None), ProcessTree::Subreaper(tree))
            }
        };
        let spawned = spawned.map_err(|error| {
            tree.close();
            match error {
                SpawnError::Host(source) => ExecutorError::Spawn(source).into(),
                SpawnError::Program(error) => {
                    let program = command.program.to_string_lossy();
                    StartError::Program(format!("{program} could not be started: {error}"))
                }
            }
        })?;
        if let ProcessTree::Subreaper(tree) = &tree {
            tree.reaper().started(work, spawned.pid);
        }
        let child = Child::watch(spawned).map_err(ExecutorError::Spawn)?;
        Ok(StartedProcess { tree, child, notes })
    }

    /// Turns limits that no controller holds into the next best, and says what cannot be held.
    fn hold(&self, command: &mut Command, limits: Limits) -> Vec<String> {
        let can = self.capabilities();
        let mut notes = vec![];
        if can.memory == Enforcement::EachProcess && limits.memory_bytes.is_some() {
            command.address_space = limits.memory_bytes;
            notes.push("the memory limit holds for each process alone on this host, not for all together".to_owned());
        }
        let mut missing = |name: &str| notes.push(format!("the {name} limit cannot be enforced on this host"));
        if can.cpu == Enforcement::No && limits.cpu.is_some() {
            missing("cpu");
        }
        if can.processes == Enforcement::No && limits.processes.is_some() {
            missing("processes");
        }
        notes
    }
}

/// Reaps adopted processes and ends what was missed, for as long as somebody uses the launcher.
///
/// Called once for each launcher, and anew if it panicked: it keeps nothing that a second call would miss. Woken every
/// second. While it does not run, zombies of orphans stay, and in the way of the sub-reaper a process that its work's
/// end missed lives on until the next sweep.
pub(crate) async fn reap_orphans(launcher: Weak<ProcessLauncher>) {
    let mut waiting = HashMap::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Some(launcher) = launcher.upgrade() else { return };
        if !launcher.reaper.has_adopted() {
            continue;
        }
        let Ok(table) = launcher.reaper.look(Duration::ZERO).await else { continue };
        if launcher.root.is_none() {
            launcher.reaper.kill_strays(&table);
        }
        waiting = launcher.reaper.reap_adopted(&table, &waiting);
    }
}

/// Starts a process in a group of its own and sees it end, or says why that does not work.
fn probe(root: &CgroupRoot, null: &File) -> Result<(), String> {
    let group = root.group("probe").map_err(|error| format!("no group can be made: {error}"))?;
    let command = Command {
        program: c"/bin/sh".to_owned(),
        arguments: vec![c"/bin/sh".to_owned(), c"-c".to_owned(), c":".to_owned()],
        environment: vec![],
        folder: c"/".to_owned(),
        address_space: None,
        file_size: None,
        descriptors: None,
        tag: None,
        cell: Cell::default(),
    };
    let wiring = Wiring { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
    let tried = enter(&command, wiring, &group).and_then(|spawned| {
        exit::reap(&spawned.handle).map_err(SpawnError::Host)?;
        Ok(())
    });
    let _ = cgroup::remove(group.path());
    match tried {
        Ok(()) | Err(SpawnError::Program(_)) => Ok(()),
        Err(SpawnError::Host(error)) => Err(format!("no process can be put into a group: {error}")),
    }
}

fn enter(command: &Command, wiring: Wiring<'_>, group: &CgroupTree) -> Result<Spawned, SpawnError> {
    let procs = File::options().write(true).open(group.path().join("cgroup.procs")).map_err(SpawnError::Host)?;
    spawn::spawn(command, wiring, Some(procs.as_fd()))
}

impl fmt::Display for ProcessLauncher {
    /// One sentence for the log at start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Some(root) => write!(f, "process trees are held by control groups in {}", root.path().display()),
            None => write!(f, "process trees are held by the sub-reaper (control groups: {})", self.lacking),
        }?;
        let guardian = if self.guardian.is_some() { "a guardian ends them if this server dies" } else { "no guardian" };
        write!(f, "; {}; {guardian}", self.capabilities())
    }
}
