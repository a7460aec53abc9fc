//! The keys in their order, the current one first, and their file: a key a line, for its owner alone.
//!
//! The file is replaced as a whole, so a reader sees the keys of before or those of after. The invariant: a key leaves
//! the file only when nothing is sealed with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::{FILE, Key, KeyId, VaultError};

const HEAD: &str = "# Taskloom's keys, the current one first. Who has this file and the database can read every secret:\n\
                    # keep a copy apart from the database's. `taskloom key rotate` changes the key.\n";

/// The keys; none where this process has none.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring(Vec<Key>);

impl Ring {
    pub(super) fn new(key: Key) -> Self {
        Self(vec![key])
    }

    /// Reads keys; what is wrong is said without them.
    pub(super) fn parse<'t>(texts: impl Iterator<Item = &'t str>) -> Result<Self, String> {
        let mut keys: Vec<Key> = vec![];
        for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
            let key = Key::parse(text)?;
            if keys.iter().all(|known| known.id() != key.id()) {
                keys.push(key);
            }
        }
        if keys.is_empty() { Err("there is no key in it".into()) } else { Ok(Self(keys)) }
    }

    pub(super) fn current(&self) -> Option<&Key> {
        self.0.first()
    }

    pub(super) fn find(&self, id: &KeyId) -> Option<&Key> {
        self.0.iter().find(|key| key.id() == *id)
    }

    pub(super) fn renewed(&self, key: Key) -> Self {
        Self([&[key][..], &self.0].concat())
    }

    /// Without those that are neither current nor `used`; how many these are.
    pub(super) fn without(&self, used: &[KeyId]) -> (Self, usize) {
        let current = self.current().map(Key::id);
        let is_kept = |key: &&Key| Some(key.id()) == current || used.contains(&key.id());
        let kept: Vec<Key> = self.0.iter().filter(is_kept).cloned().collect();
        let dropped = self.0.len() - kept.len();
        (Self(kept), dropped)
    }

    fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(HEAD));
        for key in &self.0 {
            text.push_str(&key.text());
            text.push('\n');
        }
        text
    }
}

/// The keys of a file; none when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Ring>, VaultError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(&error)),
    };
    let mode = fs::metadata(path).map_err(|error| refused(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(VaultError::File(format!("others may read it; chmod 600 {FILE} in the data folder")));
    }
    let keys = text.lines().filter(|line| !line.starts_with('#'));
    Ring::parse(keys).map(Some).map_err(VaultError::File)
}

/// Writes a file that is not there yet.
pub(super) fn create(path: &Path, ring: &Ring) -> Result<(), VaultError> {
    // Written whole under another name: of two servers that start at once, one's file counts, and never half of one.
    let written = beside(path, ring).and_then(|new| {
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        linked
    });
    written.and_then(|()| sync(path)).map_err(|error| refused(&error))
}

/// Puts a new file in the place of the old one.
pub(super) fn replace(path: &Path, ring: &Ring) -> Result<(), VaultError> {
    let replaced = beside(path, ring).and_then(|new| fs::rename(new, path));
    replaced.and_then(|()| sync(path)).map_err(|error| refused(&error))
}

fn beside(path: &Path, ring: &Ring) -> io::Result<std::path::PathBuf> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(ring.text().as_bytes())?;
    file.sync_all()?;
    Ok(new)
}

/// The name is on disk, too, before anything is sealed with its keys.
fn sync(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn refused(error: &io::Error) -> VaultError {
    VaultError::File(error.kind().to_string())
}
