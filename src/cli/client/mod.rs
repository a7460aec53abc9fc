//! A client of the graph: queries and mutations over POST, subscriptions over server-sent events.

pub(super) mod document;
mod events;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::stream::Stream;
use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::options::Remote;
use events::Decoder;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The address cannot be one.
    #[error("{address} is not the address of a server: use http://host:port")]
    Address {
        /// As given.
        address: String,
    },
    /// Nobody there, or the connection broke.
    #[error("the server at {server} does not answer; name another with --server or TASKLOOM_SERVER")]
    Unreachable {
        server: Url,
        /// What the network says.
        source: reqwest::Error,
    },
    /// Something answered that is not the graph.
    #[error("{server} answered {status}: {text}")]
    Foreign {
        server: Url,
        status: u16,
        /// The beginning of the body.
        text: String,
    },
    #[error("{}", .0.iter().map(GraphqlRefusal::render).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<GraphqlRefusal>),
}

impl ClientError {
    /// Whether the same request may be answered later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Foreign { status, .. } => *status >= 500,
            Self::Refused(refusals) => refusals.iter().any(|r| {
                matches!(r.extensions.code.as_deref(), Some("SHUTTING_DOWN" | "DATABASE_UNAVAILABLE" | "TIMED_OUT"))
            }),
            Self::Address { .. } => false,
        }
    }

    /// Whether a change that was answered so may have been done all the same.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Foreign { .. } => true,
            Self::Refused(refusals) => refusals
                .iter()
                .any(|refusal| matches!(refusal.extensions.code.as_deref(), Some("OUTCOME_UNKNOWN" | "TIMED_OUT"))),
            Self::Address { .. } => false,
        }
    }
}

/// An error of the graph.
#[derive(Debug, Deserialize)]
pub(super) struct GraphqlRefusal {
    message: String,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Extensions {
    code: Option<String>,
    available_operations: Option<Vec<String>>,
    faults: Vec<InputFault>,
}

#[derive(Debug, Deserialize)]
struct InputFault {
    path: String,
    message: String,
}

impl GraphqlRefusal {
    fn render(&self) -> String {
        let mut text = self.message.clone();
        if let Some(operations) = &self.extensions.available_operations {
            let operations = if operations.is_empty() { "nothing".into() } else { operations.join(", ") };
            text.push_str(&format!("; allowed now: {operations}"));
        }
        if self.extensions.code.as_deref() == Some("UNAUTHENTICATED") {
            text.push_str("; give a token with --token or TASKLOOM_TOKEN (`taskloom token create` makes one)");
        }
        for fault in &self.extensions.faults {
            text.push_str(&format!("\n  {}: {}", fault.path, fault.message));
        }
        text
    }
}

/// An answer, or one part of a stream of them.
#[derive(Debug, Deserialize)]
struct GraphqlAnswer {
    data: Option<Value>,
    #[serde(default)]
    errors: Vec<GraphqlRefusal>,
}

impl GraphqlAnswer {
    /// The data, if nothing was refused.
    fn data<T: DeserializeOwned>(self, server: &Url) -> Result<T, ClientError> {
        if !self.errors.is_empty() {
            return Err(ClientError::Refused(self.errors));
        }
        let data = self.data.unwrap_or_default();
        serde_json::from_value(data).map_err(|error| ClientError::Foreign {
            server: server.clone(),
            status: 200,
            text: format!("an answer of another version: {error}"),
        })
    }
}

/// A server, and who asks it.
#[derive(Clone, Debug)]
pub(super) struct GraphqlClient {
    http: reqwest::Client,
    endpoint: Url,
    /// The server as it may be shown: without a password.
    base: Url,
    token: Option<String>,
}

/// How long a server that does not answer is waited for.
pub(super) const ABSENCE: Duration = Duration::from_secs(60);

/// Between two questions to it.
const PAUSE: Duration = Duration::from_millis(500);

/// A stream that says nothing for so long is cut: the server gives a sign of life every few seconds.
const SILENCE: Duration = Duration::from_secs(60);

/// What kind of answer is wanted.
#[derive(Clone, Copy, Debug)]
enum AcceptedMedia {
    /// One answer.
    Json,
    /// A stream of them.
    Events,
}

impl AcceptedMedia {
    /// The media type of its `Accept`.
    fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Events => "text/event-stream",
        }
    }
}

