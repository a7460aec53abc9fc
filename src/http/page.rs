//! The pages: GraphiQL at `/graphiql` and the REST dialects at `/docs`, from inside the binary, with no request to any
//! other host.
//!
//! `make web` bundles the folder `web` into `web/dist`; a binary built without it says so instead. The bundle is stored
//! gzipped and sent so to who asks for it; everybody else is sent what it was made of. Its assets, all below `/graphiql/assets`, have their
//! digest in their names and never change; the pages themselves are asked for each time.

use std::io::Read;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use rust_embed::{Embed, EmbeddedFile};

/// Nothing from elsewhere, nothing inline but two colours of a logo in the viewer of the dialects, by their digest.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
    font-src 'self' data:; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The same for GraphiQL, whose editor writes style elements and works in the background.
const EDITOR: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
    style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Taskloom</title>\
    <h1>The pages are not in this build</h1><p>Run <code>make web</code> (it needs Node 20.19 or newer and npm), build \
    again, and start the server again. The endpoint <code>/graphql</code> works without them.</p></html>";

#[derive(Embed)]
#[folder = "web/dist"]
struct Bundle;

/// The routes `/docs`, `/graphiql` and below.
pub fn router() -> Router {
    Router::new()
        .route("/docs", get(async |headers: HeaderMap| page(Bundle::get("docs.html.gz"), POLICY, &headers)))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/graphiql", get(async |headers: HeaderMap| page(Bundle::get("index.html.gz"), EDITOR, &headers)))
        .route("/graphiql/", get(async || Redirect::permanent("/graphiql")))
        .route("/graphiql/{*path}", get(asset))
}

fn page(page: Option<EmbeddedFile>, policy: &'static str, headers: &HeaderMap) -> Response {
    let answer = match page {
        Some(file) => send("index.html", file, "no-cache", headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], MISSING)
            .into_response(),
    };
    ([(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")], answer).into_response()
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Bundle::get(&format!("{path}.gz")) {
        Some(file) if path.starts_with("assets/") => send(&path, file, "public, max-age=31536000, immutable", &headers),
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends a gzipped file under the name that it had before.
fn send(name: &str, file: EmbeddedFile, cache: &'static str, headers: &HeaderMap) -> Response {
    let coding = Coding::of(headers);
    let tag = coding.tag(&file);
    // Workers are bound by the policy of their own script's answer.
    let fixed: [(HeaderName, HeaderValue); 5] = [
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::ETAG, tag.clone()),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(EDITOR)),
    ];
    if has(headers, &tag) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let mime = HeaderValue::from_str(mime.as_ref()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let kind = [(header::CONTENT_TYPE, mime)];
    match coding {
        Coding::Gzip => {
            let coded = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
            (fixed, kind, coded, file.data.into_owned()).into_response()
        }
        Coding::Identity => (fixed, kind, plain(&file)).into_response(),
    }
}

/// What was gzipped.
fn plain(file: &EmbeddedFile) -> Vec<u8> {
    let mut bytes = vec![];
    let read = GzDecoder::new(&*file.data).read_to_end(&mut bytes);
    read.expect("invariant: the bundle in the binary is whole");
    bytes
}

/// In which coding a file is sent (RFC 9110, section 12.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Identity,
}

impl Coding {
    /// Gzip where the client names it, or anything, and does not like it less than plain bytes. Who says nothing is a
    /// plain client as a rule, whom gzip would be garbage to; who refuses everything is sent plain bytes all the same.
    fn of(headers: &HeaderMap) -> Self {
        let (mut gzip, mut identity, mut any) = (None, None, None);
        let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for coding in values.flat_map(|value| value.split(',')) {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = Some(weight(parameters)),
                "identity" => identity = Some(weight(parameters)),
                "*" => any = Some(weight(parameters)),
                _ => {}
            }
        }
        let gzip = gzip.or(any).unwrap_or(0.0);
        if gzip > 0.0 && gzip >= identity.unwrap_or(0.0) { Self::Gzip } else { Self::Identity }
    }

    /// The name of these very bytes.
    fn tag(self, file: &EmbeddedFile) -> HeaderValue {
        let digest = hex::encode(&file.metadata.sha256_hash()[..16]);
        let tag = match self {
            Self::Gzip => format!("\"{digest}-gzip\""),
            Self::Identity => format!("\"{digest}\""),
        };
        HeaderValue::from_str(&tag).expect("invariant: hexadecimal digits make a header")
    }
}

/// The `q` of a coding: 1 where it is not said, 0 where it cannot be read.
fn weight(parameters: &str) -> f32 {
    let q = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    q.map_or(1.0, |q| q.parse().unwrap_or(0.0))
}

/// Whether the client has these bytes already (RFC 9110, section 13.1.2: tags are compared weakly).
fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut known = values.flat_map(|value| value.split(',')).map(|known| known.trim().trim_start_matches("W/"));
    known.any(|known| known == "*" || known == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_build_without_the_bundle_says_how_to_get_it() {
        let answer = page(None, POLICY, &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        assert!(String::from_utf8_lossy(&body).contains("make web"));
    }

    #[tokio::test]
    async fn nothing_inline_but_for_the_editor() {
        use tower::ServiceExt as _;
        for (path, has_inline) in [("/docs", false), ("/graphiql", true)] {
            let asked = axum::http::Request::get(path).body(axum::body::Body::empty()).expect("a request");
            let answer = router().oneshot(asked).await.expect("an answer");
            let policies: Vec<_> = answer.headers().get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
            assert_eq!(policies.len(), 1, "{path}");
            let policy = policies[0].to_str().expect("text");
            assert_eq!(policy.contains("unsafe-inline"), has_inline, "{path}: {policy}");
        }
    }

    #[test]
    fn gzip_is_sent_to_who_asks_for_it() {
        let coding =
            |value| Coding::of(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        for asked in ["gzip, deflate, br", "br, *;q=0.5", "GZIP; q=0.1", "identity;q=0.5, gzip", "x-gzip", "gzip;q=1.0"]
        {
            assert_eq!(coding(asked), Coding::Gzip, "{asked}");
        }
        for other in ["identity", "gzip;q=0", "gzip; q=0.000", "", "*;q=0", "br", "identity, gzip;q=0.5", "*, gzip;q=0"]
        {
            assert_eq!(coding(other), Coding::Identity, "{other}");
        }
        assert_eq!(Coding::of(&HeaderMap::new()), Coding::Identity);
    }
}
