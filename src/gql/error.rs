//! The one way from the application's error to GraphQL's.
//!
//! Resolvers return [`Error`] with `?`: the library keeps it as the source of its own error. The door that answers
//! knows the caller's language and the request's id; there, and only there, [`finish`] writes the envelope:
//! `message`, and `extensions` with `code`, `faults`, `availableOperations`, `retryAfterSeconds`, `requestId`, those
//! that exist. Private causes go into the log and never into an answer.

use async_graphql::{ErrorExtensionValues, Name, PathSegment, Response, ServerError, Value};
use axum::http::{HeaderMap, StatusCode};

use crate::error::{Error, Fault, Kind, Language, code};
use crate::http::language;

/// Errors in one answer; a document can be wrong in ten thousand places.
const ERRORS: usize = 20;
/// Characters of one message; the parser quotes the line it stumbled over, and a line can be the whole document.
const MESSAGE: usize = 500;

/// Whom the answer is for.
#[derive(Clone, Debug, Default)]
pub struct ResponseContext {
    /// The language of messages.
    pub language: Language,
    /// `X-Request-Id`, under which the log has the private causes.
    pub request_id: Option<String>,
}

impl ResponseContext {
    /// Reads `Accept-Language` and `X-Request-Id`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let request_id = headers.get("x-request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Self { language: language(headers), request_id }
    }
}

/// The HTTP status of a request that was refused before it became a GraphQL request.
#[must_use]
pub fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Writes the envelope of every error in an answer, and cuts their number and length.
pub fn finish(response: &mut Response, caller: &ResponseContext) {
    if response.errors.is_empty() {
        return;
    }
    response.errors.truncate(ERRORS);
    for error in &mut response.errors {
        let own = error.source.as_ref().and_then(|source| source.downcast_ref::<Error>());
        match own {
            Some(own) => {
                log(own, caller, &error.path);
                let envelope = encode(own, caller);
                error.message = envelope.message;
                error.extensions = envelope.extensions;
            }
            None => complete(error, caller.language),
        }
        shorten(&mut error.message);
    }
}

/// One error that leaves outside of a field: logged and encoded.
#[must_use]
pub fn report(error: &Error, caller: &ResponseContext) -> ServerError {
    log(error, caller, &[]);
    encode(error, caller)
}

/// One error as GraphQL's, without a path.
#[must_use]
pub fn encode(error: &Error, caller: &ResponseContext) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", error.code().name);
    extensions.set("remedy", error.remedy(caller.language));
    if !error.list_faults().is_empty() {
        extensions.set("faults", Value::List(error.list_faults().iter().take(ERRORS).map(fault).collect()));
    }
    if let Some(available) = error.list_available() {
        let names = available.iter().map(|name| Value::Enum(Name::new(name)));
        extensions.set("availableOperations", Value::List(names.collect()));
    }
    if let Some(pause) = error.pause() {
        // Rounded up: a client that waits as told must not come too early.
        extensions.set("retryAfterSeconds", pause.as_millis().div_ceil(1000) as u64);
    }
    if let Some(id) = &caller.request_id {
        extensions.set("requestId", id.as_str());
    }
    let mut encoded = ServerError::new(error.message(caller.language), None);
    encoded.extensions = Some(extensions);
    encoded
}

fn fault(fault: &Fault) -> Value {
    let mut object = async_graphql::indexmap::IndexMap::new();
    object.insert(Name::new("path"), Value::String(fault.path.clone()));
    if let Some(line) = fault.line {
        object.insert(Name::new("line"), Value::from(line));
    }
    let mut message = fault.message.clone();
    shorten(&mut message);
    object.insert(Name::new("message"), Value::String(message));
    Value::Object(object)
}

/// The library's own errors get a code, too: a wrong document, or a wrong value where a path says that fields ran.
fn complete(error: &mut ServerError, language: Language) {
    let extensions = error.extensions.get_or_insert_default();
    if extensions.get("code").is_none() {
        let code = if error.path.is_empty() { &code::BAD_REQUEST } else { &code::INVALID_INPUT };
        extensions.set("code", code.name);
        extensions.set("remedy", Error::new(code).remedy(language));
    }
}

/// Logs what the caller is not told. Once, here, where the error leaves.
fn log(error: &Error, caller: &ResponseContext, path: &[PathSegment]) {
    let request_id = caller.request_id.as_deref().unwrap_or_default();
    let field = path.first().map(|segment| match segment {
        PathSegment::Field(name) => name.as_str(),
        PathSegment::Index(_) => "",
    });
    let (code, field) = (error.code().name, field.unwrap_or_default());
    match error.code().kind {
        Kind::Internal => tracing::error!(code, field, request_id, cause = error.chain(), "request failed"),
        Kind::Unavailable => tracing::warn!(code, field, request_id, cause = error.chain(), "request put off"),
        Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Unauthenticated | Kind::Forbidden | Kind::Limit => {
            tracing::debug!(code, field, request_id, "request refused");
        }
    }
}

fn shorten(message: &mut String) {
    if let Some((at, _)) = message.char_indices().nth(MESSAGE) {
        message.truncate(at);
        message.push('…');
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_envelope_has_what_exists_and_nothing_else() {
        let error = Error::new(&code::OPERATION_NOT_ALLOWED)
            .with("object", "subtask 7")
            .with("state", "RUNNING")
            .with("operation", "RETRY")
            .available(vec!["CANCEL".into()])
            .faults(vec![Fault { path: "input.id".into(), line: None, message: "is running".into() }])
            .retry_after(Duration::from_millis(1500));
        let mut response =
            Response::from_errors(vec![async_graphql::Error::from(error).into_server_error(Default::default())]);
        let caller = ResponseContext { language: Language::Zh, request_id: Some("r-1".into()) };
        finish(&mut response, &caller);
        let json = serde_json::to_value(&response.errors[0]).expect("serializes");
        assert_eq!(json["message"], "subtask 7 状态为 RUNNING，不能进行 RETRY");
        assert_eq!(
            json["extensions"],
            serde_json::json!({
                "code": "OPERATION_NOT_ALLOWED",
                "remedy": "`availableOperations` 说明当前允许的操作。",
                "faults": [{"path": "input.id", "message": "is running"}],
                "availableOperations": ["CANCEL"],
                "retryAfterSeconds": 2,
                "requestId": "r-1",
            })
        );
        let plain = encode(&Error::internal("secret"), &ResponseContext::default());
        let json = serde_json::to_value(&plain).expect("serializes");
        assert_eq!(json["extensions"], serde_json::json!({"code": "INTERNAL", "remedy": code::INTERNAL.remedy}));
        assert!(!json.to_string().contains("secret"));
    }

    #[test]
    fn errors_are_cut_in_number_and_length() {
        let errors = (0..100).map(|_| ServerError::new("界".repeat(10_000), None)).collect();
        let mut response = Response::from_errors(errors);
        finish(&mut response, &ResponseContext::default());
        assert_eq!(response.errors.len(), 20);
        assert_eq!(response.errors[0].message.chars().count(), 501);
    }
}
