//! What this host offers for holding process trees: found once, at start, and used for every work.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::capabilities::{Capabilities, Enforcement, Way, WayChoice};
use super::cell::Cell;
use super::child::{self, Child};
use super::subreaper_tree::Clan;
use super::cgroup::Group;
use super::guardian::Guard;
use super::cgroup_root::Hierarchy;
use super::server_run::Life;
use super::subreaper::{self, Reaper};
use super::spawn::{self, Command, Entry, SpawnError, Spawned, Wiring};
use super::sweep;
use super::tree::Tree;
use crate::executor::error::{ExecutorError, StartError};
use crate::executor::work::Limits;
use crate::supervise;

/// The host's means.
#[derive(Debug)]
pub(in crate::executor) struct Trees {
    life: Life,
    hierarchy: Option<Hierarchy>,
    /// Why there is no hierarchy.
    lacking: String,
    born: bool,
    reaper: Arc<Reaper>,
    guard: Option<Guard>,
    null: File,
    tended: AtomicBool,
}

/// What is started.
#[derive(Debug)]
pub(in crate::executor) struct Start<'a> {
    pub(in crate::executor) work: &'a str,
    pub(in crate::executor) command: Command,
    pub(in crate::executor) limits: Limits,
    /// The reading end of a pipe; none: there is nothing to read.
    pub(in crate::executor) stdin: Option<OwnedFd>,
    /// The writing ends of the pipes; ours are closed when it has been started, so that the readers see the end.
    pub(in crate::executor) stdout: OwnedFd,
    pub(in crate::executor) stderr: OwnedFd,
}

/// What was started.
#[derive(Debug)]
pub(in crate::executor) struct Started {
    pub(in crate::executor) tree: Tree,
    pub(in crate::executor) child: Child,
    /// Lines for the log.
    pub(in crate::executor) notes: Vec<String>,
}

impl Trees {
    /// Looks what works here, best first, and tries it.
    pub(in crate::executor) fn detect(data_folder: &Path, choice: WayChoice) -> Result<Self, ExecutorError> {
        let lack = |what| move |source| ExecutorError::Host { what, source };
        let life = Life::begin(data_folder);
        let null = File::open("/dev/null").map_err(lack("/dev/null"))?;
        let found = match choice {
            WayChoice::Only(Way::Reaper) => Err("not wanted by the configuration".to_owned()),
            WayChoice::Best | WayChoice::Only(Way::Group) => {
                Hierarchy::make(&life).and_then(|hierarchy| probe(&hierarchy, &null).map(|born| (hierarchy, born)))
            }
        };
        let (hierarchy, born, lacking) = match found {
            Ok((hierarchy, born)) => (Some(hierarchy), born, String::new()),
            Err(why) if choice == WayChoice::Only(Way::Group) => return Err(ExecutorError::NoGroups(why)),
            Err(why) => (None, false, why),
        };
        let reaper = Reaper::begin(life.clone()).map_err(lack("prctl(PR_SET_CHILD_SUBREAPER)"))?;
        let guard = match Guard::post(&life, hierarchy.as_ref().map(Hierarchy::path)) {
            Ok(guard) => Some(guard),
            Err(error) => {
                tracing::warn!(%error, "no guardian: if this server is killed, its processes end at its next start");
                None
            }
        };
        if let Some(guard) = &guard {
            subreaper::own(guard.pid());
        }
        let reaper = Arc::new(reaper);
        Ok(Self { life, hierarchy, lacking, born, reaper, guard, null, tended: AtomicBool::new(false) })
    }

    pub(in crate::executor) fn capabilities(&self) -> Capabilities {
        let each = |has: bool, other| if has { Enforcement::Whole } else { other };
        let hierarchy = self.hierarchy.as_ref();
        Capabilities {
            way: if hierarchy.is_some() { Way::Group } else { Way::Reaper },
            memory: each(hierarchy.is_some_and(|found| found.memory), Enforcement::EachProcess),
            cpu: each(hierarchy.is_some_and(|found| found.cpu), Enforcement::No),
            processes: each(hierarchy.is_some_and(|found| found.processes), Enforcement::No),
        }
    }

    /// The mark that every process of `work` carries in its environment.
    pub(in crate::executor) fn mark(&self, work: &str) -> String {
        self.life.mark(work)
    }

    /// Ends what earlier lives have left; how many processes. Blocks.
    pub(in crate::executor) fn sweep(&self) -> io::Result<usize> {
        sweep::sweep(&self.life, self.hierarchy.as_ref())
    }

