//! One work's control group (cgroup v2): every process is in it from before its program begins, and cannot leave it without rights of its own
//! over the hierarchy, so freezing, killing and counting reach all, however they were started.
//!
//! The kernel's own words: `Documentation/admin-guide/cgroup-v2.rst`, sections "Core Interface Files" and "Controllers".

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::meter::UsageSample;
use super::process_table::{self, ProcessStat};
use crate::work::Limits;

/// A control group that exists.
#[derive(Debug)]
pub(crate) struct CgroupTree {
    path: PathBuf,
}

impl CgroupTree {
    /// Makes the group. One of the same name that nothing lives in is replaced.
    pub(super) fn make(path: PathBuf) -> io::Result<Self> {
        match fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                remove(&path)?;
                fs::create_dir(&path)?;
            }
            made => made?,
        }
        Ok(Self { path })
    }

    /// A group that was made earlier.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the limits that have a controller here; the others are the caller's business.
    pub(super) fn limit(&self, limits: Limits) -> io::Result<()> {
        if let Some(bytes) = limits.memory_bytes {
            self.write_if_there("memory.max", &bytes.to_string())?;
            // Without this a work beyond its limit would only be moved to swap; with oom.group it ends as a whole.
            self.write_if_there("memory.swap.max", "0")?;
            self.write_if_there("memory.oom.group", "1")?;
        }
        if let Some(processes) = limits.processes {
            self.write_if_there("pids.max", &processes.to_string())?;
        }
        if let Some(cpu) = limits.cpu {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; the kernel's least")]
            let quota = (cpu * 100_000.0).clamp(1_000.0, 1e12) as u64;
            self.write_if_there("cpu.max", &format!("{quota} 100000"))?;
        }
        Ok(())
    }

    /// Freezes every process; a TERM waits until they are thawed, a KILL does not.
    pub(super) fn freeze(&self) -> io::Result<()> {
        self.write("cgroup.freeze", "1")
    }

    /// Whether every process stands still.
    pub(super) fn is_frozen(&self) -> bool {
        self.read_field("cgroup.events", "frozen") == Some(1)
    }

    pub(super) fn thaw(&self) -> io::Result<()> {
        self.write("cgroup.freeze", "0")
    }

    /// TERM for every process, and CONT, since a stopped one could not act on it.
    pub(super) fn terminate(&self) -> io::Result<()> {
        for pid in self.processes()? {
            // It may have ended since; that is what is wanted.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            let _ = kill(Pid::from_raw(pid), Signal::SIGCONT);
        }
        self.thaw()
    }

    /// KILL for every process, at once. Before Linux 5.14 one after the other: then this is called until none is left.
    pub(super) fn kill(&self) -> io::Result<()> {
        match self.write("cgroup.kill", "1") {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.freeze()?;
                for pid in self.processes()? {
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
                self.thaw()
            }
            done => done,
        }
    }

    /// Every process that has not ended, in groups below too.
    pub(super) fn processes(&self) -> io::Result<Vec<i32>> {
        let mut found = vec![];
        let mut open = vec![self.path.clone()];
        while let Some(group) = open.pop() {
            match fs::read_to_string(group.join("cgroup.procs")) {
                Ok(list) => found.extend(list.lines().filter_map(pid)),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            open.extend(children(&group)?);
        }
        Ok(found)
    }

    /// What is used now: by the kernel's accounting of the group, or where a controller is missing by its processes.
    pub(super) fn sample(&self) -> UsageSample {
        let processes = self.processes().unwrap_or_default();
        let resident = || processes.iter().filter_map(|pid| ProcessStat::read(*pid)).map(|found| found.pages).sum();
        let memory_bytes = self.read_number("memory.current").unwrap_or_else(|| process_table::bytes(resident()));
        let count = u32::try_from(processes.len()).unwrap_or(u32::MAX);
        let totals = self.totals();
        UsageSample {
            memory_bytes,
            peak_memory_bytes: totals.peak_memory_bytes.max(memory_bytes),
            processes: totals.processes.max(count),
            ..totals
        }
    }

    /// What the kernel's accounting of the group has summed up, which outlives its processes.
    pub(super) fn totals(&self) -> UsageSample {
        let cpu = Duration::from_micros(self.read_field("cpu.stat", "usage_usec").unwrap_or(0));
        let most = self.read_number("pids.peak").and_then(|most| u32::try_from(most).ok());
        UsageSample {
            cpu_seconds: cpu.as_secs_f64(),
            memory_bytes: 0,
            peak_memory_bytes: self.read_number("memory.peak").unwrap_or(0),
            processes: most.unwrap_or(0),
        }
    }

    /// How often the kernel killed in it because of its memory limit.
    pub(super) fn memory_kills(&self) -> u64 {
        self.read_field("memory.events", "oom_kill").unwrap_or(0)
    }

    fn write(&self, file: &str, value: &str) -> io::Result<()> {
        write(&self.path.join(file), value)
    }

    fn write_if_there(&self, file: &str, value: &str) -> io::Result<()> {
        match self.write(file, value) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    fn read_number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.path.join(file)).ok()?.trim().parse().ok()
    }

    fn read_field(&self, file: &str, field: &str) -> Option<u64> {
        let text = fs::read_to_string(self.path.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

/// Removes the group and the groups below it. Fails as long as a process lives in one of them.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::ResourceBusy => {
            for child in children(path)? {
                remove(&child)?;
            }
            fs::remove_dir(path)
        }
        done => done,
    }
}

/// A process of another pid namespace is listed as 0, and a signal to 0 would reach ourselves.
fn pid(line: &str) -> Option<i32> {
    line.parse().ok().filter(|pid| *pid > 0)
}

pub(super) fn children(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Control files are written in one piece and never created.
pub(super) fn write(path: &Path, value: &str) -> io::Result<()> {
    io::Write::write_all(&mut fs::OpenOptions::new().write(true).open(path)?, value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files stands in for a host whose controllers this machine may lack.
    #[test]
    fn limits_and_totals_use_the_controllers_that_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("read");
        for name in ["memory.max", "memory.swap.max", "memory.oom.group", "cpu.max"] {
            file(name, "");
        }
        let group = CgroupTree::at(folder.path().into());
        group
            .limit(Limits { memory_bytes: Some(1 << 20), cpu: Some(1.5), processes: Some(3), file_size: None })
            .expect("limited");
        assert_eq!(text("memory.max"), "1048576");
        assert_eq!(text("memory.swap.max"), "0");
        assert_eq!(text("memory.oom.group"), "1");
        assert_eq!(text("cpu.max"), "150000 100000");
        assert!(!folder.path().join("pids.max").exists());

        file("cgroup.procs", "");
        file("cpu.stat", "usage_usec 2500000\nuser_usec 1\n");
        file("memory.current", "4096\n");
        file("memory.peak", "8192\n");
        file("pids.peak", "7\n");
        file("memory.events", "low 0\noom 2\noom_kill 3\noom_group_kill 1\n");
        let expected = UsageSample { cpu_seconds: 2.5, memory_bytes: 4096, peak_memory_bytes: 8192, processes: 7 };
        assert_eq!(group.sample(), expected);
        assert_eq!(group.memory_kills(), 3);
    }
}
