//! Takes connections and has their requests answered, until the server stops: then no new ones, and each ends with the
//! answer it is at.
//!
//! Who finds no place is answered all the same, so that it knows to come again: a few at a time are heard out for a moment,
//! since the asked path may be one that must answer whoever else is there; the rest are told unheard.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::connection::{HttpConnection, Times, UnderWay};
use super::crowd::Crowd;
use super::{answer, probe};
use crate::config;
use crate::descriptors;
use crate::error::{Error, Language, code};
use crate::telemetry::Metrics;

/// How long a peer may take nothing of what it was sent.
const UNREAD: Duration = Duration::from_secs(20);
/// Bytes of the head of a request, and of what is read at once.
const BUFFER: usize = 64 * 1024;
/// How many of those who find no place are heard at a time, and for how long.
const HEARD: (usize, Duration) = (32, Duration::from_secs(2));
/// The same for those who are told unheard, until they have taken it: closed with unread input, a connection is reset.
const TOLD: (usize, Duration) = (64, Duration::from_secs(1));
/// When who found no place should come again.
const AGAIN: Duration = Duration::from_secs(5);
/// Between two looks at a listener that cannot give a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// Who is let in, and how long they are waited for.
#[derive(Clone, Debug)]
pub struct HttpEntrance {
    times: Times,
    crowd: Crowd,
    heard: Arc<Semaphore>,
    told: Arc<Semaphore>,
}

impl HttpEntrance {
    /// As the settings say, and no more than this process may have files.
    #[must_use]
    pub fn new(settings: &config::Server, metrics: Arc<Metrics>) -> Self {
        let room = descriptors::for_connections();
        if room < settings.max_connections as usize {
            tracing::warn!(room, "the limit of open files allows fewer connections than server.max_connections");
        }
        let times = Times { head: settings.header_timeout, silence: settings.idle_timeout, unread: UNREAD };
        let crowd = Crowd::new(settings, room, metrics);
        let [heard, told] = [HEARD.0, TOLD.0].map(|most| Arc::new(Semaphore::new(most)));
        Self { times, crowd, heard, told }
    }

    /// With another patience for who does not read.
    #[must_use]
    pub fn unread(mut self, unread: Duration) -> Self {
        self.times.unread = unread;
        self
    }

    /// Serves until `stop`, and then until the last answer is given.
    pub async fn serve(self, listener: TcpListener, router: Router, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let mut is_short = false;
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    is_short = false;
                    self.receive((stream, peer), &router, &stop, &connections);
                }
                Err(error) if is_of_the_peer(&error) => {}
                Err(error) => {
                    // As long as there are no descriptors this fails at once, each time.
                    if !std::mem::replace(&mut is_short, true) {
                        tracing::error!(%error, "no connection can be taken");
                    }
                    sleep(PAUSE).await;
                }
            }
        }
        drop(listener);
        connections.close();
        connections.wait().await;
    }

    fn receive(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        router: &Router,
        stop: &CancellationToken,
        connections: &TaskTracker,
    ) {
        // Small answers and pushed events do not wait for others to travel with.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let (router, stop) = (router.clone(), stop.clone());
        if let Some(place) = self.crowd.enter(peer.ip()) {
            let connection = HttpConnection::new(stream, self.times, place);
            connections.spawn(talk(connection, Answering { router, peer, has_place: true }, stop));
        } else if let Ok(turn) = Arc::clone(&self.heard).try_acquire_owned() {
            let connection = HttpConnection::<OwnedSemaphorePermit>::new(stream, self.times, turn);
            let talk = talk(connection, Answering { router, peer, has_place: false }, stop);
            connections.spawn(async move {
                let _ = timeout(HEARD.1, talk).await;
            });
        } else {
            // What does not fit into the socket's buffer at once is not worth a wait.
            let _ = stream.try_write(UNHEARD);
            if let Ok(turn) = Arc::clone(&self.told).try_acquire_owned() {
                connections.spawn(async move {
                    let _ = timeout(TOLD.1, linger(stream)).await;
                    drop(turn);
                });
            }
        }
    }
}

