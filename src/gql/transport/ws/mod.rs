//! WebSockets that speak `graphql-transport-ws` and nothing else (graphql-ws, PROTOCOL.md).
//!
//! Each socket is one task: it reads what the client says, runs its operations, and writes what they yield; while a
//! slow client has not read what was written, nothing else is read or run, so a socket's memory stays what it is.

mod message;
mod socket;

use async_graphql::Executor;
use async_graphql_axum::GraphQLProtocol;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::negotiate::Media;
use super::parameters::bad;
use super::{TransportGate, TransportState, answer, origin};
use crate::gql::error::ResponseContext;
use crate::http::Inlet;
use socket::Socket;

/// The one subprotocol.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// Bytes read at once. It is held for as long as the socket lives, and what clients say is short.
const READ: usize = 1024;
/// Bytes gathered before they are written, when several results are ready.
const WRITE: usize = 16 * 1024;

/// What a request that asks for a socket is asked itself: whether it is an upgrade, and whether a protocol of GraphQL is
/// offered with it.
pub(super) type WebSocketOffer =
    (Result<WebSocketUpgrade, WebSocketUpgradeRejection>, Result<GraphQLProtocol, StatusCode>);

/// Opens the socket, or says why not.
pub(super) fn upgrade<E: Executor, G: TransportGate>(
    door: TransportState<E, G>,
    headers: HeaderMap,
    inlet: Option<Inlet>,
    (upgrade, protocol): WebSocketOffer,
) -> Response {
    let caller = ResponseContext::of(&headers);
    let refuse = |status, reason: &str| answer::refuse(status, &bad(reason), &caller, Media::Json);
    if !origin::is_allowed(&headers, &door.settings.origins) {
        return refuse(StatusCode::FORBIDDEN, "pages of this origin may not open a socket here");
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]),
        Err(rejection) => return refuse(rejection.status(), &rejection.body_text()),
    };
    // The extractor takes the older protocol as well.
    let spoken = protocol.and_then(|_| upgrade.selected_protocol().ok_or(StatusCode::BAD_REQUEST));
    if let Err(status) = spoken {
        return refuse(status, "offer the subprotocol graphql-transport-ws");
    }
    // What the library bounds from the beginning to the end; what this caller may send now, the inlet does.
    let limit = door.settings.bodies.manager;
    upgrade
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(READ)
        .write_buffer_size(WRITE)
        .on_upgrade(move |connection| Socket::new((connection, inlet.unwrap_or_default()), door, caller).serve(headers))
}
