//! The session cookie: an opaque random value. Scripts of the page cannot read it, other sites cannot make a browser
//! send it; [`super::origin`] checks the latter once more.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use super::secret;

pub const NAME: &str = "taskloom_session";

const LENGTH: usize = 43;

/// A new value, with 256 random bits.
#[must_use]
pub fn generate() -> String {
    secret::letters(LENGTH)
}

/// The value a request carries, if it could be one of ours; the first such of several.
#[must_use]
pub fn find(headers: &HeaderMap) -> Option<String> {
    find_named(headers, NAME)
}

/// The same under a name that an old client knows.
#[must_use]
pub fn find_named(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value);
    let well_formed = |value: &&str| value.len() == LENGTH && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    values.find(well_formed).map(str::to_owned)
}

/// When a browser sends a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// With requests of pages of the same site.
    Site,
    /// The same, over TLS alone.
    SiteAndTls,
    /// With those of any page over TLS: pages of other sites may use it.
    Tls,
}

/// The `Set-Cookie` that gives `value` to the browser for `idle`.
#[must_use]
pub fn set(value: &str, idle: Duration, bound: Bound) -> String {
    set_named(NAME, value, idle, bound)
}

/// The same under a name that an old client knows.
#[must_use]
pub fn set_named(name: &str, value: &str, idle: Duration, bound: Bound) -> String {
    let (site, secure) = match bound {
        Bound::Site => ("Strict", ""),
        Bound::SiteAndTls => ("Strict", "; Secure"),
        Bound::Tls => ("None", "; Secure"),
    };
    format!("{name}={value}; Path=/; HttpOnly; SameSite={site}; Max-Age={}{secure}", idle.as_secs())
}

/// The `Set-Cookie` that takes it away.
#[must_use]
pub fn clear(bound: Bound) -> String {
    set("", Duration::ZERO, bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, line.parse().unwrap());
        }
        find(&headers)
    }

    #[test]
    fn it_is_found_among_others() {
        let value = generate();
        assert_eq!(found(&[&format!("a=b; {NAME}={value}; c=d")]), Some(value.clone()));
        assert_eq!(found(&["a=b", &format!("{NAME}={value}")]), Some(value.clone()));
        assert_eq!(found(&[&format!("{NAME}=junk; {NAME}={value}")]), Some(value.clone()));
        assert_eq!(found(&[&format!("x{NAME}={value}"), "a=b", &format!("{NAME}=")]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn it_is_out_of_reach_of_scripts_and_other_sites() {
        let line = set("abc", Duration::from_secs(60), Bound::SiteAndTls);
        assert_eq!(line, "taskloom_session=abc; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
        assert!(!set("abc", Duration::from_secs(60), Bound::Site).contains("Secure"));
        assert!(set("abc", Duration::from_secs(60), Bound::Tls).contains("SameSite=None; Max-Age=60; Secure"));
        let cleared = clear(Bound::SiteAndTls);
        assert!(cleared.starts_with("taskloom_session=; ") && cleared.contains("Max-Age=0"));
    }
}
