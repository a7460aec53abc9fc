//! The language of an answer.

use axum::http::{HeaderMap, header};

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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

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
}