impl GraphqlClient {
    /// A client of the server that the options name.
    ///
    /// # Errors
    /// When that is no address.
    pub(super) fn of(remote: &Remote) -> Result<Self, ClientError> {
        Self::new(remote.address(), remote.token.clone())
    }

    /// A client of the server at this address.
    ///
    /// # Errors
    /// When that is no address.
    pub(super) fn new(address: &str, token: Option<String>) -> Result<Self, ClientError> {
        let refused = || ClientError::Address { address: address.to_owned() };
        let base = Url::parse(&format!("{}/", address.trim_end_matches('/'))).map_err(|_| refused())?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(refused());
        }
        let endpoint = base.join("graphql").map_err(|_| refused())?;
        let base = without_credentials(base);
        let http = reqwest::Client::builder().connect_timeout(Duration::from_secs(5)).read_timeout(SILENCE).build();
        let http = http.map_err(|source| ClientError::Unreachable { server: base.clone(), source })?;
        Ok(Self { http, endpoint, base, token })
    }

    /// The server's address, as a person would give it again.
    pub(super) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The answer to one document that changes nothing, or nothing more the second time; a server that restarts is
    /// waited for.
    ///
    /// # Errors
    /// [`ClientError`], the last one when the server stays away.
    pub(super) async fn insist<T: DeserializeOwned>(
        &self,
        document: &str,
        variables: &Value,
    ) -> Result<T, ClientError> {
        let began = tokio::time::Instant::now();
        loop {
            match self.ask(document, variables).await {
                Err(error) if error.is_passing() && began.elapsed() < ABSENCE => tokio::time::sleep(PAUSE).await,
                answer => return answer,
            }
        }
    }

    /// The answer to one document.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(super) async fn ask<T: DeserializeOwned>(&self, document: &str, variables: &Value) -> Result<T, ClientError> {
        let request = self.request(document, variables, AcceptedMedia::Json).timeout(Duration::from_secs(60));
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(|source| self.unreachable(source))?;
        let answer: GraphqlAnswer = serde_json::from_slice(&body).map_err(|_| self.foreign(status, &body))?;
        if answer.data.is_none() && answer.errors.is_empty() {
            return Err(self.foreign(status, &body));
        }
        answer.data(&self.shown())
    }

    /// The answers of a subscription, until the server completes it (the stream ends) or the connection breaks (an
    /// error, and the stream ends).
    ///
    /// # Errors
    /// [`ClientError`] when the server refuses at once.
    pub(super) async fn subscribe<T: DeserializeOwned + 'static>(
        &self,
        document: &str,
        variables: &Value,
    ) -> Result<impl Stream<Item = Result<T, ClientError>> + Unpin + use<T>, ClientError> {
        let request = self.request(document, variables, AcceptedMedia::Events);
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("text/event-stream") {
            let body = response.bytes().await.map_err(|source| self.unreachable(source))?;
            let answer: GraphqlAnswer = serde_json::from_slice(&body).map_err(|_| self.foreign(status, &body))?;
            return Err(match answer.errors.is_empty() {
                true => self.foreign(status, &body),
                false => ClientError::Refused(answer.errors),
            });
        }
        Ok(events::stream(self.shown(), response, Decoder::default()))
    }

    /// The only place where a request is made. `Accept` is said here alone: a second one would be added to the first,
    /// and the server would take the one that it likes better.
    fn request(&self, document: &str, variables: &Value, wanted: AcceptedMedia) -> RequestBuilder {
        let body = json!({ "query": document, "variables": variables });
        let request = self.http.post(self.endpoint.clone()).header(ACCEPT, wanted.media()).json(&body);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        ClientError::Unreachable { server: self.shown(), source: source.without_url() }
    }

    /// The endpoint without a password.
    fn shown(&self) -> Url {
        without_credentials(self.endpoint.clone())
    }

    fn foreign(&self, status: u16, body: &[u8]) -> ClientError {
        let text = String::from_utf8_lossy(body).chars().take(200).collect();
        ClientError::Foreign { server: self.shown(), status, text }
    }
}

fn without_credentials(mut url: Url) -> Url {
    // Only an address without a host refuses, and that is none of a server.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// The id of a thing in the graph: a number is one that scripts know; anything else is an id as the graph gave it out.
pub(super) fn id(kind: &str, given: &str) -> String {
    if given.bytes().all(|byte| byte.is_ascii_digit()) {
        URL_SAFE_NO_PAD.encode(format!("{kind}:{given}"))
    } else {
        given.into()
    }
}
