//! Bytes to a vCenter and back, within limits.
//!
//! No redirect is followed, no proxy of the environment is used, no cookie is kept but the one a session hands in. An
//! answer is held in memory up to its limit, counted after decompression: a page of a thousand tasks is about a megabyte.
//! The invariant: every wait in here ends at the call's deadline, whatever the server does.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use reqwest::{Client, RequestBuilder, Response, Url, redirect};
use rustls::ClientConfig;
use tokio::time::timeout;

use super::certificate::Rejection;
use super::error::{Error, Obstacle};
use super::limits::Limits;
use super::trust::Distrust;
use super::xml::Malformed;

const ACTION: HeaderName = HeaderName::from_static("soapaction");
/// The cookie of a session.
const SESSION: &str = "vmware_soap_session=";
/// Less than any vCenter keeps an idle connection, so that a call seldom meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(30);

/// A connection to one vCenter, or a few of them.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client,
    url: Url,
    limits: Limits,
}

/// What is sent.
pub(super) struct Request<'a> {
    pub(super) action: &'a HeaderValue,
    pub(super) cookie: Option<&'a HeaderValue>,
    pub(super) body: Bytes,
    /// How long the server may wait on purpose, where it may.
    pub(super) wait: Option<Duration>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) cookie: Option<HeaderValue>,
    pub(super) body: Vec<u8>,
}

/// How much is taken of one answer.
#[derive(Clone, Copy)]
struct Bounds {
    bytes: usize,
    time: Duration,
}

impl Http {
    /// Prepares connections. None is made yet.
    pub(super) fn new(url: Url, tls: ClientConfig, limits: Limits) -> Result<Self, Error> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never())
            .dns_resolver(Resolver)
            .connect_timeout(limits.connect)
            .tcp_keepalive(Duration::from_secs(30))
            .pool_idle_timeout(IDLE)
            .user_agent("taskloom")
            .build()
            .map_err(|_| Error::InvalidSetting("no HTTP client can be made"))?;
        Ok(Self { client, url, limits })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Fetches a document, as a stranger.
    pub(super) async fn get(&self, url: Url) -> Result<Answer, Error> {
        self.exchange(self.client.get(url), self.bounds(true, None)).await
    }

    /// Makes a call. One without a cookie is made as a stranger.
    pub(super) async fn post(&self, request: Request<'_>) -> Result<Answer, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        headers.insert(ACTION, request.action.clone());
        if let Some(cookie) = request.cookie {
            headers.insert(COOKIE, cookie.clone());
        }
        let bounds = self.bounds(request.cookie.is_none(), request.wait);
        self.exchange(self.client.post(self.url.clone()).headers(headers).body(request.body), bounds).await
    }

    fn bounds(&self, stranger: bool, wait: Option<Duration>) -> Bounds {
        let limits = &self.limits;
        Bounds {
            bytes: if stranger { limits.stranger_bytes } else { limits.answer_bytes },
            time: wait.map_or(limits.call, |wait| wait + limits.wait_margin),
        }
    }

    async fn exchange(&self, request: RequestBuilder, bounds: Bounds) -> Result<Answer, Error> {
        timeout(bounds.time, async {
            let mut response = request.send().await.map_err(failed)?;
            let (status, cookie) = (response.status().as_u16(), session(response.headers()));
            Ok(Answer { status, cookie, body: body(&mut response, bounds.bytes).await? })
        })
        .await
        .map_err(|_| Error::TooSlow)?
    }
}

async fn body(response: &mut Response, most: usize) -> Result<Vec<u8>, Error> {
    let announced = response.content_length().map_or(Ok(0), usize::try_from).map_err(|_| Error::TooLarge)?;
    if announced > most {
        return Err(Error::TooLarge);
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > most {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The session's cookie as it is to be sent back: a vCenter's value is in double quotes, which belong to it.
fn session(headers: &HeaderMap) -> Option<HeaderValue> {
    let texts = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookie =
        texts.filter_map(|text| text.split(';').next()).map(str::trim).find(|text| text.starts_with(SESSION))?;
    let mut value = HeaderValue::from_str(cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn failed(error: reqwest::Error) -> Error {
    let error = error.without_url();
    if let Some(rejection) = find::<Rejection>(&error) {
        let Rejection { thumbprint, why, pinned } = *rejection;
        return match (why, pinned) {
            (_, Some(expected)) => Error::WrongThumbprint { expected, found: thumbprint },
            (Distrust::Expired, None) => Error::CertificateExpired,
            (why, None) => Error::Untrusted { thumbprint, why },
        };
    }
    match innermost(&error) {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) if error.is_decode() => {
            Error::Malformed(Malformed::new("cannot be unpacked", 0))
        }
        kind => Error::Unreachable(obstacle(&error, kind), Some(Box::new(error))),
    }
}

fn obstacle(error: &reqwest::Error, kind: Option<io::ErrorKind>) -> Obstacle {
    if find::<Unresolved>(error).is_some() {
        return Obstacle::Name;
    }
    if find::<rustls::Error>(error).is_some() {
        return Obstacle::Tls;
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => Obstacle::Refused,
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => Obstacle::Route,
        // Nothing else is read while a connection is made.
        Some(io::ErrorKind::UnexpectedEof) if error.is_connect() => Obstacle::Tls,
        _ if error.is_connect() && error.is_timeout() => Obstacle::Timeout,
        _ => Obstacle::Broken,
    }
}

fn find<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// What the system said, beneath what was made of it.
fn innermost(error: &reqwest::Error) -> Option<io::ErrorKind> {
    chain(error).filter_map(|error| error.downcast_ref()).last().map(io::Error::kind)
}

/// A chain of errors, with those that `source` does not show: inside an `io::Error`, and what a verifier said.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |&error| {
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            return Some(inner);
        }
        match error.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(inner))) => Some(&*inner.0),
            _ => error.source(),
        }
    })
}

/// The system's resolver, with an error that can be told from others.
struct Resolver;

#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve")]
struct Unresolved(#[source] io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}
