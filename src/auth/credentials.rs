//! What a request says about who sends it, still unproved.
//!
//! What is sent on purpose decides: a WebSocket's init payload over the `Authorization` header over the cookie, which
//! a browser adds by itself. What is malformed is refused, never skipped: a caller who meant to sign in must not go on
//! as somebody else.

use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::signature::Signed;
use super::{cookie, origin};
use crate::config::Origins;
use crate::error::{Error, Result, code};
use crate::text;

/// Of one `Authorization`; nothing we accept is longer.
const MAX_BYTES: usize = 4 * 1024;

/// RFC 7617 wants padding; there are clients that leave it out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Unproved credentials. `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// None were sent.
    Nothing,
    /// A user's name and password.
    Password {
        name: String,
        /// As typed.
        password: String,
    },
    /// A bearer token.
    Token(String),
    /// The value of our cookie, on a request of our own pages.
    Session(String),
    /// A request that was signed with an access key.
    Signed(Signed),
}

impl Credentials {
    /// Reads the headers of a request. A cookie counts on our own pages, and on those of these origins.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS` when there is an `Authorization` that cannot be one.
    pub fn read(headers: &HeaderMap, foreign: &Origins) -> Result<Self> {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        match (lines.next(), lines.next()) {
            (None, _) if origin::is_own(headers, foreign) => {
                Ok(cookie::find(headers).map_or(Self::Nothing, Self::Session))
            }
            (None, _) => Ok(Self::Nothing),
            (Some(line), None) => line.to_str().map_err(|_| bad()).and_then(parse),
            (Some(_), Some(_)) => Err(bad()),
        }
    }

    /// Reads the payload of a WebSocket's `connection_init`; none when it speaks of no credentials, so those of the
    /// handshake count. Known forms: `{"authorization": "Bearer …"}` in any case, the same inside `headers`, and
    /// `{"token": "tl_…"}`.
    ///
    /// # Errors
    /// `BAD_CREDENTIALS` when there are some that cannot be ones.
    pub fn from_payload(payload: &Value) -> Result<Option<Self>> {
        let Some(members) = payload.as_object() else { return Ok(None) };
        let inside = members.get("headers").and_then(Value::as_object);
        for (name, value) in members.iter().chain(inside.into_iter().flatten()) {
            let read = match name.to_ascii_lowercase().as_str() {
                "authorization" => parse,
                "token" => token,
                _ => continue,
            };
            return value.as_str().ok_or_else(bad).and_then(read).map(Some);
        }
        Ok(None)
    }
}

/// Reads the value of an `Authorization` header.
fn parse(line: &str) -> Result<Credentials> {
    let (scheme, rest) = line.trim().split_once(' ').ok_or_else(bad)?;
    if rest.len() > MAX_BYTES {
        return Err(bad());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => basic(rest.trim()),
        "bearer" => token(rest.trim()),
        _ => Err(bad()),
    }
}

fn token(text: &str) -> Result<Credentials> {
    if text.is_empty() || text.len() > MAX_BYTES { Err(bad()) } else { Ok(Credentials::Token(text.to_owned())) }
}

fn basic(encoded: &str) -> Result<Credentials> {
    let decoded = BASE64.decode(encoded).map_err(|_| bad())?;
    let pair = String::from_utf8(decoded).map_err(|_| bad())?;
    match pair.split_once(':') {
        // No user has such a name, and no store could look for it.
        Some((name, _)) if !text::is_storable(name) => Err(bad()),
        Some((name, password)) if !name.is_empty() => {
            Ok(Credentials::Password { name: name.to_owned(), password: password.to_owned() })
        }
        _ => Err(bad()),
    }
}

fn bad() -> Error {
    Error::new(&code::BAD_CREDENTIALS)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Password { name, .. } => write!(f, "Password {{ name: {name:?} }}"),
            Self::Token(_) => f.write_str("Token"),
            Self::Session(_) => f.write_str("Session"),
            Self::Signed(signed) => signed.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde_json::json;

    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<Credentials> {
        let mut request = Request::builder().uri("/graphql").header("host", "loom.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Credentials::read(request.body(()).unwrap().headers(), &Origins::default())
    }

    fn ann() -> Credentials {
        Credentials::Password { name: "ann".into(), password: "a:b".into() }
    }

    #[test]
    fn headers_are_read() {
        assert_eq!(read(&[]).unwrap(), Credentials::Nothing);
        assert_eq!(read(&[("authorization", "Basic YW5uOmE6Yg==")]).unwrap(), ann());
        assert_eq!(read(&[("authorization", "bAsIc YW5uOmE6Yg")]).unwrap(), ann());
        assert_eq!(read(&[("authorization", "bearer  tl_x ")]).unwrap(), Credentials::Token("tl_x".into()));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for line in
            ["", "Basic", "Basic !!!", "Basic YW5u", "Basic OnB3", "Basic gA==", "Bearer ", "Digest x=y", "tl_x"]
        {
            let refused = read(&[("authorization", line)]).unwrap_err();
            assert_eq!(refused.code(), &code::BAD_CREDENTIALS, "{line}");
        }
        read(&[("authorization", "Bearer a"), ("authorization", "Bearer b")]).unwrap_err();
        read(&[("authorization", &format!("Bearer {}", "x".repeat(MAX_BYTES + 1)))]).unwrap_err();
    }

    #[test]
    fn a_header_goes_before_a_cookie_and_is_never_skipped() {
        let cookie = format!("{}={}", cookie::NAME, cookie::generate());
        assert!(matches!(read(&[("cookie", &cookie)]).unwrap(), Credentials::Session(_)));
        assert_eq!(read(&[("cookie", &cookie), ("authorization", "Basic YW5uOmE6Yg==")]).unwrap(), ann());
        read(&[("cookie", &cookie), ("authorization", "nonsense")]).unwrap_err();
    }

    #[test]
    fn a_cookie_on_behalf_of_another_site_is_none() {
        let cookie = format!("{}={}", cookie::NAME, cookie::generate());
        for (name, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            assert_eq!(read(&[("cookie", &cookie), (name, value)]).unwrap(), Credentials::Nothing);
        }
    }

    #[test]
    fn payloads_are_read() {
        let found = |payload| Credentials::from_payload(&payload).unwrap();
        let token = Some(Credentials::Token("tl_x".into()));
        assert_eq!(found(json!({"authorization": "Bearer tl_x"})), token);
        assert_eq!(found(json!({"Authorization": "Bearer tl_x"})), token);
        assert_eq!(found(json!({"headers": {"Authorization": "Bearer tl_x"}})), token);
        assert_eq!(found(json!({"token": "tl_x"})), token);
        assert_eq!(found(json!({"authorization": "Basic YW5uOmE6Yg=="})), Some(ann()));
        assert_eq!(found(json!({"other": 1})), None);
        assert_eq!(found(json!(null)), None);
        Credentials::from_payload(&json!({"authorization": 7})).unwrap_err();
        Credentials::from_payload(&json!({"token": ""})).unwrap_err();
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", ann()), "Password { name: \"ann\" }");
        assert_eq!(format!("{:?}", Credentials::Token("tl_x".into())), "Token");
    }
}
