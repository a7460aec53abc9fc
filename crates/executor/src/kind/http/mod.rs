//! The kind `http`: one request, tried again where that may help; the answer's text is a result set.
//!
//! Where a request goes is looked at each time a connection is made, redirects included (`address`). What was given
//! for one place is not carried to another: a redirect to another origin goes without the headers of the definition.

mod address;
mod again;

use std::pin::Pin;
use std::time::Duration;

use futures::TryStreamExt as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use taskloom_core::rows::Column;
use taskloom_core::text::complete;
use taskloom_core::{ColumnType, ResultKind};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::context::WorkContext;
use crate::drive::{Driven, Turn, drive};
use crate::mask::Mask;
use crate::orders::Orders;
use crate::program::{HttpBody, HttpJob};
use crate::result_sets::ResultCollector;
use crate::work::{Finished, Outcome, Report};
use address::{AddressGuard, AddressRefused};

/// How many redirects are followed.
const REDIRECTS: usize = 10;
/// The pause before the second try; doubled before each further one, up to the longest.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A request as it is sent.
struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

/// How a try ended that was not a success.
struct FailedTry {
    message: String,
    /// Whether another try may help, and after which pause at the least.
    again: Option<Duration>,
}

impl FailedTry {
    fn for_good(message: String) -> Self {
        Self { message, again: None }
    }
}

/// The request under way. It is tried no further while paused; a try that has begun is let be.
struct Sending<'s> {
    tries: Pin<Box<dyn Future<Output = Result<(), String>> + Send + 's>>,
    go: watch::Sender<bool>,
}

impl Driven for Sending<'_> {
    type End = Result<(), String>;

    async fn end(&mut self) -> Self::End {
        (&mut self.tries).await
    }

    async fn pause(&mut self) {
        self.go.send_replace(false);
    }

    async fn resume(&mut self) {
        self.go.send_replace(true);
    }
}

/// Sends the request until it succeeds or all tries are used.
pub(super) async fn run(job: &HttpJob, with: WorkContext, mut orders: Orders) -> Finished {
    let (go, gate) = watch::channel(true);
    let mut sending = Sending { tries: Box::pin(tries(job, &with, gate)), go };
    match drive(&mut sending, &mut orders, with.limit).await {
        Turn::Ended(Ok(())) => Finished::bare(Outcome::Succeeded, None),
        Turn::Ended(Err(message)) => with.failed(&message),
        // The connection is dropped: more cannot be taken back of a request.
        Turn::Stop(stop) => stop.cause.finished(),
    }
}

async fn tries(job: &HttpJob, with: &WorkContext, mut gate: watch::Receiver<bool>) -> Result<(), String> {
    let request = prepare(job)?;
    let keeper = AddressGuard::new(&with.policy.networks);
    let client = client(keeper.clone(), with.policy.request_timeout)?;
    let mut pause = PAUSE.0;
    for tried in 0..=job.retries {
        // The sender lives as long as this future does.
        let _ = gate.wait_for(|go| *go).await;
        let missed = match attempt(job, &request, (&client, &keeper), with).await {
            Ok(()) => return Ok(()),
            Err(missed) => missed,
        };
        match missed.again {
            Some(least) if tried < job.retries => {
                let wait = pause.max(least).min(PAUSE.1);
                let shown = humantime::format_duration(wait);
                with.note(&format!("{}: trying again in {shown}", missed.message)).await;
                sleep(wait).await;
                pause *= 2;
            }
            _ => return Err(missed.message),
        }
    }
    unreachable!("the last try returns")
}

fn client(keeper: AddressGuard, timeout: Duration) -> Result<Client, String> {
    let client = Client::builder()
        .dns_resolver(keeper)
        // A proxy of the server's environment would make the connection, and look at no address.
        .no_proxy()
        .redirect(redirect::Policy::none())
        // What comes is shown as it comes.
        .no_gzip()
        // A kept connection would be one that nobody has looked at.
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT)
        .timeout(timeout)
        .user_agent(concat!("taskloom/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| format!("no client of http can be made: {error}"))
}

/// Reads what was filled in as the parts of a request.
fn prepare(job: &HttpJob) -> Result<Request, String> {
    let method = Method::from_bytes(job.method.as_bytes()).map_err(|_| "the method is none of http".to_owned())?;
    let url = Url::parse(job.url.expose()).map_err(|error| format!("the address is not valid: {error}"))?;
    let mut headers = HeaderMap::new();
    for (name, text) in &job.headers {
        let known = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name} is no name of a header"))?;
        let mut value = HeaderValue::from_str(text.expose())
            .map_err(|_| format!("the value of the header {name} has characters that no header can have"))?;
        value.set_sensitive(true);
        headers.insert(known, value);
    }
    let body = job.body.as_ref().map(|body| match body {
        HttpBody::Text(text) => text.expose().as_bytes().to_vec(),
        HttpBody::Json(json) => {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            json.expose().as_bytes().to_vec()
        }
    });
    Ok(Request { method, url, headers, body })
}

