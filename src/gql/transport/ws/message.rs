//! The messages of `graphql-transport-ws`, and the codes that sockets are closed with.

use std::borrow::Cow;

use async_graphql::{Response, ServerError};
use axum::extract::ws::{CloseFrame, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gql::transport::parameters::Parameters;

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    ConnectionInit { payload: Option<Value> },
    Subscribe { id: String, payload: Parameters },
    Complete { id: String },
    Ping {},
    Pong {},
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromServer<'a> {
    ConnectionAck,
    Next { id: &'a str, payload: &'a Response },
    Error { id: &'a str, payload: &'a [ServerError] },
    Complete { id: &'a str },
    Pong,
}

impl FromServer<'_> {
    pub(super) fn encode(&self) -> Message {
        let json = serde_json::to_string(self).expect("invariant: a message can be written as JSON");
        Message::Text(json.into())
    }
}

/// Why a socket is closed. The codes from 4400 are the protocol's; clients come back after the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Close {
    ServiceRestart = 1012,
    TooBig = 1009,
    TryAgainLater = 1013,
    Internal = 1011,
    BadRequest = 4400,
    Unauthorized = 4401,
    Forbidden = 4403,
    InitTimeout = 4408,
    IdInUse = 4409,
    TooManyInits = 4429,
}

impl Close {
    /// The frame. A reason has room for 123 bytes; a longer one would break the frame.
    pub(super) fn frame<'a>(self, reason: impl Into<Cow<'a, str>>) -> Message {
        let mut reason = reason.into().into_owned();
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Message::Close(Some(CloseFrame { code: self as u16, reason: reason.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let Message::Close(Some(frame)) = Close::BadRequest.frame("界".repeat(100)) else { panic!("a close frame") };
        assert_eq!((frame.code, frame.reason.len()), (4400, 123));
        let Message::Close(Some(frame)) = Close::BadRequest.frame(format!("a{}", "界".repeat(100))) else {
            panic!("a close frame")
        };
        assert_eq!(frame.reason.len(), 121);
    }
}
