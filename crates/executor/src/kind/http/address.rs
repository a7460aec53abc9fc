//! Which addresses a request may go to: public ones, and the networks that the settings name.
//!
//! Looked at is what the connection is really made to: the numbers that a name resolves to, at each connection, so a
//! name that changes its mind between two looks gains nothing. Forms of IPv6 that carry an IPv4 address inside count
//! as that address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

pub(super) const REFUSED: &str = "leads to an address that is not public; `executor.http.allow` can allow its network";

/// Networks that are nobody's, or only for this host or its neighbours: the IANA registries of special addresses.
const SPECIAL: [&str; 22] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Of IPv6 only 2000::/3 is given out; within it:
    "::/3",
    "4000::/2",
    "8000::/1",
    "2001::/23",
    "2001:db8::/32",
    "2620:4f:8000::/48",
    "3fff::/20",
];

#[derive(Clone, Debug)]
pub(super) struct AddressGuard(Arc<Networks>);

#[derive(Debug)]
struct Networks {
    special: Vec<IpNet>,
    allowed: Vec<IpNet>,
}

impl AddressGuard {
    pub(super) fn new(allowed: &[IpNet]) -> Self {
        let special = SPECIAL.iter().map(|net| net.parse().expect("invariant: the table has networks")).collect();
        Self(Arc::new(Networks { special, allowed: allowed.to_vec() }))
    }

    /// Whether a connection may be made to this address.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        let address = inner(address).map_or(address, IpAddr::V4);
        let within = |nets: &[IpNet]| nets.iter().any(|net| net.contains(&address));
        within(&self.0.allowed) || !within(&self.0.special)
    }

    /// Whether a request may be sent to this place, as far as its text tells: a number is no name to be resolved.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{} is no address of http", url.scheme()));
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) if !self.admits(address) => Err(format!("{host} {REFUSED}")),
            _ => Ok(()),
        }
    }
}

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let keeper = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let open: Vec<SocketAddr> = found.into_iter().filter(|found| keeper.admits(found.ip())).collect();
            if open.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, AddressRefused).into());
            }
            Ok::<Addrs, _>(Box::new(open.into_iter()))
        })
    }
}

/// A name with no address that is open.
#[derive(Debug, thiserror::Error)]
#[error("{REFUSED}")]
pub(super) struct AddressRefused;

/// The IPv4 address that a form of IPv6 stands for: mapped, NAT64, 6to4.
fn inner(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    let bytes = address.octets();
    let at = |from: usize| Ipv4Addr::new(bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]);
    let nat64: Ipv6Addr = "64:ff9b::".parse().ok()?;
    match bytes {
        [0x20, 0x02, ..] => Some(at(2)),
        _ if bytes[..12] == nat64.octets()[..12] => Some(at(12)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_public_is_open() {
        let keeper = AddressGuard::new(&[]);
        for open in ["1.1.1.1", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "2a00:1450::1", "2002:0808:0808::1"] {
            assert!(keeper.admits(open.parse().unwrap()), "{open}");
        }
        for closed in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001::1",
            "fec0::1",
        ] {
            assert!(!keeper.admits(closed.parse().unwrap()), "{closed}");
        }
    }

    #[test]
    fn the_settings_open_networks_and_no_more() {
        let keeper = AddressGuard::new(&["10.1.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        for open in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
            assert!(keeper.admits(open.parse().unwrap()), "{open}");
        }
        for closed in ["10.2.0.1", "127.0.0.1", "::ffff:10.2.0.1"] {
            assert!(!keeper.admits(closed.parse().unwrap()), "{closed}");
        }
    }

    #[test]
    fn numbers_in_any_dress_are_looked_at() {
        let keeper = AddressGuard::new(&[]);
        for closed in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://127.1/",
            "http://[::1]/",
            "http://[::ffff:7f00:1]/",
            "http://user@127.0.0.1:80/",
            "http://①②⑦.⓪.⓪.①/",
            "ftp://example.org/",
            "file:///etc/passwd",
        ] {
            assert!(keeper.check(&Url::parse(closed).unwrap()).is_err(), "{closed}");
        }
        keeper.check(&Url::parse("https://example.org/x").unwrap()).unwrap();
    }
}
