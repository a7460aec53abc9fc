//! The way without control groups: this process is made the sub-reaper of all that it starts (prctl(2),
//! `PR_SET_CHILD_SUBREAPER`), so an orphan, whatever `setsid` and double forks made it one, becomes *our* child and
//! stays reachable in `/proc`.
//!
//! Several works run under the one reaper; mark and tag say whose orphan is whose. Zombies are told from the children
//! of other parts of this program by their session: every work lives in sessions of its own, nothing else here does.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, getsid};
use tokio::time::Instant;

use super::process_table::{ProcessStat, ProcessTable};
use super::rlimit_tag::RlimitTag;
use super::server_run::{MARK, ServerRun};

/// What is known of one running work.
#[derive(Debug, Default)]
struct KnownWork {
    main: Option<i32>,
    tag: Option<RlimitTag>,
    /// Its processes when last looked at, by number and start.
    seen: HashMap<i32, u64>,
}

/// Children that somebody in this program started and reaps. For the program as a whole, as adoption is: two hosts in
/// one program (tests, embedded runs) are one parent.
static OWN: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Names a child that was not adopted and that its owner will reap.
pub(super) fn own(pid: i32) {
    lock(&OWN).insert(pid);
}

/// Its owner has reaped it.
pub(super) fn disown(pid: i32) {
    lock(&OWN).remove(&pid);
}

/// The adoptive parent of all works of this run.
#[derive(Debug)]
pub(super) struct Subreaper {
    me: i32,
    session: i32,
    run: ServerRun,
    works: Mutex<HashMap<String, KnownWork>>,
    latest: tokio::sync::Mutex<Option<(Instant, Arc<ProcessTable>)>>,
}

impl Subreaper {
    /// Makes this process the sub-reaper. With control groups too: the process 1 of many containers reaps nobody.
    pub(super) fn begin(run: ServerRun) -> io::Result<Self> {
        nix::sys::prctl::set_child_subreaper(true)?;
        Ok(Self {
            me: Pid::this().as_raw(),
            session: getsid(None)?.as_raw(),
            run,
            works: Mutex::default(),
            latest: tokio::sync::Mutex::default(),
        })
    }

    /// Makes a work known, before its first process is started, which is to have the tag; `None` when one of this name
    /// runs.
    pub(super) fn enter(&self, work: &str) -> Option<Option<RlimitTag>> {
        let mut works = lock(&self.works);
        if works.contains_key(work) {
            return None;
        }
        let tag = RlimitTag::next();
        works.insert(work.to_owned(), KnownWork { tag, ..KnownWork::default() });
        Some(tag)
    }

    /// Its main process is started.
    pub(super) fn started(&self, work: &str, main: i32) {
        if let Some(entry) = lock(&self.works).get_mut(work) {
            entry.main = Some(main);
        }
    }

    /// Its main process is reaped: the number may soon be another's.
    pub(super) fn reaped(&self, work: &str) {
        if let Some(entry) = lock(&self.works).get_mut(work) {
            entry.main = None;
        }
    }

    pub(super) fn leave(&self, work: &str) {
        lock(&self.works).remove(work);
    }

    /// A look at all processes that is not older than `age`; works that look at the same time share it.
    pub(super) async fn look(&self, age: Duration) -> io::Result<Arc<ProcessTable>> {
        let mut latest = self.latest.lock().await;
        if let Some((at, table)) = latest.as_ref()
            && !age.is_zero()
            && at.elapsed() <= age
        {
            return Ok(table.clone());
        }
        let table = Arc::new(tokio::task::spawn_blocking(ProcessTable::read).await.map_err(io::Error::other)??);
        *latest = Some((Instant::now(), table.clone()));
        Ok(table)
    }

    /// The processes of `work` in `table`, the dead ones too, and remembers them.
    pub(super) fn members(&self, work: &str, table: &ProcessTable) -> Vec<ProcessStat> {
        let mut works = lock(&self.works);
        let orphans: Vec<i32> = self
            .adopted(table)
            .into_iter()
            .filter(|orphan| self.owns(work, orphan, &works))
            .map(|found| found.pid)
            .collect();
        let Some(entry) = works.get_mut(work) else { return vec![] };
        let members = table.descendants(orphans.into_iter().chain(entry.main));
        entry.seen = members.iter().map(|member| (member.pid, member.started)).collect();
        members
    }

    /// Whether any child was adopted that is not accounted for. Cheap: one small file, where the kernel has it.
    pub(super) fn has_adopted(&self) -> bool {
        // Orphans are given to the first thread of the reaper.
        let Ok(list) = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.me)) else { return true };
        let own = lock(&OWN);
        list.split_ascii_whitespace().filter_map(|pid| pid.parse::<i32>().ok()).any(|pid| !own.contains(&pid))
    }

    /// Reaps adopted processes that have ended and were seen as members of a work, or are in `before`: what the
    /// last call gave. What it leaves for the next call.
    pub(super) fn reap_adopted(&self, table: &ProcessTable, before: &HashMap<i32, u64>) -> HashMap<i32, u64> {
        let works = lock(&self.works);
        let mut waiting = HashMap::new();
        for dead in self.adopted(table).into_iter().filter(|orphan| orphan.is_dead()) {
            let is_same = |seen: &HashMap<i32, u64>| seen.get(&dead.pid) == Some(&dead.started);
            // A main process that was started just now is not known yet; it would be missed by its owner.
            if is_same(before) || works.values().any(|entry| is_same(&entry.seen)) {
                let _ = waitpid(Pid::from_raw(dead.pid), Some(WaitPidFlag::WNOHANG));
            } else {
                waiting.insert(dead.pid, dead.started);
            }
        }
        waiting
    }

    /// Kills what an ended work left behind because it was missed: adopted, alive, and marked by no running work.
    pub(super) fn kill_strays(&self, table: &ProcessTable) {
        let works = lock(&self.works);
        let is_stray = |orphan: &ProcessStat| self.trace(orphan).is_some_and(|work| !works.contains_key(&work));
        let strays: Vec<i32> = self.adopted(table).into_iter().filter(is_stray).map(|found| found.pid).collect();
        for process in table.descendants(strays).iter().filter(|process| !process.is_dead()) {
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
    }

    /// Children of ours that some work has orphaned.
    fn adopted(&self, table: &ProcessTable) -> Vec<ProcessStat> {
        let own = lock(&OWN);
        let is_adopted = |child: &&ProcessStat| child.session != self.session && !own.contains(&child.pid);
        table.children(self.me).filter(is_adopted).copied().collect()
    }

    /// Whether `work` is the one that orphaned it, by the strongest trace that it left. Between clone and `execve` a
    /// process bears none yet, so one without any trace is nobody's.
    fn owns(&self, work: &str, orphan: &ProcessStat, works: &HashMap<String, KnownWork>) -> bool {
        if let Some(marked) = self.trace(orphan) {
            return marked == work;
        }
        works.get(work).is_some_and(|entry| {
            entry.tag.is_some_and(|tag| tag.is_on(orphan.pid)) || entry.seen.get(&orphan.pid) == Some(&orphan.started)
        })
    }

    /// The work whose mark it carries.
    fn trace(&self, process: &ProcessStat) -> Option<String> {
        let mark = mark(process.pid)?;
        self.run.work(&mark).map(str::to_owned)
    }
}

/// The mark in a process's environment; `None` too when it may not be read.
pub(super) fn mark(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let of = |pair: &[u8]| pair.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    environment.split(|byte| *byte == 0).find_map(of).and_then(|mark| String::from_utf8(mark).ok())
}

/// Nothing in here panics while it holds a lock, and what they guard stays usable if something did.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
