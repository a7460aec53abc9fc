//! Thumbprints of certificates.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

const LENGTH: usize = 32;

/// The SHA-256 of a certificate's DER: what `openssl x509 -fingerprint -sha256` and a vCenter's own pages show.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; LENGTH]);

/// A text that is no thumbprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a thumbprint is the SHA-256 of the certificate: 32 pairs of hexadecimal digits with colons between them")]
pub struct ThumbprintError;

impl Thumbprint {
    /// Of this certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Reads digits in either case, with colons or without. A SHA-1 is refused: certificates with the same one can be
    /// made.
    ///
    /// # Errors
    /// Says what a thumbprint looks like.
    pub fn parse(text: &str) -> Result<Self, ThumbprintError> {
        let text = text.trim();
        let pairs = text.split(':').map(|pair| (pair.len() == 2).then_some(pair));
        let digits = if text.contains(':') { pairs.collect() } else { Some(text.to_owned()) };
        let digits: String = digits.ok_or(ThumbprintError)?;
        let mut bytes = [0; LENGTH];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| ThumbprintError)?;
        Ok(Self(bytes))
    }
}

/// Upper-case pairs with colons.
impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, byte)| {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")
        })
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let thumbprint = Thumbprint::of(b"abc");
        let text = thumbprint.to_string();
        assert!(text.starts_with("BA:78:16:BF:8F:01:CF:EA:"), "{text}");
        assert_eq!(text.len(), 32 * 3 - 1);
        for form in [text.clone(), text.to_lowercase(), text.replace(':', ""), format!(" {text}\n")] {
            assert_eq!(form.parse(), Ok(thumbprint), "{form}");
        }
    }

    #[test]
    fn refuses_anything_else() {
        let short = Thumbprint::of(b"abc").to_string().replacen("BA:", "", 1);
        let sha1 = "A9:99:3E:36:47:06:81:6A:BA:3E:25:71:78:50:C2:6C:9C:D0:D8:9D";
        for wrong in ["", ":", "BA", sha1, &short, &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Thumbprint>(), Err(ThumbprintError), "{wrong}");
        }
    }
}
