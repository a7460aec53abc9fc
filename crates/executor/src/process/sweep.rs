//! Ends what an earlier run of the same data folder has left running: it was killed with its guardian, or the
//! guardian had no time. Found by control group and by mark, whichever way that run used.

use std::fs;
use std::io;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::cgroup;
use super::cgroup_root::CgroupRoot;
use super::process_table::{ProcessStat, ProcessTable};
use super::server_run::ServerRun;
use super::subreaper;

/// 10 s for all of it: a process in uninterruptible sleep dies when it can.
const ROUNDS: u32 = 200;
const PAUSE: Duration = Duration::from_millis(50);

/// Stops every leftover; how many processes there were. Blocks.
///
/// # Errors
/// When `/proc` cannot be read, or some process would not end.
pub(super) fn sweep(run: &ServerRun, root: Option<&CgroupRoot>) -> io::Result<usize> {
    let mut stopped = std::collections::HashSet::new();
    for _ in 0..ROUNDS {
        let groups = root.map_or_else(|| Ok(vec![]), CgroupRoot::earlier)?;
        for group in &groups {
            // It may be removed by its guardian meanwhile.
            stopped.extend(group.processes().unwrap_or_default());
            let _ = group.kill();
        }
        let left = leftovers(run, &ProcessTable::read()?);
        for signal in [Signal::SIGSTOP, Signal::SIGKILL] {
            for process in &left {
                let _ = kill(Pid::from_raw(process.pid), signal);
            }
        }
        stopped.extend(left.iter().map(|process| process.pid));
        let removed = groups.iter().filter(|group| cgroup::remove(group.path()).is_ok()).count();
        if left.is_empty() && removed == groups.len() {
            return Ok(stopped.len());
        }
        thread::sleep(PAUSE);
    }
    Err(io::Error::other("processes of an earlier run of this data folder do not end"))
}

/// Living processes of other runs: marked, in one of their groups, or descended from or in one session with such.
fn leftovers(run: &ServerRun, table: &ProcessTable) -> Vec<ProcessStat> {
    let me = i32::try_from(std::process::id()).unwrap_or(0);
    let found: Vec<ProcessStat> =
        table.all().filter(|process| process.pid != me && is_earlier(run, process)).copied().collect();
    // Every work leads sessions of its own, so whoever shares one with a leftover is one; our own is never among them.
    let own = table.get(me).map_or(0, |process| process.session);
    let is_relative = |process: &&ProcessStat| {
        process.session > 0 && process.session != own && found.iter().any(|other| other.session == process.session)
    };
    let roots: Vec<i32> = table.all().filter(is_relative).chain(&found).map(|process| process.pid).collect();
    table.descendants(roots).into_iter().filter(|process| !process.is_dead() && process.pid != me).collect()
}

fn is_earlier(run: &ServerRun, process: &ProcessStat) -> bool {
    let marked = || subreaper::mark(process.pid).is_some_and(|mark| run.is_earlier(&mark));
    marked() || grouped(process.pid).is_some_and(|mark| run.is_earlier(&mark))
}

/// The part of its control group's path that has the form of a mark.
fn grouped(pid: i32) -> Option<String> {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    path.split_once("/taskloom/").map(|(_, rest)| rest.to_owned())
}
