//! What lies on the disk is its owner's alone: the data folder has mode 0700, files in it have 0600.
//!
//! A folder that was there before with wider rights is narrowed, but only where it is plainly a data folder: one that
//! others use as well, such as `/tmp`, is left as it is, and that is said. A file of ours is always narrowed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Rights of anybody but the owner.
const OTHERS: u32 = 0o077;

/// The sticky bit: a folder that is meant for everybody.
const SHARED: u32 = 0o1000;

/// What marks a folder as one of data.
const MARKS: [&str; 3] = ["taskloom.lock", "taskloom.db", "secret.key"];

/// Makes the data folder, or sees that it is its owner's alone.
///
/// # Errors
/// When it cannot be made or read.
pub fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::metadata(path)?;
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    let is_narrowed = found.mode() & SHARED == 0
        && is_of_data(path)?
        && fs::set_permissions(path, Permissions::from_mode(0o700)).is_ok();
    let (path, mode) = (path.display(), format!("{:04o}", found.mode() & 0o7777));
    if is_narrowed {
        tracing::info!(%path, mode, "the data folder was open to others; it is its owner's alone now");
    } else {
        tracing::warn!(%path, mode, "the data folder is open to others: chmod 700, or choose another with --data-dir");
    }
    Ok(())
}

/// Whether a folder is empty but for settings, or has what a data folder has.
fn is_of_data(path: &Path) -> io::Result<bool> {
    if MARKS.iter().any(|name| path.join(name).exists()) {
        return Ok(true);
    }
    let mut others = fs::read_dir(path)?.filter(|entry| {
        entry
            .as_ref()
            .map_or(true, |entry| !["taskloom.toml", "lost+found"].iter().any(|name| entry.file_name() == *name))
    });
    Ok(others.next().is_none())
}

/// Opens a file to write, and makes it where there is none; nobody else may read it.
///
/// # Errors
/// When it cannot be opened.
pub fn file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    narrow(path);
    Ok(file)
}

/// Takes everybody else's rights from a file, if it is there.
pub fn narrow(path: &Path) {
    let Ok(found) = fs::metadata(path) else { return };
    let mode = found.mode() & 0o7777;
    if mode & OTHERS != 0
        && let Err(error) = fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))
    {
        tracing::warn!(path = %path.display(), %error, "a file is open to others, and its rights cannot be changed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    /// A folder of this mode with these files in it, after it was made the data folder.
    fn after(rights: u32, files: &[&str]) -> u32 {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        fs::create_dir(&path).unwrap();
        files.iter().for_each(|name| fs::write(path.join(name), "").unwrap());
        fs::set_permissions(&path, Permissions::from_mode(rights)).unwrap();
        folder(&path).unwrap();
        mode(&path)
    }

    #[test]
    fn a_folder_is_made_for_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        folder(&parent.path().join("a/b")).unwrap();
        assert_eq!((mode(&parent.path().join("a")), mode(&parent.path().join("a/b"))), (0o700, 0o700));
    }

    #[test]
    fn a_data_folder_is_narrowed_and_no_other() {
        assert_eq!(after(0o755, &[]), 0o700);
        assert_eq!(after(0o770, &["taskloom.toml"]), 0o700);
        assert_eq!(after(0o755, &["taskloom.db", "taskloom.toml", "notes.txt"]), 0o700);
        assert_eq!(after(0o755, &["Cargo.toml", "taskloom.toml"]), 0o755);
        assert_eq!(after(0o1777, &["taskloom.db"]), 0o1777);
    }

    #[test]
    fn a_file_is_narrowed_and_keeps_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taskloom.db");
        fs::write(&path, "rows").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        file(&path).unwrap();
        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap().as_str()), (0o600, "rows"));
        file(&folder.path().join("new")).unwrap();
        assert_eq!(mode(&folder.path().join("new")), 0o600);
        narrow(&folder.path().join("none"));
    }
}