/// One try: the request, its redirects, and the answer's text.
async fn attempt(
    job: &HttpJob,
    request: &Request,
    (client, keeper): (&Client, &AddressGuard),
    with: &WorkContext,
) -> Result<(), FailedTry> {
    let begun = Instant::now();
    let (answer, url) = follow(request, client, keeper).await?;
    let status = answer.status();
    let least = again::after(answer.headers(), with.clock.now());
    let kept = keep(answer, with).await?;
    let place = format!("{}{}", url.origin().ascii_serialization(), url.path());
    let took = humantime::format_duration(Duration::from_millis(begun.elapsed().as_millis() as u64));
    with.note(&format!("{} {place}: {}, {} bytes, {took}", request.method, status.as_u16(), kept.bytes)).await;
    let expected = if job.expect.is_empty() { status.is_success() } else { job.expect.contains(&status.as_u16()) };
    if !expected {
        let wanted = match job.expect.as_slice() {
            [] => "200 to 299".to_owned(),
            some => some.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
        };
        let again = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        let again = again.then(|| least.unwrap_or_default());
        return Err(FailedTry { message: format!("the status is {}, expected {wanted}", status.as_u16()), again });
    }
    kept.say(with).await;
    let output = Report::Output { key: "status".to_owned(), value: status.as_u16().to_string() };
    // Nobody listens any more: the answer is of no use.
    let _ = with.reports.send(output).await;
    Ok(())
}

/// Sends the request, and what redirects make of it, each hop looked at like the first.
async fn follow(request: &Request, client: &Client, keeper: &AddressGuard) -> Result<(Response, Url), FailedTry> {
    let (mut method, mut url) = (request.method.clone(), request.url.clone());
    let (mut headers, mut body) = (request.headers.clone(), request.body.clone());
    for _ in 0..=REDIRECTS {
        keeper.check(&url).map_err(FailedTry::for_good)?;
        let mut next = client.request(method.clone(), url.clone()).headers(headers.clone());
        if let Some(body) = &body {
            next = next.body(body.clone());
        }
        let answer = next.send().await.map_err(|error| missed(&error))?;
        let Some(target) = target(&answer, &url)? else { return Ok((answer, url)) };
        if target.origin() != url.origin() {
            headers.clear();
        }
        if answer.status() == StatusCode::SEE_OTHER
            || (method == Method::POST && matches!(answer.status().as_u16(), 301 | 302))
        {
            method = if method == Method::HEAD { Method::HEAD } else { Method::GET };
            body = None;
            headers.remove(CONTENT_TYPE);
        }
        url = target;
    }
    Err(FailedTry::for_good(format!("more than {REDIRECTS} redirects")))
}

/// Where an answer sends us; none: it is no redirect.
fn target(answer: &Response, url: &Url) -> Result<Option<Url>, FailedTry> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers().get(LOCATION) else { return Ok(None) };
    let target = location.to_str().ok().and_then(|location| url.join(location).ok());
    target.map(Some).ok_or_else(|| FailedTry::for_good("a redirect leads to no address".to_owned()))
}

/// Why no answer came. The library's text has the address in it, and that may have a secret: only what is known to
/// be harmless is said.
fn missed(error: &reqwest::Error) -> FailedTry {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut last = None;
    while let Some(next) = cause {
        let refused = next.is::<AddressRefused>()
            || next
                .downcast_ref::<std::io::Error>()
                .is_some_and(|io| io.get_ref().is_some_and(|it| it.is::<AddressRefused>()));
        if refused {
            return FailedTry::for_good(format!("the name {}", address::REFUSED));
        }
        last = Some(next.to_string());
        cause = next.source();
    }
    let last = last.unwrap_or_default();
    let message = match error {
        error if error.is_timeout() => "no answer in time".to_owned(),
        error if error.is_connect() => format!("no connection: {last}"),
        _ => format!("no whole answer: {last}"),
    };
    FailedTry { message, again: Some(Duration::ZERO) }
}

/// What is kept of an answer's body.
struct Kept {
    text: Vec<u8>,
    bytes: u64,
}

async fn keep(answer: Response, with: &WorkContext) -> Result<Kept, FailedTry> {
    let mut kept = Kept { text: vec![], bytes: 0 };
    let mut body = answer.bytes_stream();
    let limit = usize::try_from(with.policy.response).unwrap_or(usize::MAX);
    while let Some(chunk) = body.try_next().await.map_err(|error| missed(&error))? {
        kept.bytes += chunk.len() as u64;
        let room = limit - kept.text.len();
        kept.text.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            // The rest is not waited for: it may have no end.
            break;
        }
    }
    Ok(kept)
}

impl Kept {
    /// Its lines, as one result set. Masked as a whole, since a secret may go over several lines.
    async fn say(self, with: &WorkContext) {
        let truncated = self.bytes > self.text.len() as u64;
        // What was cut off may have been the rest of a character, or of a secret.
        let whole = if truncated { complete(&self.text) } else { self.text.len() };
        let text = String::from_utf8_lossy(&self.text[..whole]).replace('\0', "\u{fffd}");
        let text = if truncated { with.mask.beginning(&text) } else { with.mask.text(&text) };
        let mut collector = ResultCollector::new(with.reports.clone(), Mask::default(), (u64::MAX, with.policy.result));
        collector.begin(ResultKind::Text, vec![Column::new("line", ColumnType::String)]).await;
        for line in text.lines() {
            collector.push(vec![Some(line.to_owned())]).await;
        }
        if truncated {
            collector.cut();
        }
        collector.end().await;
    }
}