    /// Starts the main process of a work, within a runtime. The notes say which limits are not held.
    pub(in crate::executor) fn start(&self, start: Start<'_>) -> Result<Started, StartError> {
        let Start { work, mut command, limits, stdin, stdout, stderr } = start;
        let notes = self.hold(&mut command, limits);
        let stdin = stdin.as_ref().map_or(self.null.as_fd(), OwnedFd::as_fd);
        let wiring = Wiring { stdin, stdout: stdout.as_fd(), stderr: stderr.as_fd() };
        let (spawned, tree) = match &self.hierarchy {
            Some(hierarchy) => {
                let path = hierarchy.path().join(work);
                let fail = |source: io::Error| match source.kind() {
                    io::ErrorKind::ResourceBusy => ExecutorError::Taken(work.to_owned()),
                    _ => ExecutorError::Group { path, source },
                };
                let group =
                    hierarchy.group(work).and_then(|group| group.limit(limits).map(|()| group)).map_err(fail)?;
                (enter(&command, wiring, &group, self.born), Tree::Group(group))
            }
            None => {
                let entered = self.reaper.enter(work);
                command.brand = entered.ok_or_else(|| ExecutorError::Taken(work.to_owned()))?;
                let clan = Clan::new(self.reaper.clone(), work.to_owned());
                (spawn::spawn(&command, wiring, Entry::Nowhere), Tree::Clan(clan))
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
        if let Tree::Clan(clan) = &tree {
            clan.reaper().started(work, spawned.pid);
        }
        let child = Child::watch(spawned).map_err(ExecutorError::Spawn)?;
        Ok(Started { tree, child, notes })
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

    /// Starts, once, the task that reaps adopted processes and ends what was missed.
    pub(in crate::executor) fn tend(self: &Arc<Self>) {
        if !self.tended.swap(true, Ordering::Relaxed) {
            let trees = Arc::downgrade(self);
            tokio::spawn(supervise::again("reaper", CancellationToken::new(), move || tend(trees.clone())));
        }
    }
}

/// Ends with the last user of the means.
async fn tend(trees: Weak<Trees>) {
    let mut waiting = std::collections::HashMap::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Some(trees) = trees.upgrade() else { return };
        if !trees.reaper.has_adopted() {
            continue;
        }
        let Ok(table) = trees.reaper.look(Duration::ZERO).await else { continue };
        if trees.hierarchy.is_none() {
            trees.reaper.kill_strays(&table);
        }
        waiting = trees.reaper.bury(&table, &waiting);
    }
}

/// Starts a process in a group of its own and sees it end: whether it can be born there, or an error when neither works.
fn probe(hierarchy: &Hierarchy, null: &File) -> Result<bool, String> {
    let try_it = |born: bool| -> Result<(), String> {
        let group = hierarchy.group("probe").map_err(|error| format!("no group can be made: {error}"))?;
        let command = Command {
            program: c"/bin/sh".to_owned(),
            arguments: vec![c"/bin/sh".to_owned(), c"-c".to_owned(), c":".to_owned()],
            environment: vec![],
            folder: c"/".to_owned(),
            address_space: None,
            file_size: None,
            brand: None,
            cell: Cell::default(),
        };
        let wiring = Wiring { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
        let tried = enter(&command, wiring, &group, born).and_then(|spawned| {
            child::reap(&spawned.handle).map_err(SpawnError::Host)?;
            Ok(())
        });
        let _ = super::cgroup::remove(group.path());
        match tried {
            Ok(()) | Err(SpawnError::Program(_)) => Ok(()),
            Err(SpawnError::Host(error)) => Err(format!("no process can be put into a group: {error}")),
        }
    };
    try_it(true).map(|()| true).or_else(|_| try_it(false).map(|()| false))
}

fn enter(command: &Command, wiring: Wiring<'_>, group: &Group, born: bool) -> Result<Spawned, SpawnError> {
    let open =
        |path: &Path, write: bool| File::options().read(!write).write(write).open(path).map_err(SpawnError::Host);
    if born {
        spawn::spawn(command, wiring, Entry::Born(open(group.path(), false)?.as_fd()))
    } else {
        spawn::spawn(command, wiring, Entry::Moves(open(&group.path().join("cgroup.procs"), true)?.as_fd()))
    }
}

impl fmt::Display for Trees {
    /// One sentence for the log at start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hierarchy {
            Some(hierarchy) => write!(f, "process trees are held by control groups in {}", hierarchy.path().display()),
            None => write!(f, "process trees are held by the sub-reaper (control groups: {})", self.lacking),
        }?;
        let guard = if self.guard.is_some() { "a guardian ends them if this server dies" } else { "no guardian" };
        write!(f, "; {}; {guard}", self.capabilities())
    }
}
