//! One work's process tree, in whichever way this host holds it.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::subreaper_tree::Clan;
use super::cgroup::{self, Group, Sample};
use super::process_table::{self, Process};
use crate::executor::work::Usage;

/// How long a freeze is waited for.
const FREEZE: Duration = Duration::from_millis(500);

/// All processes of one work.
#[derive(Debug)]
pub(in crate::executor) enum Tree {
    /// In a control group.
    Group(Group),
    /// Below the sub-reaper.
    Clan(Clan),
}

impl Tree {
    /// Stops every process where it stands.
    pub(in crate::executor) async fn freeze(&self) -> io::Result<()> {
        match self {
            Self::Group(group) => {
                group.freeze()?;
                // The kernel stops each process where it next can; one in a long system call is not waited for.
                let deadline = Instant::now() + FREEZE;
                while !group.is_frozen() && Instant::now() < deadline {
                    sleep(Duration::from_millis(2)).await;
                }
                Ok(())
            }
            Self::Clan(clan) => clan.freeze().await,
        }
    }

    /// Lets every process go on.
    pub(in crate::executor) async fn thaw(&self) -> io::Result<()> {
        match self {
            Self::Group(group) => group.thaw(),
            Self::Clan(clan) => clan.thaw().await,
        }
    }

    /// TERM for every process; frozen ones are thawed to act on it.
    pub(in crate::executor) async fn terminate(&self) -> io::Result<()> {
        match self {
            Self::Group(group) => group.terminate(),
            Self::Clan(clan) => clan.terminate().await,
        }
    }

    /// KILL for every process, frozen or not. Called again until none survives.
    pub(in crate::executor) async fn kill(&self) -> io::Result<()> {
        match self {
            Self::Group(group) => group.kill(),
            Self::Clan(clan) => clan.kill().await,
        }
    }

    /// Whether nothing lives any more, asked after the main process was reaped; adds what was used until the end.
    pub(in crate::executor) async fn is_gone(&self, meter: &mut Meter) -> io::Result<bool> {
        match self {
            Self::Group(group) => {
                meter.add(group.books());
                // An empty group can be removed, and the usual work leaves one: no list need be read.
                Ok(cgroup::remove(group.path()).is_ok() || group.processes()?.is_empty())
            }
            Self::Clan(clan) => Ok(clan.survivors().await? == 0),
        }
    }

    /// Adds what the tree uses now; works that are looked at within `age` share one look where looking is dear.
    pub(in crate::executor) async fn measure(&self, meter: &mut Meter, age: Duration) {
        let sample = match self {
            Self::Group(group) => group.sample(),
            Self::Clan(clan) => clan.sample(age).await.unwrap_or_default(),
        };
        meter.add(sample);
    }

    /// Adds the use of the main process, which has ended but is not reaped: it may have been too short to be looked at.
    pub(in crate::executor) fn measure_main(&self, meter: &mut Meter, main: i32) {
        let cpu_seconds = match self {
            Self::Group(_) => 0.0, // is in the group's books
            Self::Clan(_) => Process::read(main).map_or(0.0, |process| process_table::seconds(process.ticks)),
        };
        meter.add(Sample { cpu_seconds, processes: 1, ..Sample::default() });
    }

    /// The main process is reaped: its number may soon be another's.
    pub(in crate::executor) fn main_reaped(&self) {
        if let Self::Clan(clan) = self {
            clan.reaper().reaped(clan.work());
        }
    }

    /// How often the kernel killed in it for its memory limit.
    pub(in crate::executor) fn memory_kills(&self) -> u64 {
        match self {
            Self::Group(group) => group.memory_kills(),
            Self::Clan(_) => 0,
        }
    }

    /// Takes the tree down; `false` when something still holds it.
    pub(in crate::executor) fn close(&self) -> bool {
        match self {
            Self::Group(group) => cgroup::remove(group.path()).is_ok(),
            Self::Clan(_) => true,
        }
    }
}

/// What a tree has used, from looks at it; never goes down but for the present memory.
#[derive(Debug, Default)]
pub(in crate::executor) struct Meter(Usage);

impl Meter {
    fn add(&mut self, sample: Sample) {
        let usage = &mut self.0;
        usage.cpu_seconds = usage.cpu_seconds.max(sample.cpu_seconds);
        usage.peak_memory_bytes = usage.peak_memory_bytes.max(sample.peak_memory_bytes);
        usage.processes = usage.processes.max(sample.processes);
        if sample.memory_bytes > 0 {
            usage.memory_bytes = sample.memory_bytes;
        }
    }

    /// What has been used until the last look.
    pub(in crate::executor) fn usage(&self) -> Usage {
        self.0
    }
}
