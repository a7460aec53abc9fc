//! Whose process is it: one data folder is one instance, each start of the server on it one run.
//!
//! The mark `<instance>/<run>/<work>` stands in the environment of every process of a work and, as a path, in its
//! control group; so leftovers of an earlier run are found whatever became of their parents.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

use super::process_table::ProcessStat;

/// The variable that every process of a work inherits and by which leftovers are recognised.
pub(crate) const MARK: &str = "TASKLOOM_ATTEMPT";

/// This run of this instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerRun {
    instance: String,
    run: String,
}

impl ServerRun {
    /// The run that begins now on `data_folder`. Unique even where several begin in one process.
    pub(super) fn begin(data_folder: &Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = data_folder.canonicalize().unwrap_or_else(|_| data_folder.to_owned());
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        let instance = hex::encode(&digest[..8]);
        let pid = std::process::id();
        let started = i32::try_from(pid).ok().and_then(ProcessStat::read).map_or(0, |me| me.started);
        Self { instance, run: format!("{pid}-{started}-{}", COUNT.fetch_add(1, Ordering::Relaxed)) }
    }

    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    pub(super) fn name(&self) -> &str {
        &self.run
    }

    /// What the marks of this run begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{}/{}/", self.instance, self.run)
    }

    /// The mark of one work.
    pub(super) fn mark(&self, work: &str) -> String {
        format!("{}/{}/{work}", self.instance, self.run)
    }

    /// The work that a mark of this run names.
    pub(super) fn work<'a>(&self, mark: &'a str) -> Option<&'a str> {
        mark.strip_prefix(self.instance.as_str())?.strip_prefix('/')?.strip_prefix(self.run.as_str())?.strip_prefix('/')
    }

    /// Whether a mark is one of this instance from another run.
    pub(super) fn is_earlier(&self, mark: &str) -> bool {
        let rest = mark.strip_prefix(self.instance.as_str()).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some() && self.work(mark).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_tell_lives_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = ServerRun::begin(folder.path());
        let second = ServerRun::begin(folder.path());
        let other = ServerRun::begin(Path::new("/"));
        let mark = first.mark("7");
        assert!(mark.starts_with(&first.prefix()));
        assert_eq!(first.work(&mark), Some("7"));
        assert!(!first.is_earlier(&mark));
        assert_eq!(second.work(&mark), None);
        assert!(second.is_earlier(&mark));
        assert!(!other.is_earlier(&mark));
    }
}
