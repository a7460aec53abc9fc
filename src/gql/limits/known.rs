//! Documents that were parsed and measured, and requests that were found valid. Both follow from the text and its
//! variables alone, so what is remembered never grows stale; it is bounded by the length of the texts.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::ExecutableDocument;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Sizes;

/// The longest text that is remembered; what pages and scripts ask is far shorter.
const LONGEST: usize = 8 * 1024;
/// All texts together, of either kind. A parsed document takes some ten times its text.
const TEXTS: u64 = 512 * 1024;
/// A guess for the first allocation.
const USUAL: usize = 256;

#[derive(Clone, Debug)]
struct TextLengthWeighter;

impl<V> Weighter<Box<str>, V> for TextLengthWeighter {
    fn weight(&self, key: &Box<str>, _value: &V) -> u64 {
        key.len() as u64
    }
}

/// A document and what was measured of it.
pub(super) struct Measured {
    pub(super) document: ExecutableDocument,
    pub(super) sizes: Sizes,
}

pub(super) struct DocumentCache {
    documents: Cache<Box<str>, Arc<Measured>, TextLengthWeighter>,
    valid: Cache<Box<str>, (), TextLengthWeighter>,
}

impl Default for DocumentCache {
    fn default() -> Self {
        Self {
            documents: Cache::with_weighter(USUAL, TEXTS, TextLengthWeighter),
            valid: Cache::with_weighter(USUAL, TEXTS, TextLengthWeighter),
        }
    }
}

impl DocumentCache {
    /// The document of this text, if it is remembered.
    pub(super) fn document(&self, text: &str) -> Option<Arc<Measured>> {
        if text.len() > LONGEST { None } else { self.documents.get(text) }
    }

    pub(super) fn keep_document(&self, text: &str, document: &Arc<Measured>) {
        if text.len() <= LONGEST {
            self.documents.insert(text.into(), document.clone());
        }
    }

    /// The key of a request with its variables, if it is short enough to have one, and whether it was found valid.
    pub(super) fn seen(&self, request: &Request) -> (Option<Box<str>>, bool) {
        let Ok(variables) = serde_json::to_string(&request.variables) else { return (None, false) };
        let operation = request.operation_name.as_deref().unwrap_or_default();
        // No name and no JSON holds a NUL, so three parts have one way to be put together.
        let key = [&request.query, operation, &variables].join("\0");
        if key.len() > LONGEST {
            return (None, false);
        }
        let seen = self.valid.get(key.as_str()).is_some();
        (Some(key.into()), seen)
    }

    /// Remembers a request that was valid.
    pub(super) fn keep_seen(&self, key: Box<str>) {
        self.valid.insert(key, ());
    }
}
