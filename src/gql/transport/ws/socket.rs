//! One socket's life: `connection_init` within its time, then operations, until either side ends it.
//!
//! One task owns all of it. Woken by a message, by a result, by its one timer, by the end of the admission or of the
//! server. An operation lives in `operations` from `subscribe` until it ends or the client completes it, so an id is
//! free again exactly when the client may use it again.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;

use async_graphql::{Data, Executor};
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use axum::http::HeaderMap;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, SinkExt};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_stream::{StreamExt, StreamMap};

use super::super::operation::{self, Asked, Output};
use super::super::parameters::Parameters;
use super::super::{TransportGate, TransportState, answer};
use super::message::{Close, FromClient, FromServer};
use crate::error::{Error, Kind, code};
use crate::gql::error::{self, ResponseContext};
use crate::gql::limits::{Payer, PlacePermit};
use crate::http::{Inlet, language, take_language};

/// Bytes of an operation's id: clients number or use uuids.
const ID: usize = 128;
/// Bytes that may have been read beyond a message, and those of its frames.
const READ_AHEAD: usize = 8 * 1024;
/// Results written together when they are ready together.
const BATCH: usize = 64;

/// Why the socket's task ends.
enum SocketEnd {
    /// Nobody listens any more.
    Gone,
    /// The client is told.
    Close(Message),
}

pub(super) struct Socket<E, G> {
    connection: WebSocket,
    inlet: Inlet,
    /// Bytes of one message.
    most: usize,
    door: TransportState<E, G>,
    caller: Arc<ResponseContext>,
    /// Of the admitted caller; none before `connection_init`.
    data: Option<Arc<Data>>,
    lapse: Option<BoxFuture<'static, ()>>,
    /// Its place among the caller's sockets.
    place: Option<PlacePermit>,
    operations: StreamMap<String, BoxStream<'static, Output>>,
    /// A ping was sent, and nothing has come since.
    unanswered: bool,
}

impl<E: Executor, G: TransportGate> Socket<E, G> {
    pub(super) fn new(
        (connection, inlet): (WebSocket, Inlet),
        door: TransportState<E, G>,
        caller: ResponseContext,
    ) -> Self {
        let (caller, most) = (Arc::new(caller), door.settings.bodies.of(None));
        let (data, lapse, place, operations) = (None, None, None, StreamMap::new());
        Self { connection, inlet, most, door, caller, data, lapse, place, operations, unanswered: false }
    }

    /// Serves until the end, and says goodbye.
    pub(super) async fn serve(mut self, headers: HeaderMap) {
        let end = self.live(headers).await;
        self.operations.clear();
        let SocketEnd::Close(frame) = end else { return };
        let limit = self.door.settings.socket.send;
        if matches!(timeout(limit, self.connection.send(frame)).await, Ok(Ok(()))) {
            // Closed with unread input, the connection would be reset and the reason lost with it.
            let _ = timeout(limit, async { while let Some(Ok(_)) = self.connection.recv().await {} }).await;
        }
    }

