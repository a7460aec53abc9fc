//! Linkis's envelope, its statuses, and the words of its refusals.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::id::SERVICE;
use crate::error::{Error, Kind, code};

/// What every answer is; its keys are in this order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LinkisMessage)]
pub struct Message<T> {
    /// The path without `/rest_j/v1`.
    #[schema(example = "/api/entrance/7/status")]
    pub method: String,
    /// 0: done; 1: refused; -1: not signed in; 3: not allowed.
    #[schema(example = 0)]
    pub status: i32,
    /// `OK`, or what happened.
    pub message: String,
    /// What was asked for; an empty object when it was refused.
    pub data: T,
}

/// The envelope of what was refused, for the description.
#[expect(dead_code, reason = "described here, written by `send`")]
#[derive(ToSchema)]
#[schema(as = LinkisRefusal)]
pub struct LinkisRefusalBody {
    method: String,
    /// 1: refused; -1: not signed in; 3: not allowed.
    #[schema(example = 1)]
    status: i32,
    message: String,
    data: serde_json::Value,
}

/// What a route gives back: its words and its data.
#[derive(Debug)]
pub struct LinkisAnswer<T>(pub &'static str, pub T);

/// Why a call of this dialect is refused.
#[derive(Debug)]
pub enum LinkisRefusal {
    /// The product's words, without a number.
    Words(String),
    /// The product's number and words.
    Coded(u32, String),
    /// What the resolvers say.
    Of(Error),
}

impl From<Error> for LinkisRefusal {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

/// Nobody signed in.
pub const NOT_SIGNED_IN: &str = "You are not logged in, please login first(您尚未登录，请先登录)!";
const WRONG_PASSWORD: &str = "The user name or password is wrong(用户名或密码错误)!";

impl LinkisRefusal {
    /// In the product's words.
    pub fn words(text: impl Into<String>) -> Self {
        Self::Words(text.into())
    }

    /// These words when there is no such job, else what the resolvers say.
    pub fn or_unknown(error: Error, words: impl FnOnce() -> String) -> Self {
        if error.code().kind == Kind::NotFound { Self::Words(words()) } else { Self::Of(error) }
    }

    /// The envelope's status and message, and its data.
    pub fn encode(&self, instance: &str) -> (i32, String, Value) {
        match self {
            Self::Words(words) => (1, words.clone(), json!({})),
            Self::Coded(number, words) => {
                let (ip, port) = instance.rsplit_once(':').unwrap_or((instance, "0"));
                let port: u32 = port.parse().unwrap_or(0);
                let fault = json!({
                    "errCode": number, "desc": words, "ip": ip, "port": port, "serviceKind": SERVICE, "level": 2,
                });
                let message = format!("error code(错误码): {number}, error message(错误信息): {words}");
                (1, message, json!({"errorMsg": fault}))
            }
            Self::Of(error) => {
                let (status, message) = said(error);
                (status, message, json!({}))
            }
        }
    }
}

/// The one way from an error to a status and its words.
fn said(error: &Error) -> (i32, String) {
    let own = error.code();
    match own.kind {
        Kind::Unauthenticated if own == &code::BAD_CREDENTIALS => (-1, WRONG_PASSWORD.to_owned()),
        Kind::Unauthenticated => (-1, NOT_SIGNED_IN.to_owned()),
        Kind::Forbidden => (3, format!("You have no permission: {error}")),
        Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Limit | Kind::Unavailable | Kind::Internal => {
            (1, error.to_string())
        }
    }
}

/// The HTTP status of an envelope's.
#[must_use]
pub const fn http(status: i32) -> StatusCode {
    match status {
        0 => StatusCode::OK,
        -1 => StatusCode::UNAUTHORIZED,
        2 => StatusCode::PRECONDITION_FAILED,
        3 => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The answer, whatever the status in it.
pub fn send<T: Serialize>(http: StatusCode, message: &Message<T>) -> Response {
    let body = serde_json::to_vec(message).expect("invariant: the dialect's JSON has only text keys");
    (http, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numbered_refusal_says_where_it_comes_from() {
        let (status, message, data) = LinkisRefusal::Coded(20008, "no params".into()).encode("127.0.0.1:8080");
        assert_eq!((status, http(status).as_u16()), (1, 400));
        assert_eq!(message, "error code(错误码): 20008, error message(错误信息): no params");
        assert_eq!(
            serde_json::to_string(&data).unwrap(),
            r#"{"errorMsg":{"errCode":20008,"desc":"no params","ip":"127.0.0.1","port":8080,"serviceKind":"linkis-cg-entrance","level":2}}"#
        );
    }

    #[test]
    fn every_code_is_refused_by_a_status() {
        for own in code::ALL {
            let (status, message, _) = LinkisRefusal::from(Error::new(own)).encode("h:1");
            assert_ne!(status, 0, "{}", own.name);
            assert!(!message.is_empty());
            assert_eq!(status == -1, own.kind == Kind::Unauthenticated, "{}", own.name);
        }
    }
}
