//! Media types, as the GraphQL-over-HTTP specification has them: which one an answer takes, which one a request may
//! have. A form or plain text is no GraphQL request: a page of another site could send one without asking first.

use axum::http::{HeaderMap, HeaderValue, header};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was executed.
    Response,
    /// `application/json`, for clients from before it: 200 even for a document that is refused.
    Json,
    /// `text/event-stream`: GraphQL over SSE, distinct connections.
    Events,
}

impl Media {
    /// The `Content-Type`.
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Response => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Events => "text/event-stream",
        })
    }
}

/// The media type with the best `q`; among equals the one named rather than meant by a wildcard, and of those the
/// newer. None when nothing fits: 406.
pub(super) fn accept(headers: &HeaderMap) -> Option<Media> {
    if !headers.contains_key(header::ACCEPT) {
        return Some(Media::Json);
    }
    let mut best: Option<(f32, u8, Media)> = None;
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let (rank, media) = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/graphql-response+json" => (3, Media::Response),
            "application/json" => (2, Media::Json),
            "text/event-stream" => (1, Media::Events),
            "application/*" | "*/*" => (0, Media::Json),
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |q| q.parse().unwrap_or(0.0));
        if weight > 0.0 && best.is_none_or(|(w, r, _)| (weight, rank) > (w, r)) {
            best = Some((weight, rank, media));
        }
    }
    best.map(|(_, _, media)| media)
}

/// Whether a request's body is JSON in UTF-8.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    parts.next().as_deref() == Some("application/json")
        && parts
            .filter_map(|part| part.strip_prefix("charset=").map(|set| set.trim_matches('"').to_owned()))
            .all(|set| set == "utf-8" || set == "utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &'static str) -> Option<Media> {
        accept(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_best_weight_wins_and_names_beat_wildcards() {
        assert_eq!(accept(&HeaderMap::new()), Some(Media::Json));
        assert_eq!(of("*/*"), Some(Media::Json));
        assert_eq!(of("application/graphql-response+json, application/json;q=0.9"), Some(Media::Response));
        assert_eq!(of("application/json, application/graphql-response+json"), Some(Media::Response));
        assert_eq!(of("application/graphql-response+json;q=0.5, application/json; charset=utf-8"), Some(Media::Json));
        assert_eq!(of("text/html, */*;q=0.1"), Some(Media::Json));
        assert_eq!(of("text/event-stream"), Some(Media::Events));
        assert_eq!(of("text/event-stream, application/json;q=0.5"), Some(Media::Events));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json;q=0"), None);
    }

    #[test]
    fn only_json_in_utf8_is_a_request() {
        let with = |value| is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]));
        assert!(
            with("application/json")
                && with("Application/JSON; charset=UTF-8")
                && with("application/json;charset=\"utf-8\"")
        );
        assert!(
            !with("text/plain")
                && !with("application/x-www-form-urlencoded")
                && !with("multipart/form-data; boundary=x")
        );
        assert!(!with("application/json; charset=utf-16") && !with("application/jsonx") && !is_json(&HeaderMap::new()));
    }
}
