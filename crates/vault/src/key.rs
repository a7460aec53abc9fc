//! One key, and the name by which a sealed value knows it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::random;

const LENGTH: usize = 32;
const ID: usize = 8;

/// 256 random bits.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; LENGTH]>);

/// A key's name: the first 64 bits of its digest, which tell nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; ID]);

impl Key {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// Reads 64 hexadecimal digits, or base64 of 32 bytes.
    ///
    /// # Errors
    /// What would be right; never what was written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let mut key = Zeroizing::new([0; LENGTH]);
        if hex::decode_to_slice(text, key.as_mut_slice()).is_err() {
            let bytes = Zeroizing::new(STANDARD.decode(text).unwrap_or_default());
            *key = bytes.as_slice().try_into().unwrap_or_default();
        }
        if *key == [0; LENGTH] {
            return Err("a key is 32 random bytes, as 64 hexadecimal digits (openssl rand -hex 32) or as base64".into());
        }
        Ok(Self(key))
    }

    /// As [`Key::parse`] reads it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let mut hash = Sha256::new_with_prefix(b"taskloom key id\0");
        hash.update(self.0.as_slice());
        let digest: [u8; 32] = hash.finalize().into();
        KeyId(*digest.first_chunk().expect("invariant: a digest has 32 bytes"))
    }

    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl KeyId {
    pub(super) fn of(bytes: [u8; ID]) -> Self {
        Self(bytes)
    }

    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; ID];
        hex::decode_to_slice(text, &mut id).ok()?;
        Some(Self(id))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
