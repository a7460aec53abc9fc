//! From where a request comes: the peer, or, where that is a proxy which the settings trust, whomever it names.
//!
//! Each proxy appends whom it was spoken to by, so the list is read from its end; what stands before the first address
//! that is no proxy's was written by the client, who may write what it likes. `X-Forwarded-For` is what proxies write;
//! `Forwarded` (RFC 7239) counts where that is absent, since a proxy that knows only one passes the other on unseen.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::FORWARDED;
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request is counted for, among its extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ClientAddress(IpAddr);

/// Where a request comes from; none: nobody knows, as in a test without a network.
#[must_use]
pub fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ClientAddress>().map(|client| client.0).or_else(|| peer(extensions))
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())
}

/// Writes the client's address among the extensions.
pub(super) async fn find(State(trusted): State<Arc<[IpNet]>>, mut request: Request, next: Next) -> Response {
    if let Some(peer) = peer(request.extensions()) {
        let client = ClientAddress(behind(peer, request.headers(), &trusted));
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

/// The last address that is no trusted proxy's. One that cannot be read hides what is behind it: then its proxy counts.
fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer;
    let mut hops = hops(headers).into_iter().rev();
    while is_trusted(client) {
        match hops.next() {
            Some(Some(hop)) => client = hop,
            Some(None) | None => break,
        }
    }
    client
}

/// The addresses as they were appended; none for one that cannot be read.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    if headers.contains_key(X_FORWARDED_FOR) {
        let values = headers.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or_default());
        return values.flat_map(|value| value.split(',')).map(host).collect();
    }
    let values = headers.get_all(FORWARDED).iter().map(|value| value.to_str().unwrap_or_default());
    values.flat_map(|value| split(value, ',')).map(element).collect()
}

/// What an element of `Forwarded` says of `for`.
fn element(element: &str) -> Option<IpAddr> {
    let pairs = split(element, ';');
    let value = pairs.into_iter().find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })?;
    host(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

/// Splits where the separator stands outside of quotation marks.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|letter: char| {
        let is_plain = !std::mem::take(&mut escaped);
        match letter {
            '\\' if quoted && is_plain => escaped = true,
            '"' if is_plain => quoted = !quoted,
            _ => {}
        }
        letter == separator && !quoted
    })
    .collect()
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn host(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().ok().or_else(with_port).or_else(in_brackets);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        behind(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn a_header_counts_from_a_trusted_proxy_alone() {
        assert_eq!(client("192.0.2.1", &[("x-forwarded-for", "198.51.100.7")]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "198.51.100.7")]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_s_counts() {
        let forged = [("x-forwarded-for", "1.2.3.4, 198.51.100.7, 10.9.9.9")];
        assert_eq!(client("10.0.0.1", &forged), "198.51.100.7");
        let lines = [("x-forwarded-for", "1.2.3.4,198.51.100.7"), ("x-forwarded-for", "10.9.9.9")];
        assert_eq!(client("10.0.0.1", &lines), "198.51.100.7", "lines follow each other");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "10.2.2.2, 10.3.3.3")]), "10.2.2.2", "all are proxies");
    }

    #[test]
    fn what_cannot_be_read_hides_what_is_behind_it() {
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "198.51.100.7, unknown")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[("x-forwarded-for", "198.51.100.7, , 10.9.9.9")]), "10.9.9.9");
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=198.51.100.7, for=_hidden")]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=198.51.100.7, proto=https")]), "10.0.0.1");
    }

    #[test]
    fn an_address_has_many_forms() {
        for (written, read) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", written)]), read);
        }
        assert_eq!(client("2001:db8:1::5", &[("x-forwarded-for", "198.51.100.7")]), "198.51.100.7");
    }

    #[test]
    fn forwarded_is_read_where_the_other_is_absent() {
        let header = r#"for=1.2.3.4;proto=http, For="[2001:db8::7]:4711";by="a,b;for=x", proto=https;for=10.9.9.9"#;
        assert_eq!(client("10.0.0.1", &[("forwarded", header)]), "2001:db8::7");
        let both = [("forwarded", "for=1.2.3.4"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(client("10.0.0.1", &both), "198.51.100.7");
    }
}
