//! A network between a server and a vCenter: one that can be cut, and one that changes what passes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes connections on; it ends with this value.
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) address: String,
    open: Arc<Mutex<JoinSet<()>>>,
    accept: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// In front of what `url` names.
    pub(super) async fn before(url: &str) -> Self {
        let target = url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open: Arc<Mutex<JoinSet<()>>> = Arc::default();
        let connections = open.clone();
        let accept = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = target.clone();
                connections.lock().unwrap().spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(target).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { address, open, accept }
    }

    /// Breaks every connection; how many there were.
    pub(super) fn cut(&self) -> usize {
        let mut open = self.open.lock().unwrap();
        while open.try_join_next().is_some() {}
        let count = open.len();
        open.abort_all();
        count
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

/// What a [`Meddler`] does to what passes.
pub(super) trait Meddle: Send + Sync + 'static {
    /// A call on its way; none: nobody ever answers it.
    fn call(&self, _method: &str, body: String) -> Option<String> {
        Some(body)
    }

    /// An answer on its way; none: it never comes.
    fn answer(&self, _method: &str, body: String) -> Option<Vec<u8>> {
        Some(body.into_bytes())
    }
}

/// A proxy that reads what passes between a server and a simulator without TLS; it ends with this value.
pub(super) struct Meddler {
    /// Where it listens.
    pub(super) url: String,
    serve: tokio::task::JoinHandle<()>,
}

impl Meddler {
    /// In front of what `url` names.
    pub(super) async fn before(url: &str, meddle: Arc<impl Meddle>) -> Self {
        let base = url.split_once("/sdk").unwrap().0.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sdk", listener.local_addr().unwrap());
        let client = reqwest::Client::new();
        let pass = async move |method: Method, uri: Uri, headers: HeaderMap, body: String| {
            let name = called(&body).to_owned();
            let Some(body) = meddle.call(&name, body) else { return std::future::pending().await };
            let mut request = client.request(method, format!("{base}{uri}")).body(body);
            for name in ["cookie", "soapaction", "content-type"] {
                request = headers.get(name).into_iter().fold(request, |request, value| request.header(name, value));
            }
            // A vCenter that went away, or ended the call: the same to who asked.
            let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
            let (status, headers) = (answer.status(), answer.headers().clone());
            let Ok(text) = answer.text().await else { return StatusCode::BAD_GATEWAY.into_response() };
            let Some(bytes) = meddle.answer(&name, text) else { return std::future::pending().await };
            let mut response = (status, bytes).into_response();
            for name in ["set-cookie", "content-type"] {
                if let Some(value) = headers.get(name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        };
        let serve = tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await.unwrap() });
        Self { url, serve }
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        self.serve.abort();
    }
}

/// The method that is called.
fn called(body: &str) -> &str {
    body.split_once("<soapenv:Body><").and_then(|(_, call)| call.split_once(' ')).map_or("", |(method, _)| method)
}

/// Changes each instant of the tasks in an answer: `change` is told which, and what it is.
pub(super) fn retime(text: &str, change: impl Fn(&str, DateTime<Utc>) -> String) -> String {
    let (mut changed, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((at, name)) = ["queueTime", "startTime", "completeTime"]
        .into_iter()
        .filter_map(|name| Some((rest.find(&format!("<{name}>"))? + name.len() + 2, name)))
        .min()
    {
        let (before, from) = rest.split_at(at);
        let (instant, behind) = from.split_at(from.find('<').unwrap());
        changed.push_str(before);
        changed.push_str(&change(name, instant.parse().unwrap()));
        rest = behind;
    }
    changed + rest
}

/// Changes what an answer tells of the task with this key, wherever that is.
pub(super) fn retell(text: &str, key: &str, change: impl Fn(&str) -> String) -> String {
    let begin = format!("<key>{key}</key>");
    let (mut changed, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(&begin) {
        let (before, from) = rest.split_at(at);
        let end = from.find("</eventChainId>").unwrap() + "</eventChainId>".len();
        changed.push_str(before);
        changed.push_str(&change(&from[..end]));
        rest = &from[end..];
    }
    changed + rest
}
