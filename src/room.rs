//! Room on the disk of the data folder. A file keeps some of it in reserve; when a write finds no more, it is given up, so
//! that ends can be recorded and what is old can go, and it is taken anew when there is room.
//!
//! One loop a server. While room is short, the step with the largest folder on this disk is ended, and folders of
//! attempts that have ended go, the oldest first: both need no room. What else fills the disk is for its owner.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;
use tokio_util::sync::CancellationToken;

use crate::error;
use crate::executor::Folders;
use crate::private;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(500);
/// The file in the data folder.
const FILE: &str = "reserve";

/// The room of one server.
#[derive(Clone, Debug)]
pub struct DiskRoom {
    /// The data folder.
    pub data: PathBuf,
    /// Where the folders of attempts are.
    pub attempts: PathBuf,
    /// How much is kept in reserve; none: nothing.
    pub reserve: Option<u64>,
    /// Those that run.
    pub folders: Arc<Folders>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// The reserve is there.
    Held,
    /// It was given up, or never could be made.
    Given,
}

impl DiskRoom {
    /// Looks after the room until `stop`; the reserve stays as it is.
    pub async fn keep(self, stop: CancellationToken) {
        let Some(reserve) = self.reserve else {
            let _ = fs::remove_file(self.file());
            return;
        };
        // An earlier life may have left it, or one of another size.
        let is_there = fs::metadata(self.file()).is_ok_and(|found| found.len() == reserve);
        let mut stand = if is_there { Stand::Held } else { Stand::Given };
        if !is_there {
            let _ = fs::remove_file(self.file());
        }
        while !stop.is_cancelled() {
            let (room, refused) = (self.clone(), error::take_lack_of_room());
            let looked = tokio::task::spawn_blocking(move || room.look(stand, reserve, refused)).await;
            match looked {
                Ok(Ok(now)) => stand = now,
                Ok(Err(error)) => tracing::debug!(%error, "the room on the disk cannot be looked at"),
                Err(error) => tracing::error!(%error, "the room on the disk was not looked at"),
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
    }

    /// Before anything runs: a disk that an earlier life has left full gets room, from the reserve and from folders of
    /// attempts, which have all ended. Blocks.
    pub fn make(&self) {
        give(&self.data);
        while is_short(&self.data) && self.is_same_disk() && self.tidy() {}
    }

    /// One look. Blocks.
    fn look(&self, stand: Stand, reserve: u64, refused: bool) -> io::Result<Stand> {
        let (free, whole) = space(&self.data)?;
        // On a disk that is hardly larger than the reserve nobody would ever be at ease.
        let little = (reserve / 8).min(whole / 8);
        match stand {
            Stand::Held if free < little || refused => {
                // Who fills the disk would take the reserve as well.
                if self.is_same_disk() && self.evict(reserve) {
                    return Ok(Stand::Held);
                }
                fs::remove_file(self.file())?;
                tracing::warn!(free, reserve, "the disk of the data folder is full: the reserve is given up");
                Ok(Stand::Given)
            }
            Stand::Held => Ok(Stand::Held),
            Stand::Given if free >= reserve.saturating_mul(2) => {
                let file = private::file(&self.file())?;
                posix_fallocate(&file, 0, i64::try_from(reserve).unwrap_or(i64::MAX))?;
                tracing::info!(reserve, "room on the disk is kept in reserve");
                Ok(Stand::Held)
            }
            Stand::Given => {
                // Folders of ended attempts go until the reserve can be made again, where the disk is large enough for it.
                let is_full = free < little.saturating_mul(4) || refused;
                let is_wanted = is_full || whole >= reserve.saturating_mul(4);
                if is_wanted && self.is_same_disk() && !(is_full && self.evict(reserve)) {
                    self.tidy();
                }
                Ok(Stand::Given)
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.data.join(FILE)
    }

    /// Whether attempts write where the data is.
    fn is_same_disk(&self) -> bool {
        let device = |path: &Path| path.metadata().map(|found| found.dev()).ok();
        device(&self.data).is_some() && device(&self.data) == device(&self.attempts)
    }

    /// Ends the largest step, if it may be what fills the disk.
    fn evict(&self, reserve: u64) -> bool {
        let Some(name) = self.folders.evict(reserve / 2) else { return false };
        tracing::warn!(attempt = name, "the disk is full: the step with the largest folder is ended");
        true
    }

    /// Removes the folder of the attempt that ended longest ago; whether there was one.
    fn tidy(&self) -> bool {
        let ended = |entry: &fs::DirEntry| entry.file_name().to_str().is_some_and(|name| !self.folders.runs(name));
        let entries = fs::read_dir(&self.attempts).into_iter().flatten().flatten();
        let oldest =
            entries.filter(ended).filter_map(|entry| Some((entry.metadata().ok()?.mtime(), entry.path()))).min();
        let Some((_, folder)) = oldest else { return false };
        let removed = fs::remove_dir_all(&folder);
        match &removed {
            Ok(()) => {
                tracing::warn!(folder = %folder.display(), "the disk is full: the folder of an ended attempt is removed");
            }
            Err(error) => tracing::debug!(folder = %folder.display(), %error, "a folder cannot be removed"),
        }
        removed.is_ok()
    }
}

/// Gives the reserve of a data folder up, where its disk is full. For whoever has taken the folder, before its database is
/// opened.
pub fn give(data: &Path) {
    if is_short(data) && fs::remove_file(data.join(FILE)).is_ok() {
        tracing::warn!("the disk of the data folder is full: the reserve is given up");
    }
}

fn is_short(data: &Path) -> bool {
    space(data).is_ok_and(|(free, whole)| free < (1 << 20).min(whole / 8))
}

/// What is free for us, and what there is in all, in bytes.
fn space(folder: &Path) -> io::Result<(u64, u64)> {
    let found = statvfs(folder)?;
    Ok((found.blocks_available() * found.fragment_size(), found.blocks() * found.fragment_size()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::sync::Arc;

    use super::{DiskRoom, FILE, Stand};
    use crate::executor::Folders;

    const SIZE: u64 = 1 << 20;

    fn room(data: &std::path::Path) -> DiskRoom {
        let attempts = data.join("attempts");
        DiskRoom { data: data.to_owned(), attempts, reserve: Some(SIZE), folders: Arc::new(Folders::default()) }
    }

    #[test]
    fn the_reserve_is_real_and_is_given_up_when_a_write_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path());
        assert_eq!(room.look(Stand::Given, SIZE, false).expect("a look"), Stand::Held);
        let file = folder.path().join(FILE);
        let blocks = || fs::metadata(&file).map(|found| found.blocks() * 512).ok();
        assert!(blocks().is_some_and(|bytes| bytes >= SIZE));
        assert_eq!(room.look(Stand::Held, SIZE, false).expect("a look"), Stand::Held);
        assert_eq!(room.look(Stand::Held, SIZE, true).expect("a look"), Stand::Given);
        assert_eq!(blocks(), None);
    }

    #[test]
    fn while_room_is_short_the_oldest_folder_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path());
        for name in ["1-1-1", "1-1-2"] {
            fs::create_dir_all(room.attempts.join(name)).expect("a folder");
        }
        let old = std::time::SystemTime::UNIX_EPOCH;
        fs::File::open(room.attempts.join("1-1-2")).and_then(|folder| folder.set_modified(old)).expect("an old folder");
        let more_than_there_is = u64::MAX / 4;
        assert_eq!(room.look(Stand::Given, more_than_there_is, true).expect("a look"), Stand::Given);
        let left: Vec<_> = fs::read_dir(&room.attempts).expect("folders").flatten().map(|it| it.file_name()).collect();
        assert_eq!(left, ["1-1-1"]);
    }
}
