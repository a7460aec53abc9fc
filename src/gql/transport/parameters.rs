//! A request as it comes in: the same four members in a POST body, a query string and a `subscribe` message. Wrong
//! types and batches are refused; unknown members are ignored, as clients add their own.

use async_graphql::{Extensions, Request, Variables};
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;

use crate::error::{Error, code};

/// The parameters of one operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<Extensions>,
}

impl Parameters {
    pub(super) fn from_body(body: &[u8]) -> Result<Self, Error> {
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => serde_json::from_slice(body).map_err(bad),
            Some(b'[') => Err(bad("batches are not taken: send one operation in a request")),
            Some(_) => Err(bad("the body must be a JSON object with the member `query`")),
            None => Err(bad("the body is empty: send a JSON object with the member `query`")),
        }
    }

    /// Reads a query string.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, Error> {
        let Query(text) = Query::<QueryStringParameters>::try_from_uri(uri).map_err(bad)?;
        Ok(Self {
            query: text.query.ok_or_else(|| bad("the query string lacks `query`"))?,
            operation_name: text.operation_name.filter(|name| !name.is_empty()),
            variables: member("variables", text.variables.as_deref())?,
            extensions: member("extensions", text.extensions.as_deref())?,
        })
    }
}

impl From<Parameters> for Request {
    fn from(parameters: Parameters) -> Self {
        let mut request = Self::new(parameters.query).variables(parameters.variables.unwrap_or_default());
        request.operation_name = parameters.operation_name;
        if let Some(extensions) = parameters.extensions {
            request.extensions = extensions;
        }
        request
    }
}

/// The parameters as text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryStringParameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn member<T: for<'de> Deserialize<'de>>(name: &str, text: Option<&str>) -> Result<Option<T>, Error> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => serde_json::from_str(text).map_err(|error| bad(format!("`{name}`: {error}"))),
    }
}

/// The request cannot be read.
pub(super) fn bad(reason: impl std::fmt::Display) -> Error {
    Error::new(&code::BAD_REQUEST).with("reason", reason)
}
