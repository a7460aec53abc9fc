//! Secrets at rest: sealed with XChaCha20-Poly1305 under one of the installation's keys, bound to the row they lie in.
//!
//! [`Vault::seal`] and [`Vault::open`] are all that others need. What is sealed says under which key, so keys can
//! change while servers run: a key that is not known is looked for in the key file once more. The invariant: the
//! associated data names table, column and row, so a sealed value that is copied into another row does not open.

mod hidden;
mod key;
mod ring;

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

pub use hidden::Hidden;
pub use key::{Key, KeyId};
use ring::Ring;

/// The first byte of everything sealed: how the rest is laid out (key id, nonce, text with tag).
const LAYOUT: u8 = 1;
const NONCE: usize = 24;

/// The file of keys in the data folder.
pub const FILE: &str = "secret.key";

/// Where a sealed value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The table and its column: `secret.sealed`.
    pub column: &'static str,
    /// The row.
    pub row: i64,
}

/// What went wrong. Never says anything of the secret, nor where the key file is.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// Sealed under a key that this server does not have.
    #[error("it is sealed with the key {0}, which this server does not have")]
    UnknownKey(KeyId),
    /// Cut, changed, or moved from another row.
    #[error("it is damaged, or was moved from another row")]
    Damaged,
    /// There are no keys here.
    #[error("there is no {FILE} in this data folder, and TASKLOOM_SECRET_KEY is not set")]
    Missing,
    /// The key file cannot be used.
    #[error("the key file {FILE} cannot be used: {0}")]
    File(String),
    /// `TASKLOOM_SECRET_KEY` holds no keys.
    #[error("TASKLOOM_SECRET_KEY is not usable: {0}")]
    Environment(String),
}

/// The keys of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    /// None: the keys came from the environment and stay.
    file: Option<PathBuf>,
    ring: RwLock<Ring>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault {{ current: {:?} }}", self.current())
    }
}

impl Vault {
    /// The keys of the environment, or those of the key file in `folder`; none when neither is there.
    ///
    /// # Errors
    /// When there are some that cannot be used.
    pub fn find(environment: Option<&str>, folder: &Path) -> Result<Option<Self>, VaultError> {
        if let Some(text) = environment.filter(|text| !text.trim().is_empty()) {
            let ring = Ring::parse(text.split(',')).map_err(VaultError::Environment)?;
            return Ok(Some(Self::of(None, ring)));
        }
        let file = folder.join(FILE);
        Ok(ring::read(&file)?.map(|ring| Self::of(Some(file), ring)))
    }

    /// A vault with a new key, kept in `folder` for its owner alone.
    ///
    /// # Errors
    /// When the file cannot be written, or is there already.
    pub fn create(folder: &Path) -> Result<Self, VaultError> {
        let (file, ring) = (folder.join(FILE), Ring::new(Key::random()));
        ring::create(&file, &ring)?;
        Ok(Self::of(Some(file), ring))
    }

    /// A vault whose key is kept nowhere: what it seals is lost with it.
    #[must_use]
    pub fn fleeting() -> Self {
        Self::of(None, Ring::new(Key::random()))
    }

    /// A vault for who may never need one: it opens and seals nothing, until there is a key file in `folder`.
    #[must_use]
    pub fn absent(folder: &Path) -> Self {
        Self::of(Some(folder.join(FILE)), Ring::default())
    }

    fn of(file: Option<PathBuf>, ring: Ring) -> Self {
        Self(Arc::new(Inner { file, ring: RwLock::new(ring) }))
    }

    /// Seals `text` for this place; to be stored with [`Vault::current`]'s id beside it, which it carries as well.
    ///
    /// # Errors
    /// When the key file cannot be read any more.
    pub fn seal(&self, place: Place, text: &[u8]) -> Result<Sealed, VaultError> {
        // Another process may have changed the keys: what is written from then on belongs under the new one.
        self.refresh()?;
        let ring = self.ring();
        let key = ring.current().ok_or(VaultError::Missing)?;
        let nonce: [u8; NONCE] = random();
        let payload = Payload { msg: text, aad: &place.bytes() };
        let sealed = cipher(key).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("invariant: only a text of 256 GiB cannot be sealed");
        let id = key.id();
        let bytes = [&[LAYOUT][..], id.bytes(), &nonce, &sealed].concat();
        Ok(Sealed { key: id, bytes })
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When its key is not known, it was changed, or it was sealed for another place.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let rest = sealed.strip_prefix(&[LAYOUT]).ok_or(VaultError::Damaged)?;
        let (id, rest) = rest.split_first_chunk().ok_or(VaultError::Damaged)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Damaged)?;
        let id = KeyId::of(*id);
        if !self.knows(&id) {
            self.refresh()?;
        }
        let ring = self.ring();
        let key = ring.find(&id).ok_or(VaultError::UnknownKey(id))?;
        let payload = Payload { msg: text, aad: &place.bytes() };
        let opened = cipher(key).decrypt(&XNonce::from(*nonce), payload);
        opened.map(Zeroizing::new).map_err(|_| VaultError::Damaged)
    }

    /// Under which key is sealed now.
    #[must_use]
    pub fn current(&self) -> Option<KeyId> {
        self.ring().current().map(Key::id)
    }

    /// Whether this key is here.
    #[must_use]
    pub fn knows(&self, id: &KeyId) -> bool {
        self.ring().find(id).is_some()
    }

    /// Puts a new key in front and keeps the others. Keys of the environment are changed by whoever sets it: nothing
    /// is done then.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn renew(&self) -> Result<KeyId, VaultError> {
        self.refresh()?;
        if let Some(file) = self.0.file.as_ref().filter(|_| self.current().is_some()) {
            let renewed = self.ring().renewed(Key::random());
            ring::replace(file, &renewed)?;
            *self.0.ring.write().expect(LOCK) = renewed;
        }
        self.current().ok_or(VaultError::Missing)
    }

    /// Drops every key of the file but the current one and those that `used` names. How many.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&self, used: &[KeyId]) -> Result<usize, VaultError> {
        self.refresh()?;
        let Some(file) = &self.0.file else { return Ok(0) };
        let (kept, dropped) = self.ring().without(used);
        if dropped > 0 {
            ring::replace(file, &kept)?;
            *self.0.ring.write().expect(LOCK) = kept;
        }
        Ok(dropped)
    }

    fn refresh(&self) -> Result<(), VaultError> {
        if let Some(file) = &self.0.file
            && let Some(ring) = ring::read(file)?
        {
            *self.0.ring.write().expect(LOCK) = ring;
        }
        Ok(())
    }

    fn ring(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.0.ring.read().expect(LOCK)
    }
}

const LOCK: &str = "invariant: nothing panics under the keys' lock";

/// What is stored of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The key's id.
    pub key: KeyId,
    /// All that [`Vault::open`] wants.
    pub bytes: Vec<u8>,
}

impl Place {
    fn bytes(self) -> Vec<u8> {
        [self.column.as_bytes(), b"\0", &self.row.to_be_bytes()].concat()
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes()).into())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("invariant: the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests;
