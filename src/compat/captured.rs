//! What a path says where its route has a name in braces. Bytes that are no UTF-8 are replaced: no id has such
//! characters, so each route answers them as it answers any other id that names nothing.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

/// The `N` named segments of the path, in order; empty where the route has fewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured<const N: usize>(pub [String; N]);

impl<S: Sync, const N: usize> FromRequestParts<S> for Captured<N> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let pattern = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        Ok(Self(captured(pattern, parts.uri.path())))
    }
}

fn captured<const N: usize>(pattern: &str, path: &str) -> [String; N] {
    let named = pattern.split('/').zip(path.split('/')).filter(|(name, _)| name.starts_with('{'));
    let mut texts = named.map(|(_, text)| percent_decode_str(text).decode_utf8_lossy().into_owned());
    std::array::from_fn(|_| texts.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_whatever_their_bytes() {
        let pattern = "/a/{task}/b/{subtask}/c";
        assert_eq!(captured::<2>(pattern, "/a/1/b/2/c"), ["1", "2"]);
        assert_eq!(captured::<2>(pattern, "/a/%ff/b/%e5%90%8d/c"), ["\u{fffd}", "名"]);
        assert_eq!(captured::<1>(pattern, "/a/x%2Fy/b//c"), ["x/y"]);
        assert_eq!(captured::<1>("/a", "/a"), [""]);
    }
}
