//! Access keys: a public half that names a token, and a secret half with which each request is signed, as OceanBase Cloud
//! Platform's clients do it (`OCP-ACCESS-KEY-HMACSHA1`). The secret half lies sealed, since the server must sign as well.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use taskloom_entity::Timestamp;

use super::secret;

/// The scheme's name in `Authorization`.
pub const SCHEME: &str = "OCP-ACCESS-KEY-HMACSHA1";

/// Letters of the public and of the secret half.
const PUBLIC: usize = 16;
const SECRET: usize = 32;

/// A new pair: the public half, and the secret one, which is shown once.
#[must_use]
pub fn generate() -> (String, String) {
    (secret::letters(PUBLIC), secret::letters(SECRET))
}

/// A request that was signed: by which key, how, and what. `Debug` shows the key alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The public half.
    pub access_key: String,
    /// As it was sent, in base64.
    pub signature: String,
    /// What is signed.
    pub text: String,
    /// From when on it is no longer fresh.
    pub until: Timestamp,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signed {{ access_key: {:?} }}", self.access_key)
    }
}

impl Signed {
    /// Whether this secret half has signed it; takes as long for a wrong signature as for a right one.
    #[must_use]
    pub fn is_by(&self, secret: &[u8]) -> bool {
        let Ok(signature) = STANDARD.decode(&self.signature) else { return false };
        keyed(secret, &self.text).verify_slice(&signature).is_ok()
    }
}

fn keyed(secret: &[u8], text: &str) -> Hmac<Sha1> {
    let mut keyed = Hmac::<Sha1>::new_from_slice(secret).expect("invariant: a key of any length signs");
    keyed.update(text.as_bytes());
    keyed
}

/// The signature of a text, in base64.
#[must_use]
pub fn sign(secret: &str, text: &str) -> String {
    STANDARD.encode(keyed(secret.as_bytes(), text).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product's public example.
    #[test]
    fn the_published_example_is_reproduced() {
        let text = "POST\n186974DB33A090A16D3E2CA35F547B56\napplication/json\nTue, 17 Jan 2023 09:13:57 GMT\n\
                    ocp.alibaba.net:8080\nx-ocp-data:A,1\n/api/v2/compute/idcs";
        let secret = "2fc0c299cc94c6be266f2ceece765d4d";
        assert_eq!(sign(secret, text), "XN8P+O+v3vUabB16ZCooq5wMJoY=");
        let signed = |signature: &str, text: &str| Signed {
            access_key: "cqammmxBpfGjFlto".into(),
            signature: signature.into(),
            text: text.into(),
            until: Timestamp(0),
        };
        assert!(signed("XN8P+O+v3vUabB16ZCooq5wMJoY=", text).is_by(secret.as_bytes()));
        assert!(!signed("XN8P+O+v3vUabB16ZCooq5wMJoY=", "GET").is_by(secret.as_bytes()));
        assert!(!signed("XN8P+O+v3vUabB16ZCooq5wMJoY=", text).is_by(b"another"));
        assert!(!signed("no base64", text).is_by(secret.as_bytes()));
        assert_eq!(format!("{:?}", signed("x", text)), "Signed { access_key: \"cqammmxBpfGjFlto\" }");
    }

    #[test]
    fn a_pair_is_new_each_time() {
        let ((one, secret), (other, _)) = (generate(), generate());
        assert!(one != other && one.len() == PUBLIC && secret.len() == SECRET);
    }
}
