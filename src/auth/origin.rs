//! Whether a browser sends a request on behalf of our own pages, or of those that the settings name. A cookie counts only
//! then: any page of any site can make a browser send one along (forms, images, and WebSockets, which know no same-origin
//! rule).

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN, REFERER};

use super::cookie::Bound;
use crate::config::Origins;

/// To what a cookie is bound that this page is given: a browser names its page's origin on every POST.
#[must_use]
pub fn bound(headers: &HeaderMap, foreign: &Origins) -> Bound {
    let is_secure = text(headers, ORIGIN.as_str()).is_some_and(|origin| origin.starts_with("https://"));
    match (is_secure, foreign.is_empty()) {
        (false, _) => Bound::Site,
        (true, true) => Bound::SiteAndTls,
        // Pages of other sites may use it; which ones, is looked at when it comes.
        (true, false) => Bound::Tls,
    }
}

/// Whether the request comes from our own pages, from one that may speak as they do, or from no page at all.
///
/// `Sec-Fetch-Site` is the browser's own word and cannot be set by a page (Fetch Metadata, section 2.1). Browsers that
/// do not send it, or leave it out on a WebSocket, send `Origin`, which must name the host that was asked. A request
/// without both comes from no script in a browser.
#[must_use]
pub fn is_own(headers: &HeaderMap, foreign: &Origins) -> bool {
    let origin = text(headers, ORIGIN.as_str());
    if origin.is_some_and(|origin| foreign.contain(origin)) {
        return true;
    }
    if let Some(site) = text(headers, "sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    origin.is_none_or(|origin| is_of_host(origin, headers))
}

/// Whether a page of ours, or one that may speak as they do, asks for something to be done, or no page at all: a link that
/// somebody was made to follow is not enough.
#[must_use]
pub fn is_meant(headers: &HeaderMap, foreign: &Origins) -> bool {
    if text(headers, ORIGIN.as_str()).is_some_and(|origin| foreign.contain(origin)) {
        return true;
    }
    if let Some(site) = text(headers, "sec-fetch-site") {
        return site == "same-origin";
    }
    let of_referer = |referer: &str| {
        let origin = referer.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        is_of_host(&origin, headers) || foreign.contain(&origin)
    };
    is_own(headers, foreign) && text(headers, REFERER.as_str()).is_none_or(of_referer)
}

/// A header's value; empty where it is no text, which no right one is.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

/// Whether an origin is the host that was asked. The scheme is not compared: behind a proxy that ends TLS the server does
/// not know its own.
fn is_of_host(origin: &str, headers: &HeaderMap) -> bool {
    match (origin.split_once("://"), text(headers, HOST.as_str())) {
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

    fn headers(headers: &[(&str, &str)]) -> HeaderMap {
        let mut request = Request::builder().uri("/graphql").header("host", "loom.example:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().headers().clone()
    }

    fn own(sent: &[(&str, &str)]) -> bool {
        is_own(&headers(sent), &Origins::default())
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
        for sent in [
            &[("origin", "http://evil.example")][..],
            &[("origin", "http://loom.example")],
            &[("origin", "http://loom.example:8080.evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://loom.example:8080")],
            &[("sec-fetch-site", "")],
        ] {
            assert!(!own(sent), "{sent:?}");
        }
    }

    #[test]
    fn pages_that_the_settings_name_speak_as_our_own() {
        let named = Origins::of(&["https://ops.example".to_owned()]).unwrap();
        for site in ["same-site", "cross-site"] {
            let sent = headers(&[("origin", "https://ops.example"), ("sec-fetch-site", site)]);
            assert!(is_own(&sent, &named) && is_meant(&sent, &named) && !is_own(&sent, &Origins::default()));
        }
        for origin in ["http://ops.example", "https://ops.example.evil", "https://ops.example:8443", "null"] {
            let sent = headers(&[("origin", origin), ("sec-fetch-site", "cross-site")]);
            assert!(!is_own(&sent, &named) && !is_meant(&sent, &named), "{origin}");
        }
        assert!(is_own(&headers(&[("origin", "http://loom.example:8080")]), &named));
    }

    #[test]
    fn a_foreign_page_cannot_make_a_browser_do_anything() {
        let meant = |sent: &[(&str, &str)]| is_meant(&headers(sent), &Origins::default());
        assert!(meant(&[]));
        assert!(meant(&[("sec-fetch-site", "same-origin")]));
        assert!(meant(&[("referer", "http://loom.example:8080/page")]));
        for sent in [
            &[("sec-fetch-site", "none")][..],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "http://evil.example")],
            &[("referer", "http://evil.example/page")],
            &[("referer", "http://loom.example:8080.evil.example/")],
        ] {
            assert!(!meant(sent), "{sent:?}");
        }
    }

    #[test]
    fn a_cookie_is_bound_to_the_site_unless_the_settings_name_pages_of_another() {
        let page = |origin| headers(&[("origin", origin)]);
        let named = Origins::of(&["https://ops.example".to_owned()]).unwrap();
        assert_eq!(bound(&page("http://loom.example"), &named), Bound::Site);
        assert_eq!(bound(&page("https://loom.example"), &Origins::default()), Bound::SiteAndTls);
        assert_eq!(bound(&page("https://loom.example"), &named), Bound::Tls);
        assert_eq!(bound(&headers(&[]), &named), Bound::Site);
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        let request = Request::builder().uri("/graphql").header("host", "loom.example:443");
        let request = request.header("origin", "https://loom.example").body(()).unwrap();
        assert!(is_own(request.headers(), &Origins::default()));
    }
}
