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
        let bytes = Zeroizing::new(hex(text).or_else(|| STANDARD.decode(text).ok()).unwrap_or_default());
        match <[u8; LENGTH]>::try_from(bytes.as_slice()) {
            Ok(bytes) if bytes != [0; LENGTH] => Ok(Self(Zeroizing::new(bytes))),
            _ => Err("a key is 32 random bytes, as 64 hexadecimal digits (openssl rand -hex 32) or as base64".into()),
        }
    }

    /// As [`Key::parse`] reads it.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect())
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
        hex(text).and_then(|bytes| bytes.try_into().ok()).map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() || text.is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}
