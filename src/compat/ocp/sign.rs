//! A request that was signed with an access key: what of it is signed, and whether it is fresh.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;
use chrono::DateTime;
use futures::StreamExt;
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use taskloom_entity::Timestamp;

use crate::auth::Credentials;
use crate::auth::signature::{SCHEME, Signed};
use crate::error::{Error, Result, code};
use crate::http::{BodyLimit, TooLarge};
use crate::resolver::App;

/// How far a request's `Date` may be off.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// RFC 3986, section 2.3: what is never encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The digest of a signed request's body: upper-case hex, empty when there is none.
#[derive(Clone, Debug, Default)]
pub struct BodyDigest(String);

fn signed_by(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix(SCHEME)?.strip_prefix(' ')
}

/// Digests the body of a signed request. To be put around the routes: credentials are read before a body is.
pub async fn digest(request: Request, next: Next) -> Response {
    if signed_by(request.headers()).is_none() {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // No route of the dialect reads one: nothing of it is kept.
    let mut body = body.into_data_stream();
    let most = parts.extensions.get::<BodyLimit>().map_or(0, |limit| limit.0);
    let (mut digest, mut length) = (Md5::new(), 0);
    while let Some(Ok(chunk)) = body.next().await {
        length += chunk.len() as u64;
        if length > most {
            parts.extensions.insert(TooLarge(most));
            break;
        }
        digest.update(&chunk);
    }
    let digest = if length == 0 { String::new() } else { hex::encode_upper(digest.finalize()) };
    parts.extensions.insert(BodyDigest(digest));
    next.run(Request::from_parts(parts, Body::empty())).await
}

/// The credentials of a call: its signature, or those that every door reads.
///
/// # Errors
/// `BAD_CREDENTIALS` when there are some that cannot be ones.
pub fn credentials(parts: &Parts, app: &App) -> Result<Credentials> {
    let foreign = &app.gate.settings().origins;
    match signed_by(&parts.headers) {
        Some(pair) => signed(pair, parts, app.clock.now()),
        None => Credentials::read(&parts.headers, foreign),
    }
}

fn signed(pair: &str, parts: &Parts, now: Timestamp) -> Result<Credentials> {
    let bad = || Error::new(&code::BAD_CREDENTIALS);
    let (access_key, signature) = pair.trim().split_once(':').ok_or_else(bad)?;
    let date = parts.headers.get(DATE).and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    let date: Timestamp = date.ok_or_else(bad)?.to_utc().into();
    if date.since(now).max(now.since(date)) > FRESH {
        return Err(bad());
    }
    let digest = parts.extensions.get::<BodyDigest>().cloned().unwrap_or_default().0;
    Ok(Credentials::Signed(Signed {
        access_key: access_key.to_owned(),
        signature: signature.to_owned(),
        until: date.after(FRESH).after(Duration::from_secs(1)),
        text: text(parts.method.as_str(), &digest, &parts.headers, &parts.uri).ok_or_else(bad)?,
    }))
}

/// What is signed, a line each; none: a header of it is no text.
fn text(method: &str, digest: &str, headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let one = |name| headers.get(name).map_or(Some(""), |value| value.to_str().ok());
    let mut own: Vec<(&HeaderName, &HeaderValue)> =
        headers.iter().filter(|(name, _)| name.as_str().starts_with("x-ocp-")).collect();
    // By the name, not by the line: `-` comes before `:`. Those of one name stay as they were sent.
    own.sort_by_key(|(name, _)| name.as_str());
    let own: Option<Vec<String>> =
        own.into_iter().map(|(name, value)| Some(format!("{name}:{}", value.to_str().ok()?))).collect();
    let path = match uri.query().filter(|query| !query.is_empty()) {
        Some(query) => format!("{}?{}", uri.path(), sorted(query)),
        None => uri.path().to_owned(),
    };
    let lines = [method, digest, one(CONTENT_TYPE)?, one(DATE)?, one(HOST)?, &own?.join("\n"), &path];
    Some(lines.join("\n"))
}

/// The query by the names of its parameters, each encoded anew.
fn sorted(query: &str) -> String {
    let again = |text: &str| {
        let bytes: Vec<u8> = percent_decode_str(&text.replace('+', " ")).collect();
        percent_encode(&bytes, ENCODED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (again(name), again(value)))
        .collect();
    pairs.sort_by(|one, other| one.0.cmp(&other.0));
    let joined: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = axum::http::Request::builder().method("GET").uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_is_signed_is_put_in_order() {
        let headers = [("host", "h:1"), ("date", "D"), ("x-ocp-b", "2"), ("X-OCP-a", "1"), ("x-other", "3")];
        let parts = parts("/api/v2/tasks/instances?status=RUNNING,FAILED&name=a+b&empty", &headers);
        assert_eq!(
            text("GET", "", &parts.headers, &parts.uri).unwrap(),
            "GET\n\n\nD\nh:1\nx-ocp-a:1\nx-ocp-b:2\n/api/v2/tasks/instances?empty=&name=a%20b&status=RUNNING%2CFAILED"
        );
        // `x-ocp-a-b` behind `x-ocp-a`, though its line would come before; values of one name as they were sent.
        let alike = [("host", "h"), ("date", "D"), ("x-ocp-a-b", "1"), ("x-ocp-a", "z"), ("x-ocp-a", "b")];
        let alike = self::parts("/", &alike);
        assert_eq!(
            text("POST", "", &alike.headers, &alike.uri).unwrap(),
            "POST\n\n\nD\nh\nx-ocp-a:z\nx-ocp-a:b\nx-ocp-a-b:1\n/"
        );
        let bare = self::parts("/api/v2/tasks/instances/1", &[("host", "h:1"), ("date", "D")]);
        assert_eq!(text("GET", "", &bare.headers, &bare.uri).unwrap(), "GET\n\n\nD\nh:1\n\n/api/v2/tasks/instances/1");
    }

    #[test]
    fn an_old_or_a_broken_signature_is_none() {
        let now: Timestamp = DateTime::parse_from_rfc2822("Tue, 17 Jan 2023 09:13:57 GMT").unwrap().to_utc().into();
        let of = |authorization: &str, date: &str| {
            let parts = parts("/", &[("authorization", authorization), ("date", date)]);
            signed(signed_by(&parts.headers).unwrap(), &parts, now)
        };
        let good = format!("{SCHEME} ak:c2ln");
        assert!(matches!(of(&good, "Tue, 17 Jan 2023 09:28:57 GMT").unwrap(), Credentials::Signed(_)));
        for (authorization, date) in [
            (good.as_str(), "Tue, 17 Jan 2023 09:28:58 GMT"),
            (good.as_str(), "Tue, 17 Jan 2023 08:58:56 GMT"),
            (good.as_str(), "yesterday"),
            (&format!("{SCHEME} ak"), "Tue, 17 Jan 2023 09:13:57 GMT"),
        ] {
            assert_eq!(of(authorization, date).unwrap_err().code(), &code::BAD_CREDENTIALS, "{authorization} {date}");
        }
        assert_eq!(signed_by(&parts("/", &[("authorization", "Bearer tl_x")]).headers), None);
    }
}
