//! A trace that a process cannot lose by accident: a resource limit that nobody misses, set to a number of its own for
//! each work. Children inherit it; clearing the environment, a new session, a changed folder leave it as it is.
//!
//! The limit is that of POSIX message queues (`RLIMIT_MSGQUEUE`, by default 819,200 bytes), lowered by a few bytes. It
//! is read from `/proc/<pid>/limits`, which everybody may read.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// Numbers that are in use at a time must differ, so this is far more than there are works at a time.
const NUMBERS: u64 = 100_000;
const USUAL: u64 = 819_200;

/// One work's number, as a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RlimitTag {
    pub(super) soft: u64,
    pub(super) hard: u64,
}

impl RlimitTag {
    /// The next one of this program; `None` where the limit leaves no room.
    pub(super) fn next() -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (_, hard) = getrlimit(Resource::RLIMIT_MSGQUEUE).ok()?;
        let top = if hard == RLIM_INFINITY { USUAL } else { hard };
        let room = top.checked_sub(NUMBERS)?;
        Some(Self { soft: room + COUNT.fetch_add(1, Ordering::Relaxed) % NUMBERS, hard })
    }

    /// Whether a process bears it.
    pub(super) fn is_on(self, pid: i32) -> bool {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max msgqueue size"));
        line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()) == Some(self.soft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_alike_and_this_process_bears_none() {
        let (first, second) = (RlimitTag::next().expect("room"), RlimitTag::next().expect("room"));
        assert_ne!(first.soft, second.soft);
        assert!(first.soft < first.hard);
        let me = i32::try_from(std::process::id()).expect("a pid");
        assert!(!first.is_on(me));
        let (soft, hard) = getrlimit(Resource::RLIMIT_MSGQUEUE).expect("a limit");
        assert!(RlimitTag { soft, hard }.is_on(me));
    }
}
