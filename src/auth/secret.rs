//! Random secrets and what is kept of them: a digest in the store, a fingerprint in memory.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

/// What memory keeps of a secret: meaningless outside this process.
pub type Fingerprint = [u8; 32];

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Random bytes of the operating system.
///
/// # Panics
/// When the operating system has none: nothing safe can be done then.
#[must_use]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("invariant: the operating system gives random bytes");
    bytes
}

/// `length` letters and digits, each drawn evenly: 5.95 bits a letter, so 43 of them are 256 bits.
#[must_use]
pub fn letters(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        // 248 is the largest multiple of 62 below 256: what lies above would favour the first letters.
        let even = bytes::<64>().into_iter().filter(|byte| *byte < 248).map(|byte| letter(u32::from(byte)));
        text.extend(even.take(length - text.len()));
    }
    text
}

/// The letter of `number` modulo 62.
#[must_use]
pub fn letter(number: u32) -> char {
    LETTERS[(number % 62) as usize].into()
}

/// SHA-256 as lower-case hex: what the store keeps of a token or cookie. Those have 256 random bits, so neither salt
/// nor a slow hash adds anything.
#[must_use]
pub fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

/// What memory keeps of these parts: SHA-256 under a salt that this process alone knows. The parts' lengths are in
/// it, so ("ab", "c") and ("a", "bc") differ.
#[must_use]
pub fn fingerprint(parts: &[&str]) -> Fingerprint {
    static SALT: OnceLock<[u8; 32]> = OnceLock::new();
    let mut hash = Sha256::new_with_prefix(SALT.get_or_init(bytes));
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha256() {
        assert_eq!(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn letters_are_as_many_as_asked_and_never_the_same() {
        let (one, other) = (letters(43), letters(43));
        assert!(one.len() == 43 && one.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(one, other);
    }

    #[test]
    fn a_fingerprint_knows_where_its_parts_end() {
        assert_eq!(fingerprint(&["ab", "c"]), fingerprint(&["ab", "c"]));
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
    }
}
