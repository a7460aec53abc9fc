//! Whether a browser sends a request on behalf of our own pages. A cookie counts only then: any page of any site can
//! make a browser send one along (forms, images, and WebSockets, which know no same-origin rule).

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Whether a page of ours came over TLS: a browser names its page's origin on every POST.
#[must_use]
pub fn is_secure(headers: &HeaderMap) -> bool {
    let origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    origin.is_some_and(|origin| origin.starts_with("https://"))
}

/// Whether the request comes from our own pages, or from no page at all.
///
/// `Sec-Fetch-Site` is the browser's own word and cannot be set by a page (Fetch Metadata, section 2.1). Browsers that
/// do not send it, or leave it out on a WebSocket, send `Origin`, which must name the host that was asked. A request
/// without both comes from no script in a browser.
#[must_use]
pub fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(ORIGIN.as_str()) else { return true };
    match (origin.split_once("://"), text(HOST.as_str())) {
        (Some((scheme, origin)), Some(asked)) => {
            let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
            let plain = |host: &str| host.strip_suffix(port).unwrap_or(host).to_ascii_lowercase();
            plain(origin) == plain(asked)
        }
        // `null`: a sandbox, a file, a redirect across origins.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn own(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri("/graphql").header("host", "loom.example:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_own(request.body(()).unwrap().headers())
    }

    #[test]
    fn own_pages_and_no_pages_count() {
        assert!(own(&[]));
        assert!(own(&[("origin", "http://loom.example:8080")]));
        assert!(own(&[("origin", "https://LOOM.example:8080")]));
        assert!(own(&[("sec-fetch-site", "same-origin"), ("origin", "http://behind.a.proxy")]));
        assert!(own(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn foreign_pages_do_not() {
        for headers in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "http://loom.example")],
            &[("origin", "http://loom.example:8080.evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://loom.example:8080")],
            &[("sec-fetch-site", "")],
        ] {
            assert!(!own(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        let request = Request::builder().uri("/graphql").header("host", "loom.example:443");
        let request = request.header("origin", "https://loom.example").body(()).unwrap();
        assert!(is_own(request.headers()));
    }
}
