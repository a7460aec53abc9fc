//! One look at every process of the machine, read from `/proc`. It is never atomic: who acts on it looks again.

use std::collections::HashMap;
use std::fs;
use std::io;

use nix::unistd::{SysconfVar, sysconf};

/// One process as `/proc/<pid>/stat` tells it (proc_pid_stat(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub(super) pid: i32,
    pub(super) parent: i32,
    pub(super) session: i32,
    pub(super) state: u8,
    /// Processor time of itself and of the children it waited for, in clock ticks.
    pub(super) ticks: u64,
    /// When it started, in clock ticks since boot: with `pid` its identity.
    pub(super) started: u64,
    /// Resident memory in pages.
    pub(super) pages: u64,
}

impl ProcessStat {
    /// Reads one process; `None` when it is gone.
    pub(super) fn read(pid: i32) -> Option<Self> {
        parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Whether it has ended and waits to be reaped.
    pub(super) fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }

    /// Whether it is stopped by a signal or a debugger.
    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }
}

/// All processes and who is whose child.
#[derive(Debug, Default)]
pub(super) struct ProcessTable {
    processes: HashMap<i32, ProcessStat>,
    children: HashMap<i32, Vec<i32>>,
}

impl ProcessTable {
    /// Looks at every process; about 10 µs for each.
    ///
    /// # Errors
    /// When `/proc` cannot be read at all.
    pub(super) fn read() -> io::Result<Self> {
        let mut table = Self::default();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if let Some(process) = ProcessStat::read(pid) {
                table.children.entry(process.parent).or_default().push(pid);
                table.processes.insert(pid, process);
            }
        }
        Ok(table)
    }

    pub(super) fn get(&self, pid: i32) -> Option<&ProcessStat> {
        self.processes.get(&pid)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ProcessStat> {
        self.processes.values()
    }

    /// The children of `pid`, dead ones too.
    pub(super) fn children(&self, pid: i32) -> impl Iterator<Item = &ProcessStat> {
        self.children.get(&pid).into_iter().flatten().filter_map(|child| self.processes.get(child))
    }

    /// `roots` and all that descends from them, each once.
    pub(super) fn descendants(&self, roots: impl IntoIterator<Item = i32>) -> Vec<ProcessStat> {
        let mut open: Vec<i32> = roots.into_iter().collect();
        let mut found: HashMap<i32, ProcessStat> = HashMap::new();
        while let Some(pid) = open.pop() {
            if let Some(process) = self.get(pid)
                && found.insert(pid, *process).is_none()
            {
                open.extend(self.children(pid).map(|child| child.pid));
            }
        }
        found.into_values().collect()
    }
}

pub(super) fn seconds(ticks: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ticks are 2.8 million years")]
    let (ticks, each) = (ticks as f64, per_second() as f64);
    ticks / each
}

fn per_second() -> i64 {
    sysconf(SysconfVar::CLK_TCK).ok().flatten().filter(|ticks| *ticks > 0).unwrap_or(100)
}

/// Pages of memory as bytes.
pub(super) fn bytes(pages: u64) -> u64 {
    let size = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| u64::try_from(size).ok());
    pages.saturating_mul(size.unwrap_or(4096))
}

/// `pid (name) state ppid pgrp session …`; the name may hold anything, brackets too, so the last one counts.
fn parse(stat: &[u8]) -> Option<ProcessStat> {
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let pid = std::str::from_utf8(&stat[..open]).ok()?.trim().parse().ok()?;
    let rest: Vec<&str> = std::str::from_utf8(&stat[close + 1..]).ok()?.split_ascii_whitespace().collect();
    // Counted from `state`, which is field 3 of proc_pid_stat(5).
    let number = |field: usize| rest.get(field - 3)?.parse::<u64>().ok();
    let signed = |field: usize| rest.get(field - 3)?.parse::<i32>().ok();
    Some(ProcessStat {
        pid,
        state: *rest.first()?.as_bytes().first()?,
        parent: signed(4)?,
        session: signed(6)?,
        ticks: number(14)? + number(15)? + number(16)? + number(17)?,
        started: number(22)?,
        pages: number(24)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = b"42 (a) Z (b c) S 7 42 41 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 555 9999 77 1844 1 1\n";
        let process = parse(stat).expect("a process");
        let expected =
            ProcessStat { pid: 42, parent: 7, session: 41, state: b'S', ticks: 100, started: 555, pages: 77 };
        assert_eq!(process, expected);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"1 (short) S 2"), None);
    }

    #[test]
    fn this_process_is_in_the_table_and_descends_from_its_parent() {
        let me = i32::try_from(std::process::id()).expect("a pid");
        let table = ProcessTable::read().expect("/proc");
        let parent = table.get(me).expect("this process").parent;
        assert!(table.children(parent).any(|process| process.pid == me));
        assert!(table.descendants([parent]).iter().any(|process| process.pid == me));
    }
}
