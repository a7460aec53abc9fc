//! Where a vCenter is.
//!
//! Read once from what a person wrote. It refuses whatever leads elsewhere than to the API: other schemes, a user name
//! or password in it, another path, a query. `http`, for simulators, has to be written out: a password sent there can
//! be read on the way.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use reqwest::Url;

/// Where the API is served: `https://host[:port]/sdk`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Url);

/// A text that is no address of a vCenter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No host can be read from it.
    #[error("the address is not valid: write a host, host:port or https://host:port/sdk")]
    Unreadable,
    /// Neither `https` nor `http`.
    #[error("the address is not valid: only https, and http for simulators, are spoken")]
    Scheme,
    /// A user name or a password is in it.
    #[error("the address is not valid: it must not hold a user name or a password")]
    Credentials,
    /// It names something else than the API.
    #[error("the address is not valid: it ends with the host, its port or /sdk")]
    Path,
}

impl Address {
    /// Reads a bare host, a host and its port, or an address of `https` or `http`, with or without `/sdk`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let whole = match text {
            _ if text.contains("://") => text.to_owned(),
            _ if text.parse::<Ipv6Addr>().is_ok() => format!("https://[{text}]"),
            _ => format!("https://{text}"),
        };
        let mut url = Url::parse(&whole).map_err(|_| AddressError::Unreadable)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(AddressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Path);
        }
        match url.path().trim_end_matches('/').to_owned() {
            path if path.is_empty() => url.set_path("/sdk"),
            path if path.ends_with("/sdk") => url.set_path(&path),
            _ => return Err(AddressError::Path),
        }
        Ok(Self(url))
    }

    /// Whether nobody on the way can read along.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The list of versions, beside the API.
    pub(super) fn versions(&self) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}/vimServiceVersions.xml", self.0.path()));
        url
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_and_addresses() {
        for (text, is) in [
            ("vc.example.com", "https://vc.example.com/sdk"),
            (" vc.example.com:8443 ", "https://vc.example.com:8443/sdk"),
            ("10.0.0.9", "https://10.0.0.9/sdk"),
            ("fe80::9", "https://[fe80::9]/sdk"),
            ("[fe80::9]:8443", "https://[fe80::9]:8443/sdk"),
            ("vc.example.com/sdk", "https://vc.example.com/sdk"),
            ("https://vc.example.com:443", "https://vc.example.com/sdk"),
            ("https://vc.example.com/sdk/", "https://vc.example.com/sdk"),
            ("https://proxy/east/sdk", "https://proxy/east/sdk"),
            ("http://127.0.0.1:8989/sdk", "http://127.0.0.1:8989/sdk"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), is, "{text}");
        }
        let address = "vc".parse::<Address>().unwrap();
        assert_eq!(address.versions().as_str(), "https://vc/sdk/vimServiceVersions.xml");
        assert!(address.is_encrypted() && !Address::parse("http://vc").unwrap().is_encrypted());
    }

    #[test]
    fn refuses_what_leads_elsewhere() {
        for (text, why) in [
            ("", AddressError::Unreadable),
            ("https://", AddressError::Unreadable),
            ("a b", AddressError::Unreadable),
            ("ftp://vc", AddressError::Scheme),
            ("https://root:secret@vc", AddressError::Credentials),
            ("https://vc/ui", AddressError::Path),
            ("https://vc/sdk?x=1", AddressError::Path),
            ("vc/sdk#a", AddressError::Path),
        ] {
            assert_eq!(Address::parse(text), Err(why), "{text}");
            assert!(!why.to_string().contains("secret"));
        }
    }
}
