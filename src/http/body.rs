//! Bodies of requests: how much of one is read, and what becomes of the rest.
//!
//! Whoever refuses a request early need not read it: the wall keeps the other end of each body, and reads a little of what
//! nobody wanted before the answer goes out. A client that still sends when its connection closes would see a reset instead
//! of the answer. One that waits for `100 Continue` sends nothing, and is not asked to.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use futures::StreamExt as _;
use hyper::body::{Frame, SizeHint};

use crate::error::{Error, code};

/// So much of a body that nobody wants is read, and for so long.
const DRAIN: (usize, Duration) = (64 << 20, Duration::from_secs(5));

/// Reads a body of at most `most` bytes. One that says itself that it has more is not begun.
///
/// # Errors
/// `BODY_TOO_LARGE`; `BAD_REQUEST` when it breaks off.
pub async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Error> {
    let said = length(headers).unwrap_or_default();
    if said > most as u64 {
        return Err(too_large(most));
    }
    let mut stream = body.into_data_stream();
    // What a stranger says of the length is not yet worth any memory.
    let mut whole = Vec::new();
    while let Some(chunk) = stream.next().await {
        let broken = |error| Error::new(&code::BAD_REQUEST).with("reason", "the body breaks off").source(error);
        let chunk = chunk.map_err(broken)?;
        if whole.len() + chunk.len() > most {
            return Err(too_large(most));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.into())
}

fn too_large(most: usize) -> Error {
    Error::new(&code::BODY_TOO_LARGE).with("limit", most)
}

/// The bytes that a body says it has.
pub(super) fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// The wall's end of a body.
pub(super) struct BodyRemainder {
    lent: Arc<Mutex<Tap>>,
    is_waited_for: bool,
}

struct Tap {
    body: Body,
    is_touched: bool,
    has_ended: bool,
}

/// The handler's end.
struct Lent(Arc<Mutex<Tap>>);

fn lock(tap: &Mutex<Tap>) -> MutexGuard<'_, Tap> {
    tap.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lends the body of a request to whoever handles it; none where there is none.
pub(super) fn lend(request: &mut Request) -> Option<BodyRemainder> {
    if request.body().is_end_stream() {
        return None;
    }
    let is_waited_for = request.headers().contains_key(EXPECT);
    let body = std::mem::take(request.body_mut());
    let lent = Arc::new(Mutex::new(Tap { body, is_touched: false, has_ended: false }));
    *request.body_mut() = Body::new(Lent(Arc::clone(&lent)));
    Some(BodyRemainder { lent, is_waited_for })
}

impl BodyRemainder {
    /// Reads a little of what nobody wanted.
    pub(super) async fn drain(self) {
        let body = {
            let mut tap = lock(&self.lent);
            if tap.has_ended || self.is_waited_for && !tap.is_touched {
                return;
            }
            std::mem::take(&mut tap.body)
        };
        let mut stream = body.into_data_stream();
        let mut left = DRAIN.0;
        let read = async {
            while let Some(Ok(chunk)) = stream.next().await
                && left > 0
            {
                left = left.saturating_sub(chunk.len());
            }
        };
        let _ = tokio::time::timeout(DRAIN.1, read).await;
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut tap = lock(&self.0);
        tap.is_touched = true;
        let frame = Pin::new(&mut tap.body).poll_frame(cx);
        tap.has_ended |= matches!(frame, Poll::Ready(None | Some(Err(_))));
        frame
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).body.size_hint()
    }
}
