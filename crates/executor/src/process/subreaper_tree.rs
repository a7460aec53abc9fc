//! The processes of one work in the way of the sub-reaper: found by walking `/proc`, so a stop is freeze, walk, kill,
//! until two walks in a row find nobody: a process that forked just now shows in the next one.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::meter::UsageSample;
use super::process_table::{self, ProcessStat};
use super::subreaper::Subreaper;

/// Walks until this many in a row found nothing new.
const CLEAN_WALKS: u32 = 2;
/// A process that cannot be stopped (state D) must not hold us for ever; the caller comes again.
const MOST_WALKS: u32 = 50;

#[derive(Debug)]
pub(crate) struct SubreaperTree {
    reaper: Arc<Subreaper>,
    work: String,
    /// It was more than one process, or was stopped: only walks tell that nobody is left.
    walks: AtomicBool,
}

impl SubreaperTree {
    /// The processes of `work`, which the sub-reaper knows.
    pub(super) fn new(reaper: Arc<Subreaper>, work: String) -> Self {
        Self { reaper, work, walks: AtomicBool::new(false) }
    }

    pub(super) fn work(&self) -> &str {
        &self.work
    }

    pub(super) fn reaper(&self) -> &Subreaper {
        &self.reaper
    }

    /// Stops every process, so that none can fork.
    pub(super) async fn freeze(&self) -> io::Result<()> {
        let mut clean = 0;
        for _ in 0..MOST_WALKS {
            let running: Vec<ProcessStat> =
                self.living().await?.into_iter().filter(|process| !process.is_stopped()).collect();
            signal(&running, Signal::SIGSTOP);
            clean = if running.is_empty() { clean + 1 } else { 0 };
            if clean == CLEAN_WALKS {
                break;
            }
        }
        Ok(())
    }

    /// Lets every process go on.
    pub(super) async fn thaw(&self) -> io::Result<()> {
        signal(&self.living().await?, Signal::SIGCONT);
        Ok(())
    }

    /// TERM for every process, and CONT, since a stopped one could not act on it.
    pub(super) async fn terminate(&self) -> io::Result<()> {
        let living = self.living().await?;
        signal(&living, Signal::SIGTERM);
        signal(&living, Signal::SIGCONT);
        Ok(())
    }

    /// KILL for every process; frozen first, so that none slips away by forking.
    pub(super) async fn kill(&self) -> io::Result<()> {
        self.freeze().await?;
        signal(&self.living().await?, Signal::SIGKILL);
        Ok(())
    }

    /// How many live, without the main process, which has ended; reaps those that have ended as our children.
    pub(super) async fn survivors(&self) -> io::Result<usize> {
        // The list of our children may leave one out while others end, so it decides only where nobody was seen yet;
        // one that it hid is ended within a second by the reaper.
        if !self.walks.load(Ordering::Relaxed) && !self.reaper.has_adopted() {
            return Ok(0);
        }
        for _ in 0..CLEAN_WALKS {
            let living = self.living().await?.len();
            if living > 0 {
                return Ok(living);
            }
        }
        Ok(0)
    }

    /// What they use now, from a look that may be `age` old.
    pub(super) async fn sample(&self, age: Duration) -> io::Result<UsageSample> {
        let table = self.reaper.look(age).await?;
        let members = self.reaper.members(&self.work, &table);
        let memory = process_table::bytes(members.iter().map(|member| member.pages).sum());
        Ok(UsageSample {
            cpu_seconds: process_table::seconds(members.iter().map(|member| member.ticks).sum()),
            memory_bytes: memory,
            peak_memory_bytes: memory,
            processes: u32::try_from(members.iter().filter(|member| !member.is_dead()).count()).unwrap_or(u32::MAX),
        })
    }

    async fn living(&self) -> io::Result<Vec<ProcessStat>> {
        self.walks.store(true, Ordering::Relaxed);
        let table = self.reaper.look(Duration::ZERO).await?;
        let members = self.reaper.members(&self.work, &table);
        self.reaper.reap_adopted(&table, &HashMap::new());
        Ok(members.into_iter().filter(|member| !member.is_dead()).collect())
    }
}

impl Drop for SubreaperTree {
    fn drop(&mut self) {
        self.reaper.leave(&self.work);
    }
}

fn signal(processes: &[ProcessStat], signal: Signal) {
    for process in processes {
        // It may have ended since; that is what is wanted.
        let _ = kill(Pid::from_raw(process.pid), signal);
    }
}
