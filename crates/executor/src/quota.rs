//! How much the folders of running works take: each is looked at about once a second, and a work whose folder is over the
//! limit is ended, as is the largest when the disk is full.
//!
//! A look walks the folder outside of the runtime, never two at a time for one work, and the longer one takes the rarer
//! they come. What a work writes elsewhere, or deletes and keeps open, is not seen.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use taskloom_core::error::{Error, code};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often a folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// At least this many times as long as a look took pass before the next.
const REST: u32 = 10;

/// The folders of all works that run.
#[derive(Debug, Default)]
pub struct Folders {
    limit: Option<u64>,
    running: Mutex<HashMap<String, FolderUse>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct FolderUse {
    bytes: u64,
    evicted: bool,
}

/// Why a work is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FolderExcess {
    /// Its folder has more than this.
    Limit(u64),
    /// The disk is full, and its folder is the largest.
    Disk,
}

impl Folders {
    /// The most that a folder may take.
    #[must_use]
    pub fn limited(limit: Option<u64>) -> Self {
        Self { limit, running: Mutex::default() }
    }

    /// Whether a work of this name runs.
    #[must_use]
    pub fn runs(&self, name: &str) -> bool {
        self.running().contains_key(name)
    }

    /// Ends the work whose folder takes most, where that is so many bytes at least; its name.
    pub fn evict(&self, worth: u64) -> Option<String> {
        let mut running = self.running();
        let (name, taken) = running.iter_mut().max_by_key(|(_, taken)| taken.bytes)?;
        (taken.bytes >= worth).then(|| {
            taken.evicted = true;
            name.clone()
        })
    }

    pub(super) fn enter(self: &Arc<Self>, name: &str, folder: &Path) -> FolderWatch {
        self.running().insert(name.to_owned(), FolderUse::default());
        FolderWatch {
            folders: self.clone(),
            name: name.to_owned(),
            folder: folder.to_owned(),
            walk: None,
            next: Instant::now(),
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, FolderUse>> {
        self.running.lock().expect("invariant: nothing panics under the lock of folders")
    }
}

/// The folder of one running work.
#[derive(Debug)]
pub(super) struct FolderWatch {
    folders: Arc<Folders>,
    name: String,
    folder: PathBuf,
    /// A look under way, and since when.
    walk: Option<(JoinHandle<u64>, Instant)>,
    next: Instant,
}

impl Drop for FolderWatch {
    fn drop(&mut self) {
        self.folders.running().remove(&self.name);
    }
}

impl FolderWatch {
    /// Goes on looking; why the work is to be ended. Does not wait.
    pub(super) fn look(&mut self, now: Instant) -> Option<FolderExcess> {
        if let Some((walk, begun)) = &mut self.walk
            && let Some(ended) = walk.now_or_never()
        {
            self.next = now + LOOK.max(begun.elapsed() * REST) / 2;
            self.walk = None;
            if let Ok(bytes) = ended
                && let Some(taken) = self.folders.running().get_mut(&self.name)
            {
                taken.bytes = bytes;
            }
        } else if self.walk.is_none() && now >= self.next {
            let folder = self.folder.clone();
            self.walk = Some((tokio::task::spawn_blocking(move || size(&folder)), now));
        }
        let taken = *self.folders.running().get(&self.name)?;
        match self.folders.limit {
            _ if taken.evicted => Some(FolderExcess::Disk),
            Some(limit) if taken.bytes > limit => Some(FolderExcess::Limit(limit)),
            _ => None,
        }
    }
}

impl fmt::Display for FolderExcess {
    /// The code, and what it means.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Limit(limit) => Error::new(&code::FOLDER_TOO_LARGE).with("limit", limit),
            Self::Disk => Error::new(&code::DISK_FULL),
        };
        write!(f, "{}: {error}", error.code().name)
    }
}

/// What lies in a folder, in bytes of the disk. Links are not followed, and a file of two names counts once.
fn size(folder: &Path) -> u64 {
    let Ok(top) = fs::symlink_metadata(folder) else { return 0 };
    let (mut bytes, mut twice, mut open) = (0_u64, HashSet::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in entries(&folder) {
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                // Another file system has a size of its own.
                if found.dev() == top.dev() {
                    open.push(entry.path());
                }
            } else if found.nlink() > 1 && !twice.insert(found.ino()) {
                continue;
            }
            bytes = bytes.saturating_add(found.blocks().saturating_mul(512));
        }
    }
    bytes
}

/// What is in a folder of ours, even where the work has shut it to itself.
fn entries(folder: &Path) -> Vec<fs::DirEntry> {
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
            fs::read_dir(folder)
        }
        read => read,
    };
    read.map(|entries| entries.flatten().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::{FolderExcess, Folders, size};

    const MIB: usize = 1 << 20;

    #[test]
    fn a_folder_is_as_large_as_what_it_keeps() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).expect("folders");
        fs::write(inner.join("one"), vec![1; 2 * MIB]).expect("a file");
        fs::hard_link(inner.join("one"), folder.path().join("two")).expect("a second name");
        std::os::unix::fs::symlink("/", folder.path().join("all")).expect("a link");
        let found = size(folder.path());
        assert!((2 * MIB as u64..3 * MIB as u64).contains(&found), "{found}");
        assert_eq!(size(&folder.path().join("gone")), 0);
    }

    #[tokio::test]
    async fn who_takes_too_much_is_told_and_who_takes_most_is_evicted() {
        let folder = tempfile::tempdir().expect("a folder");
        let folders = Arc::new(Folders::limited(Some(4 * MIB as u64)));
        let (small, large) = (folder.path().join("small"), folder.path().join("large"));
        for (folder, length) in [(&small, MIB / 2), (&large, 3 * MIB)] {
            fs::create_dir(folder).expect("a folder");
            fs::write(folder.join("file"), vec![1; length]).expect("a file");
        }
        let mut places = [folders.enter("small", &small), folders.enter("large", &large)];
        assert_eq!(folders.evict(1), None, "nothing was looked at yet");
        for place in &mut places {
            assert_eq!(place.look(Instant::now()), None);
            if let Some((walk, _)) = &mut place.walk {
                let bytes = walk.await.expect("a size");
                folders.running().get_mut(&place.name).expect("it runs").bytes = bytes;
            }
            place.walk = None;
        }
        assert_eq!(folders.evict(4 * MIB as u64), None);
        assert_eq!(folders.evict(MIB as u64).as_deref(), Some("large"));
        let later = Instant::now();
        assert_eq!(places.each_mut().map(|place| place.look(later)), [None, Some(FolderExcess::Disk)]);
        assert!(FolderExcess::Disk.to_string().starts_with("DISK_FULL: the disk"));
        assert!(
            FolderExcess::Limit(7).to_string().starts_with("FOLDER_TOO_LARGE: the folder of the step has more than 7")
        );
        drop(places);
        assert!(!folders.runs("large") && folders.evict(0).is_none());
    }
}