/// Waits until the other end has nothing more to say.
async fn linger(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// What [`refusal`] says, for somebody who is not listened to.
const UNHEARD: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\n\
    connection: close\r\ncontent-length: 64\r\n\r\n{\"error\":{\"code\":\"TOO_MANY_CONNECTIONS\",\"message\":\"come again\"}}";

/// An error of the connection that was to be taken; the next one is another.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Has the requests of a connection answered until it ends; told to stop, it ends behind the answer it is at.
async fn talk<H: Send + Unpin + 'static>(connection: HttpConnection<H>, answering: Answering, stop: CancellationToken) {
    let (requests, inlet) = (connection.requests(), connection.inlet());
    let has_place = answering.has_place;
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(inlet.clone());
        let under_way = requests.begin();
        let answering = answering.clone();
        async move { Ok::<_, Infallible>(answering.answer(request, under_way).await) }
    });
    let mut builder = http1::Builder::new();
    // Its own clock would run while nothing is asked, too: ours is the connection's.
    builder.header_read_timeout(None).max_buf_size(BUFFER).keep_alive(has_place);
    let mut served = pin!(builder.serve_connection(TokioIo::new(connection), service).with_upgrades());
    let mut is_told = false;
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "a connection ended before its time");
                }
                return;
            }
            () = stop.cancelled(), if !is_told => {
                is_told = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What answers the requests of one connection.
#[derive(Clone)]
struct Answering {
    router: Router,
    peer: SocketAddr,
    has_place: bool,
}

impl Answering {
    async fn answer(self, request: Request<Incoming>, under_way: UnderWay) -> Response<ServedBody> {
        let mut response = if !names_one_host(request.version(), request.headers()) {
            let reason = "a request names the host that it is for, once, in `Host`";
            answer::respond(&Error::new(&code::BAD_REQUEST).with("reason", reason), Language::En)
        } else if self.has_place || probe::is_probe(request.uri().path()) {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(self.peer));
            match self.router.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        } else {
            refusal()
        };
        if !self.has_place {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        // A socket is a request until it ends.
        let switches = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let under_way = if switches {
            under_way.goes_on();
            None
        } else {
            Some(under_way)
        };
        response.map(|body| ServedBody { body, _under_way: under_way })
    }
}

/// The answer to who found no place.
fn refusal() -> axum::response::Response {
    let error = Error::new(&code::TOO_MANY_CONNECTIONS).with("seconds", AGAIN.as_secs()).retry_after(AGAIN);
    answer::respond(&error, Language::En)
}

/// Whether a request names one host (RFC 9112, section 3.2). Before HTTP/1.1 it may name none.
fn names_one_host(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => {
            let authority = Authority::try_from(host.as_bytes());
            authority.is_ok_and(|authority| !authority.as_str().contains('@'))
        }
        (Some(_), Some(_)) => false,
    }
}

/// The body of an answer; with its end the request ends.
struct ServedBody {
    body: Body,
    _under_way: Option<UnderWay>,
}

impl HttpBody for ServedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_host() {
        let names = |version, hosts: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_static(host));
            }
            names_one_host(version, &headers)
        };
        for host in ["loom.example", "loom.example:8080", "192.0.2.1:80", "[2001:db8::1]:80"] {
            assert!(names(Version::HTTP_11, &[host]), "{host}");
        }
        assert!(names(Version::HTTP_10, &[]) && !names(Version::HTTP_11, &[]));
        for hosts in [&["a", "a"][..], &["a", "b"], &[""], &["a b"], &["a/b"], &["user@a"]] {
            assert!(!names(Version::HTTP_11, hosts), "{hosts:?}");
        }
        assert!(!names(Version::HTTP_10, &["a", "b"]));
    }

    #[test]
    fn who_is_not_heard_is_told_in_whole() {
        let text = std::str::from_utf8(UNHEARD).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        assert!(head.contains(&format!("retry-after: {}", AGAIN.as_secs())));
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], code::TOO_MANY_CONNECTIONS.name);
    }
}
