//! A connection and what it may make us wait for: the head of a request, the next request, a reader of what was sent.
//!
//! The clocks run here, where bytes pass, and not in the HTTP library: it knows one time for the head of a request and for
//! the silence before it. While a request is answered neither runs, so streams stay open; a socket is answered until it ends.

use std::io::{self, Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a peer is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From the first byte of a request to the end of its headers.
    pub head: Duration,
    /// From one answer, or the beginning, to the next request.
    pub silence: Duration,
    /// While it takes nothing of what it was sent; each byte taken is a new chance.
    pub unread: Duration,
}

/// The requests of one connection. The service counts them, the connection looks.
#[derive(Debug, Default)]
pub(super) struct Requests {
    begun: AtomicU64,
    ended: AtomicU64,
    /// The connection's task. It is reading already when an answer ends, and would not look at its clock.
    reader: AtomicWaker,
}

/// A request under way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Option<Arc<Requests>>);

impl UnderWay {
    /// It ends with its connection.
    pub(super) fn goes_on(mut self) {
        self.0 = None;
    }
}

impl Requests {
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        UnderWay(Some(Arc::clone(self)))
    }

    fn are_under_way(&self) -> bool {
        self.begun.load(Ordering::Relaxed) != self.ended.load(Ordering::Relaxed)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(requests) = &self.0 {
            requests.ended.fetch_add(1, Ordering::Relaxed);
            requests.reader.wake();
        }
    }
}

/// How many bytes the other end may still send, among the extensions of a request: a socket sets it before each message,
/// since the library that reads its messages has one limit from the beginning to the end.
#[derive(Clone, Debug)]
pub struct Inlet(Arc<AtomicU64>);

impl Default for Inlet {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl Inlet {
    /// So many from now on.
    pub fn allow(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed);
        if left == u64::MAX {
            return Ok(());
        }
        let left = left.checked_sub(bytes as u64).ok_or_else(|| Error::new(ErrorKind::InvalidData, TOO_LONG))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// As the library of sockets says it of a message.
const TOO_LONG: &str = "Message too long";

/// What stands still, and since when. A clock exists only while something does.
#[derive(Debug, Default)]
struct StallTimer(Option<Pin<Box<Sleep>>>);

impl StallTimer {
    fn stop(&mut self) {
        self.0 = None;
    }

    /// Begins, or goes on; ready when the time is over.
    fn poll(&mut self, time: Duration, cx: &mut Context<'_>) -> Poll<()> {
        self.0.get_or_insert_with(|| Box::pin(sleep(time))).as_mut().poll(cx)
    }
}

#[derive(Debug)]
pub(super) struct HttpConnection<H> {
    stream: TcpStream,
    times: Times,
    unread: StallTimer,
    waiting: StallTimer,
    /// The head of a request has begun: `waiting` runs for it.
    in_head: bool,
    /// Requests that had begun when `waiting` began.
    seen: u64,
    requests: Arc<Requests>,
    inlet: Inlet,
    /// Kept for as long as the connection is open, whoever has it.
    _held: H,
}

impl<H> HttpConnection<H> {
    pub(super) fn new(stream: TcpStream, times: Times, held: H) -> Self {
        let (unread, waiting) = (StallTimer::default(), StallTimer::default());
        let (requests, inlet) = (Arc::default(), Inlet::default());
        Self { stream, times, unread, waiting, in_head: false, seen: 0, requests, inlet, _held: held }
    }

    pub(super) fn requests(&self) -> Arc<Requests> {
        Arc::clone(&self.requests)
    }

    pub(super) fn inlet(&self) -> Inlet {
        self.inlet.clone()
    }

    /// Whether the other end is waited for; a request since the last look began the wait anew.
    fn waits(&mut self) -> bool {
        let begun = self.requests.begun.load(Ordering::Relaxed);
        let is_busy = self.requests.are_under_way();
        if is_busy || begun != self.seen {
            self.seen = begun;
            self.in_head = false;
            self.waiting.stop();
        }
        !is_busy
    }

    /// Every write that moved something ends the wait; one that moved nothing begins it or goes on with it.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread.stop();
            return written;
        }
        ready!(self.unread.poll(self.times.unread, cx));
        Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the other end does not read")))
    }
}

impl<H: Unpin> AsyncRead for HttpConnection<H> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.requests.reader.register(cx.waker());
        let waits = this.waits();
        if read.is_ready() {
            if waits && !std::mem::replace(&mut this.in_head, true) {
                this.waiting.stop();
            }
            this.inlet.take(buf.filled().len() - before)?;
            return read;
        }
        if waits {
            let time = if this.in_head { this.times.head } else { this.times.silence };
            ready!(this.waiting.poll(time, cx));
            return Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the other end says nothing")));
        }
        Poll::Pending
    }
}

impl<H: Unpin> AsyncWrite for HttpConnection<H> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
