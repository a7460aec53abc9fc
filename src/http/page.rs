//! The pages: GraphiQL at `/graphiql` and the REST dialects at `/docs`, from inside the binary, with no request to any
//! other host.
//!
//! `make web` bundles the folder `web` into `web/dist`; a binary built without it says so instead. The bundle is stored
//! gzipped and sent so: every browser of this century takes it. Its assets, all below `/graphiql/assets`, have their
//! digest in their names and never change; the pages themselves are asked for each time.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

/// Nothing from elsewhere, no inline script; the editor writes style elements and has its fonts in its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; \
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
        .route("/docs", get(async |headers: HeaderMap| page(Bundle::get("docs.html.gz"), &headers)))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/graphiql", get(async |headers: HeaderMap| page(Bundle::get("index.html.gz"), &headers)))
        .route("/graphiql/", get(async || Redirect::permanent("/graphiql")))
        .route("/graphiql/{*path}", get(asset))
}

fn page(page: Option<EmbeddedFile>, headers: &HeaderMap) -> Response {
    let answer = match page {
        Some(file) => send("index.html", file, "no-cache", headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], MISSING)
            .into_response(),
    };
    ([(header::CONTENT_SECURITY_POLICY, POLICY), (header::REFERRER_POLICY, "no-referrer")], answer).into_response()
}

async fn asset(Path(path): Path<String>, headers: HeaderMap) -> Response {
    match Bundle::get(&format!("{path}.gz")) {
        Some(file) if path.starts_with("assets/") => send(&path, file, "public, max-age=31536000, immutable", &headers),
        Some(_) | None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends a gzipped file under the name that it had before.
fn send(name: &str, file: EmbeddedFile, cache: &'static str, headers: &HeaderMap) -> Response {
    if !takes_gzip(headers) {
        return (StatusCode::NOT_ACCEPTABLE, "this is sent gzipped only: curl --compressed\n").into_response();
    }
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let mime = HeaderValue::from_str(mime.as_ref()).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // Workers are bound by the policy of their own script's answer.
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_ENCODING, "gzip"),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (fixed, [(header::CONTENT_TYPE, mime)], file.data.into_owned()).into_response()
}

/// Whether gzip may be sent: as a rule yes, unless the client lists encodings without it.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let Some(accepted) = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()) else {
        return true;
    };
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        matches!(name.trim(), "gzip" | "*") && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_build_without_the_bundle_says_how_to_get_it() {
        let answer = page(None, &HeaderMap::new());
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = axum::body::to_bytes(answer.into_body(), 10_000).await.expect("a body");
        assert!(String::from_utf8_lossy(&body).contains("make web"));
    }

    #[test]
    fn gzip_is_sent_unless_the_client_cannot_read_it() {
        let takes =
            |value| takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        assert!(takes_gzip(&HeaderMap::new()) && takes("gzip, deflate, br") && takes("br, *;q=0.5"));
        assert!(!takes("identity") && !takes("gzip;q=0") && !takes(""));
    }
}
