//! API tokens: `tl_`, 43 random letters (256 bits), 6 letters of checksum.
//!
//! The checksum refuses a mistyped or cut token without asking the database, and lets a secret scanner know a real
//! one. It proves nothing: only the stored digest does.

use sha2::{Digest, Sha256};

use super::secret;

const PREFIX: &str = "tl_";
const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// A new token; shown once, then only its digest is known.
#[must_use]
pub fn generate() -> String {
    let body = secret::letters(SECRET);
    format!("{PREFIX}{body}{}", checksum(&body))
}

/// The digest of a well-formed token, as the store has it; none for what cannot be a token of ours.
#[must_use]
pub fn parse(text: &str) -> Option<String> {
    let body = text.strip_prefix(PREFIX)?;
    let well_formed = body.len() == SECRET + CHECKSUM && body.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !well_formed {
        return None;
    }
    let (random, sum) = body.split_at(SECRET);
    (checksum(random) == sum).then(|| secret::digest(text))
}

/// The first 32 bits of SHA-256, in base 62, the least digit first.
fn checksum(body: &str) -> String {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(body));
    let mut rest = u32::from_be_bytes([a, b, c, d]);
    (0..CHECKSUM)
        .map(|_| {
            let letter = secret::letter(rest);
            rest /= 62;
            letter
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_parses_to_its_digest() {
        let token = generate();
        assert_eq!(token.len(), 52);
        assert_eq!(parse(&token), Some(secret::digest(&token)));
    }

    #[test]
    fn any_changed_letter_is_refused() {
        let token = generate();
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(parse(&String::from_utf8(bytes).unwrap()), None, "letter {at}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in ["", "tl_", "tl_short", &"é".repeat(26), &generate()[..51], &format!("{}a", generate())] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
