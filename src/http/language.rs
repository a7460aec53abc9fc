//! The language of an answer.

use axum::http::{HeaderMap, HeaderValue, header};
use serde_json::Value;

use crate::error::Language;

/// The best of `Accept-Language`'s languages that messages exist in; English otherwise.
#[must_use]
pub fn language(headers: &HeaderMap) -> Language {
    let mut best = (0.0, Language::En);
    let ranges = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    for range in ranges.flat_map(|value| value.split(',')) {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        let language = match primary.to_ascii_lowercase().as_str() {
            "zh" => Language::Zh,
            "en" => Language::En,
            _ => continue,
        };
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(1.0_f32);
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// Puts the language that a `connection_init` payload names (`Accept-Language` or `language`, itself or among its
/// `headers`) into the headers of its upgrade, which a page cannot set.
pub fn take_language(payload: &Value, headers: &mut HeaderMap) {
    let Some(members) = payload.as_object() else { return };
    let inside = members.get("headers").and_then(Value::as_object);
    let named = members.iter().chain(inside.into_iter().flatten()).find(|(name, _)| {
        ["accept-language", "acceptlanguage", "language"].iter().any(|known| name.eq_ignore_ascii_case(known))
    });
    let value = named.and_then(|(_, value)| HeaderValue::from_str(value.as_str()?).ok());
    if let Some(value) = value {
        headers.insert(header::ACCEPT_LANGUAGE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(value: &'static str) -> Language {
        language(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_best_known_language_wins() {
        assert_eq!(prefers("zh-CN,zh;q=0.9,en;q=0.8"), Language::Zh);
        assert_eq!(prefers("fr, en;q=0.5, zh-TW;q=0.7"), Language::Zh);
        assert_eq!(prefers("en-GB, zh"), Language::En);
        assert_eq!(prefers("fr"), Language::En);
        assert_eq!(language(&HeaderMap::new()), Language::En);
    }

    #[test]
    fn a_payload_may_name_the_language() {
        let chosen = |payload| {
            let mut headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"))]);
            take_language(&payload, &mut headers);
            language(&headers)
        };
        for payload in [
            serde_json::json!({"Accept-Language": "zh-CN"}),
            serde_json::json!({"language": "zh"}),
            serde_json::json!({"headers": {"accept-language": "fr, zh;q=0.5"}}),
        ] {
            assert_eq!(chosen(payload), Language::Zh);
        }
        for payload in [serde_json::json!({}), serde_json::json!(null), serde_json::json!({"language": 7})] {
            assert_eq!(chosen(payload), Language::En);
        }
    }
}
