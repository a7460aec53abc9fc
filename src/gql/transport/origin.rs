//! Which pages may open a WebSocket. A browser sends cookies with an upgrade from any page and asks nobody first, so
//! the server compares: the page's origin is its own, or one of those allowed. Programs send no origin and may.

use axum::http::{HeaderMap, Uri, header};

use crate::config::Origins;

/// Whether the upgrade may go on.
pub(super) fn is_allowed(headers: &HeaderMap, allowed: &Origins) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    if allowed.contain(origin) {
        return true;
    }
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(authority), Some(scheme)) = (uri.authority(), uri.scheme_str()) else { return false };
    // The scheme is not compared: behind a proxy that ends TLS the server does not know its own.
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let bare = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    bare(authority.as_str()) == bare(host)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn allowed(origin: &'static str, host: &'static str) -> bool {
        let pairs = [(header::ORIGIN, origin), (header::HOST, host)];
        let headers = pairs.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
        is_allowed(&headers, &Origins::of(&["https://console.example".to_owned()]).unwrap())
    }

    #[test]
    fn only_the_own_page_and_the_listed_ones_may() {
        assert!(allowed("http://localhost:8080", "localhost:8080"));
        assert!(allowed("https://Tasks.example", "tasks.example"));
        assert!(allowed("https://tasks.example", "tasks.example:443"));
        assert!(allowed("https://console.example", "tasks.example"));
        assert!(!allowed("https://evil.example", "tasks.example"));
        assert!(!allowed("https://tasks.example.evil", "tasks.example"));
        assert!(!allowed("http://localhost:3000", "localhost:8080"));
        assert!(!allowed("null", "localhost:8080"));
        assert!(!allowed("file://", "localhost:8080"));
        assert!(is_allowed(&HeaderMap::new(), &Origins::default()));
    }
}
