//! Where the server is: the address it listens on, the proxies in front of it, the zone in which it tells the time.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use chrono_tz::Tz;
use ipnet::IpNet;

use super::value::{Raw, Setting, quoted};

/// An address and a port to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    host: Option<String>,
    port: u16,
}

impl Listen {
    /// A name or an address; none: every address of the machine.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port; 0: a free one.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host() {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            host => write!(f, "{}:{}", host.unwrap_or_default(), self.port),
        }
    }
}

impl Setting for Listen {
    const EXPECTED: &'static str =
        "an address and a port, such as 127.0.0.1:8080, [::]:8080, localhost:8080, or :8080 for every address";

    fn read(raw: &Raw) -> Option<Self> {
        let (host, port) = raw.text()?.trim().rsplit_once(':')?;
        // A sign would be read, too.
        let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten()?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(six) => Some(six.parse::<Ipv6Addr>().ok()?.to_string()),
            None if host.is_empty() => None,
            None if is_name(host) => Some(host.to_owned()),
            None => return None,
        };
        Some(Self { host, port })
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

/// Whether this can be a host's name or an address of version 4.
fn is_name(host: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    // Digits and dots alone are an address, and then a whole one.
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    host.bytes().all(is_right) && (!is_number || host.parse::<IpAddr>().is_ok())
}

/// Networks by their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(pub Vec<IpNet>);

impl Setting for Networks {
    const EXPECTED: &'static str =
        "a list of networks or addresses, such as [\"10.0.0.0/8\", \"fd00::/8\", \"192.0.2.7\"]";

    fn read(raw: &Raw) -> Option<Self> {
        let network = |text: &String| match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => text.parse().ok(),
        };
        Vec::<String>::read(raw)?.iter().map(network).collect::<Option<_>>().map(Self)
    }

    fn show(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().show()
    }
}

/// Origins of pages, as a browser writes them: in small letters, without the port that its scheme stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Arc<[String]>);

impl Origins {
    /// These, or none where one of them is none.
    #[must_use]
    pub fn of(texts: &[String]) -> Option<Self> {
        texts.iter().map(|text| origin(text)).collect::<Option<Vec<_>>>().map(|origins| Self(origins.into()))
    }

    /// Whether the value of an `Origin` is one of them.
    #[must_use]
    pub fn contain(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == origin)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn origin(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let (scheme, rest) = text.strip_suffix('/').unwrap_or(&text).split_once("://")?;
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let rest = rest.strip_suffix(port).unwrap_or(rest);
    let (host, number) = match rest.rsplit_once(':') {
        Some((host, number)) if !number.ends_with(']') => (host, Some(number)),
        Some(_) | None => (rest, None),
    };
    let is_address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')?.parse::<Ipv6Addr>().ok()).is_some();
    let is_right = (!host.is_empty() && is_name(host)) || is_address;
    let is_port = number.is_none_or(|number| number.parse::<u16>().is_ok());
    (is_right && is_port).then(|| format!("{scheme}://{rest}"))
}

impl Setting for Origins {
    const EXPECTED: &'static str = "a list of origins, such as [\"https://ops.example.org\", \"http://10.0.0.7:3000\"]";

    fn read(raw: &Raw) -> Option<Self> {
        Self::of(&Vec::<String>::read(raw)?)
    }

    fn show(&self) -> String {
        self.0.to_vec().show()
    }
}

/// A zone by its name; none: the machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeZone(pub Option<Tz>);

impl Setting for TimeZone {
    const EXPECTED: &'static str = "a time zone such as Asia/Shanghai or Etc/UTC, or nothing for the machine's";

    fn read(raw: &Raw) -> Option<Self> {
        match raw.text()?.trim() {
            "" => Some(Self(None)),
            name => name.parse().ok().map(|zone| Self(Some(zone))),
        }
    }

    fn show(&self) -> String {
        quoted(self.0.map(Tz::name).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(text: &str) -> Option<T> {
        T::read(&Raw::Words(text.to_owned()))
    }

    #[test]
    fn an_address_may_be_short_a_name_or_of_either_version() {
        for (text, host) in [
            ("127.0.0.1:8080", Some("127.0.0.1")),
            (":8080", None),
            ("localhost:8080", Some("localhost")),
            ("ops-1.example.org:8080", Some("ops-1.example.org")),
            ("[::1]:8080", Some("::1")),
        ] {
            let listen = read::<Listen>(text).unwrap();
            assert_eq!((listen.host(), listen.port(), listen.to_string().as_str()), (host, 8080, text));
        }
        assert_eq!(read::<Listen>("127.0.0.1:0").unwrap().port(), 0);
        for wrong in
            ["8080", "", ":", "localhost", "::1:80", "[::1]", "[here]:80", ":65536", ":+80", "1.2.3:80", "a b:1"]
        {
            assert_eq!(read::<Listen>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        let networks = read::<Networks>("10.0.0.0/8, 192.0.2.7, fd00::1").unwrap();
        assert_eq!(networks.show(), r#"["10.0.0.0/8", "192.0.2.7/32", "fd00::1/128"]"#);
        assert_eq!(read::<Networks>("10.0.0.0/8, proxy"), None);
    }

    #[test]
    fn an_origin_is_as_a_browser_writes_it() {
        let origins = read::<Origins>("https://OPS.example.org/, http://10.0.0.7:3000, https://a:443, http://[::1]:80");
        let written = r#"["https://ops.example.org", "http://10.0.0.7:3000", "https://a", "http://[::1]"]"#;
        assert_eq!(origins.unwrap().show(), written);
        assert!(read::<Origins>("").unwrap().is_empty());
        for wrong in
            ["*", "null", "ops.example.org", "https://", "https://a/b", "ftp://a", "https://a b", "https://a:x"]
        {
            assert_eq!(read::<Origins>(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_zone_is_one_that_is_known() {
        assert_eq!(read::<TimeZone>("Asia/Shanghai").unwrap().show(), "\"Asia/Shanghai\"");
        assert_eq!(read::<TimeZone>("").unwrap(), TimeZone(None));
        assert_eq!(read::<TimeZone>("Asia/Shangri-La"), None);
    }
}