    async fn live(&mut self, headers: HeaderMap) -> SocketEnd {
        let mut headers = Some(headers);
        let stop = self.door.settings.stop.clone();
        let mut stop = std::pin::pin!(stop.cancelled_owned());
        let mut timer = std::pin::pin!(sleep(self.door.settings.socket.init));
        self.inlet.allow((self.most + READ_AHEAD) as u64);
        loop {
            let step = tokio::select! {
                message = self.connection.recv() => match message {
                    Some(Ok(message)) => {
                        let heard = self.hear(message, &mut headers).await;
                        self.inlet.allow((self.most + READ_AHEAD) as u64);
                        heard
                    }
                    Some(Err(error)) => Err(broken(&error)),
                    None => Err(SocketEnd::Gone),
                },
                Some((id, output)) = self.operations.next(), if !self.operations.is_empty() => self.tell(id, output).await,
                () = &mut timer => self.tick(timer.as_mut()).await,
                () = lapsed(&mut self.lapse) => Err(SocketEnd::Close(Close::Forbidden.frame("the sign-in has ended"))),
                () = &mut stop => Err(SocketEnd::Close(Close::ServiceRestart.frame("the server is stopping"))),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// A message of the client. `headers` are those of the upgrade, until `connection_init` has used them.
    async fn hear(&mut self, message: Message, headers: &mut Option<HeaderMap>) -> Result<(), SocketEnd> {
        self.unanswered = false;
        let text = match &message {
            Message::Text(text) if text.len() > self.most => return Err(too_big()),
            Message::Text(text) => text.as_str(),
            Message::Binary(_) => return Err(SocketEnd::Close(Close::BadRequest.frame("messages are text"))),
            Message::Close(_) => return Err(SocketEnd::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()), // the connection itself has answered
        };
        let message =
            serde_json::from_str(text).map_err(|error| SocketEnd::Close(Close::BadRequest.frame(error.to_string())))?;
        match message {
            FromClient::ConnectionInit { payload } => {
                let Some(mut headers) = headers.take() else {
                    return Err(SocketEnd::Close(Close::TooManyInits.frame("Too many initialisation requests")));
                };
                if let Some(payload) = &payload {
                    take_language(payload, &mut headers);
                    self.caller = Arc::new(ResponseContext {
                        language: language(&headers),
                        ..ResponseContext::clone(&self.caller)
                    });
                }
                let entry = self.door.gate.admit(&headers, payload.as_ref()).await;
                let entry = entry.map_err(|error| SocketEnd::Close(self.turn_away(&error)))?;
                let caller = Payer::among(&entry.data).map(|payer| payer.caller);
                let place = self.door.sockets.take(caller, None);
                self.place = Some(place.map_err(|error| SocketEnd::Close(self.turn_away(&error)))?);
                self.data = Some(Arc::new(answer::furnish(entry.data, &self.caller)));
                self.lapse = entry.lapse;
                self.most = self.door.settings.bodies.of(entry.role);
                self.send(FromServer::ConnectionAck.encode()).await
            }
            FromClient::Subscribe { id, payload } => self.subscribe(id, payload).await,
            FromClient::Complete { id } => {
                self.operations.remove(&id);
                Ok(())
            }
            FromClient::Ping {} => self.send(FromServer::Pong.encode()).await,
            FromClient::Pong {} => Ok(()),
        }
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), SocketEnd> {
        let Some(data) = self.data.clone() else {
            return Err(SocketEnd::Close(Close::Unauthorized.frame("Unauthorized")));
        };
        if id.len() > ID {
            return Err(SocketEnd::Close(Close::BadRequest.frame(format!("an id has at most {ID} bytes"))));
        }
        if self.operations.contains_key(&id) {
            return Err(SocketEnd::Close(Close::IdInUse.frame(format!("Subscriber for {id} already exists"))));
        }
        if self.operations.len() >= self.door.settings.socket.operations {
            let error =
                Error::new(&code::TOO_MANY_REQUESTS).with("what", "operations on this socket").with("seconds", 1);
            let errors = [error::report(&error, &self.caller)];
            return self.send(FromServer::Error { id: &id, payload: &errors }.encode()).await;
        }
        let asked =
            Asked { request: parameters.into(), mutations: true, session: Some(data), caller: self.caller.clone() };
        let operation = operation::run(&self.door, asked);
        self.operations.insert(id, operation);
        Ok(())
    }

    /// Sends a result, and with it those that are ready as well.
    async fn tell(&mut self, id: String, output: Output) -> Result<(), SocketEnd> {
        let (mut id, mut output) = (id, output);
        for left in (0..BATCH).rev() {
            let message = match &output {
                Output::Next(response) => FromServer::Next { id: &id, payload: response },
                Output::Failed(errors) => FromServer::Error { id: &id, payload: errors },
                Output::Complete => FromServer::Complete { id: &id },
            };
            let message = message.encode();
            if !matches!(output, Output::Next(_)) {
                self.operations.remove(&id);
            }
            self.in_time(async |connection| connection.feed(message).await).await?;
            if left == 0 {
                break;
            }
            match self.operations.next().now_or_never() {
                Some(Some(next)) => (id, output) = next,
                Some(None) | None => break,
            }
        }
        self.in_time(async |connection| connection.flush().await).await
    }

    /// The timer: the time for `connection_init` is over, or the next ping is due.
    async fn tick(&mut self, timer: Pin<&mut Sleep>) -> Result<(), SocketEnd> {
        if self.data.is_none() {
            return Err(SocketEnd::Close(Close::InitTimeout.frame("Connection initialisation timeout")));
        }
        if self.unanswered {
            return Err(SocketEnd::Gone);
        }
        self.unanswered = true;
        timer.reset(Instant::now() + self.door.settings.socket.ping);
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), SocketEnd> {
        self.in_time(async |connection| connection.send(message).await).await
    }

    /// Writes within the time that a client has for reading.
    async fn in_time(
        &mut self,
        write: impl AsyncFnOnce(&mut WebSocket) -> Result<(), axum::Error>,
    ) -> Result<(), SocketEnd> {
        let limit = self.door.settings.socket.send;
        match timeout(limit, write(&mut self.connection)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(SocketEnd::Gone),
        }
    }

    /// The gate's refusal: for good, or for now.
    fn turn_away(&self, error: &Error) -> Message {
        let close = match error.code().kind {
            Kind::Unauthenticated | Kind::Forbidden => Close::Forbidden,
            Kind::Limit | Kind::Unavailable => Close::TryAgainLater,
            Kind::Invalid => Close::BadRequest,
            Kind::NotFound | Kind::Conflict | Kind::Internal => Close::Internal,
        };
        close.frame(error::report(error, &self.caller).message)
    }
}

async fn lapsed(lapse: &mut Option<BoxFuture<'static, ()>>) {
    match lapse {
        Some(lapse) => lapse.await,
        None => pending().await,
    }
}

fn too_big() -> SocketEnd {
    SocketEnd::Close(Close::TooBig.frame("the message is too large"))
}

/// A connection that cannot be read from: only too large a message is worth an answer.
fn broken(error: &axum::Error) -> SocketEnd {
    // The library beneath gives no type of its own for it through axum.
    if error.to_string().contains("too long") { too_big() } else { SocketEnd::Gone }
}
