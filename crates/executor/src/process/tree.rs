//! One work's process tree, in whichever way this host holds it.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::cgroup::{self, CgroupTree};
use super::meter::{UsageMeter, UsageSample};
use super::process_table::{self, ProcessStat};
use super::subreaper_tree::SubreaperTree;

/// How long a freeze is waited for.
const FREEZE: Duration = Duration::from_millis(500);

/// All processes of one work.
#[derive(Debug)]
pub(crate) enum ProcessTree {
    Cgroup(CgroupTree),
    Subreaper(SubreaperTree),
}

impl ProcessTree {
    /// Stops every process where it stands.
    pub(crate) async fn freeze(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(group) => {
                group.freeze()?;
                // The kernel stops each process where it next can; one in a long system call is not waited for.
                let deadline = Instant::now() + FREEZE;
                while !group.is_frozen() && Instant::now() < deadline {
                    sleep(Duration::from_millis(2)).await;
                }
                Ok(())
            }
            Self::Subreaper(tree) => tree.freeze().await,
        }
    }

    /// Lets every process go on.
    pub(crate) async fn thaw(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(group) => group.thaw(),
            Self::Subreaper(tree) => tree.thaw().await,
        }
    }

    /// TERM for every process; frozen ones are thawed to act on it.
    pub(crate) async fn terminate(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(group) => group.terminate(),
            Self::Subreaper(tree) => tree.terminate().await,
        }
    }

    /// KILL for every process, frozen or not. Called again until none survives.
    pub(crate) async fn kill(&self) -> io::Result<()> {
        match self {
            Self::Cgroup(group) => group.kill(),
            Self::Subreaper(tree) => tree.kill().await,
        }
    }

    /// Whether nothing lives any more, asked after the main process was reaped; adds what was used until the end.
    pub(crate) async fn is_gone(&self, meter: &mut UsageMeter) -> io::Result<bool> {
        match self {
            Self::Cgroup(group) => {
                meter.add(group.totals());
                // An empty group can be removed, and the usual work leaves one: no list need be read.
                Ok(cgroup::remove(group.path()).is_ok() || group.processes()?.is_empty())
            }
            Self::Subreaper(tree) => Ok(tree.survivors().await? == 0),
        }
    }

    /// Adds what the tree uses now; works that are looked at within `age` share one look where looking is dear.
    pub(crate) async fn measure(&self, meter: &mut UsageMeter, age: Duration) {
        let sample = match self {
            Self::Cgroup(group) => group.sample(),
            Self::Subreaper(tree) => tree.sample(age).await.unwrap_or_default(),
        };
        meter.add(sample);
    }

    /// Adds the use of the main process, which has ended but is not reaped: it may have been too short to be looked at.
    pub(crate) fn measure_main(&self, meter: &mut UsageMeter, main: i32) {
        let cpu_seconds = match self {
            Self::Cgroup(_) => 0.0, // The kernel's accounting of the group has it.
            Self::Subreaper(_) => ProcessStat::read(main).map_or(0.0, |process| process_table::seconds(process.ticks)),
        };
        meter.add(UsageSample { cpu_seconds, processes: 1, ..UsageSample::default() });
    }

    /// The main process is reaped: its number may soon be another's.
    pub(crate) fn main_reaped(&self) {
        if let Self::Subreaper(tree) = self {
            tree.reaper().reaped(tree.work());
        }
    }

    /// How often the kernel killed in it for its memory limit.
    pub(crate) fn memory_kills(&self) -> u64 {
        match self {
            Self::Cgroup(group) => group.memory_kills(),
            Self::Subreaper(_) => 0,
        }
    }

    /// Takes the tree down; `false` when something still holds it.
    pub(crate) fn close(&self) -> bool {
        match self {
            Self::Cgroup(group) => cgroup::remove(group.path()).is_ok(),
            Self::Subreaper(_) => true,
        }
    }
}
