//! GraphiQL, in a real browser that may reach nothing but the server.

use std::io::Read;
use std::path::Path;

use reqwest::{Client, StatusCode, header, redirect};
use serde_json::{Value, json};

use super::server::Server;
use crate::harness::clients::node;

fn assert_is_built() {
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/index.html.gz").is_file(),
        "GraphiQL is not bundled: run `npm ci --prefix web && npm run build --prefix web` (Node 20.19 or newer)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_runs_queries_and_subscriptions_and_asks_no_other_host() {
    assert_is_built();
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    assert!(
        Path::new(&chromium).exists(),
        "{chromium} is missing: install Debian's package `chromium`, or set CHROMIUM"
    );
    let server = Server::start().await;
    let seen = node("graphiql.mjs", &[&format!("http://{}/graphiql", server.address)]).await;
    let seen: Value = serde_json::from_str(&seen).expect("JSON");
    assert_eq!((&seen["foreign"], &seen["problems"]), (&json!([]), &json!([])), "{seen:#}");
    assert_eq!(seen["tabs"], json!(["Tasks", "Submit", "Watch", "Log", "Preview", "Retry"]));
    assert_eq!(seen["answers"]["stranger"], r#"{"data":{"whoami":null}}"#);
    assert_eq!(seen["answers"]["user"], r#"{"data":{"whoami":"ada","task":{"id":0}}}"#);
    assert_eq!(seen["answers"]["subscription"], r#"{"data":{"count":3}}"#);
}

#[tokio::test]
async fn the_page_is_fresh_its_assets_are_kept_and_both_are_fenced_in() {
    assert_is_built();
    let server = Server::start().await;
    let client = plain_client();
    let get =
        |path: &str| client.get(format!("http://{}{path}", server.address)).header(header::ACCEPT_ENCODING, "gzip");
    let page = get("/graphiql").send().await.expect("an answer");
    assert_eq!(page.status(), StatusCode::OK);
    assert_eq!(page.headers()[header::CACHE_CONTROL], "no-cache");
    assert_eq!(page.headers()[header::CONTENT_TYPE], "text/html");
    assert_eq!(page.headers()[header::CONTENT_ENCODING], "gzip");
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");

    let asset = get(&script()).send().await.expect("an answer");
    assert_eq!(asset.status(), StatusCode::OK);
    assert_eq!(asset.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(asset.headers()[header::CONTENT_TYPE], "text/javascript");

    let slash = get("/graphiql/").send().await.expect("an answer");
    assert_eq!(slash.headers()[header::LOCATION], "/graphiql");
    for path in [
        "/graphiql/assets/none.js",
        "/graphiql/index.html",
        "/graphiql/assets/../index.html",
        "/graphiql/assets/%2e%2e/index.html",
        "/graphiql/.gitkeep",
    ] {
        assert_eq!(get(path).send().await.expect("an answer").status(), StatusCode::NOT_FOUND, "{path}");
    }
}

/// It says what it takes, and sees what comes.
fn plain_client() -> Client {
    Client::builder().redirect(redirect::Policy::none()).no_gzip().build().expect("a client")
}

/// The path of the script of GraphiQL.
fn script() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist/assets");
    let script = std::fs::read_dir(folder).expect("the bundle").filter_map(Result::ok).find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        (name.starts_with("index-") && name.ends_with(".js.gz")).then(|| name.trim_end_matches(".gz").to_owned())
    });
    format!("/graphiql/assets/{}", script.expect("a script"))
}

#[tokio::test]
async fn everybody_is_sent_what_they_can_read() {
    assert_is_built();
    let server = Server::start().await;
    let client = plain_client();
    for path in ["/graphiql".to_owned(), "/docs".to_owned(), script()] {
        let url = format!("http://{}{path}", server.address);
        let ask = |coding: Option<&str>, known: Option<&header::HeaderValue>| {
            let request = client.get(&url);
            let request = coding.into_iter().fold(request, |r, coding| r.header(header::ACCEPT_ENCODING, coding));
            known.into_iter().fold(request, |r, known| r.header(header::IF_NONE_MATCH, known)).send()
        };
        let coded = ask(Some("gzip, br"), None).await.expect("an answer");
        assert_eq!(coded.status(), StatusCode::OK, "{path}");
        assert_eq!(coded.headers()[header::CONTENT_ENCODING], "gzip", "{path}");
        assert_eq!(coded.headers()[header::VARY], "Accept-Encoding", "{path}");
        let tag = coded.headers()[header::ETAG].clone();
        let mut unpacked = vec![];
        let bytes = coded.bytes().await.expect("bytes");
        flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut unpacked).expect("gzip");
        for coding in [None, Some("identity"), Some("gzip;q=0"), Some("*;q=0"), Some("br"), Some("")] {
            let plain = ask(coding, Some(&tag)).await.expect("an answer");
            assert_eq!(plain.status(), StatusCode::OK, "{path} {coding:?}: the tag is of other bytes");
            assert!(!plain.headers().contains_key(header::CONTENT_ENCODING), "{path} {coding:?}");
            assert_eq!(plain.headers()[header::VARY], "Accept-Encoding", "{path} {coding:?}");
            let own = plain.headers()[header::ETAG].clone();
            assert_eq!(plain.bytes().await.expect("bytes"), unpacked, "{path} {coding:?}");
            let again = ask(coding, Some(&own)).await.expect("an answer");
            assert_eq!((again.status(), &again.headers()[header::ETAG]), (StatusCode::NOT_MODIFIED, &own), "{path}");
        }
        let again = ask(Some("gzip"), Some(&tag)).await.expect("an answer");
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.headers()[header::VARY], "Accept-Encoding", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_valid_documents_of_the_graph() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/examples");
    let examples = std::fs::read_dir(folder).expect("the examples").filter_map(Result::ok).map(|entry| entry.path());
    let examples: Vec<_> = examples.map(|path| path.to_str().expect("UTF-8").to_owned()).collect();
    assert!(examples.len() >= 6, "{examples:?}");
    let schema = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(schema.path(), taskloom::graphql::schema::text()).expect("writes");
    let mut arguments = vec![schema.path().to_str().expect("UTF-8")];
    arguments.extend(examples.iter().map(String::as_str));
    assert_eq!(node("validate.mjs", &arguments).await, "");
}
