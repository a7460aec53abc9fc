//! Pages of other origins: what they can have a browser send, and what those may that the settings name.
//!
//! On both databases where a session or an access key is looked up. What a foreign page may not is told by headers alone:
//! those stories are told on SQLite.

use base64::Engine as _;
use serde_json::{Value, json};

use super::bench::{on_both, server, token};
use crate::harness::server::{PASSWORD, Server};

const NAMED: &str = "https://ops.example.org";
const EVIL: &str = "https://evil.example.org";

/// The value of the cookie that an answer sets.
fn cookie(answer: &reqwest::Response) -> String {
    let line = answer.headers()["set-cookie"].to_str().unwrap();
    line.split(';').next().unwrap().to_owned()
}

/// Signs in by a page of this origin; the line that sets the cookie.
async fn sign_in(server: &Server, origin: &str) -> (String, String) {
    let document = "mutation($i: LoginInput!) { login(input: $i) { expiresAt } }";
    let body = json!({"query": document, "variables": {"i": {"name": "admin", "password": PASSWORD}}});
    let answer = server.request("POST", "/graphql").header("origin", origin).json(&body).send().await.unwrap();
    let line = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    (cookie(&answer), line)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_origin_calls_with_the_users_cookie_and_no_other_does() {
    on_both(&[("SERVER__EXTERNAL_ORIGINS", "https://OPS.example.org:443/")], async |server: &Server| {
        let (cookie, line) = sign_in(server, NAMED).await;
        assert!(line.contains("SameSite=None") && line.contains("Secure"), "{line}");
        for (origin, site, name, allowed) in [
            (NAMED, "same-site", json!("admin"), Some(NAMED)),
            (NAMED, "cross-site", json!("admin"), Some(NAMED)),
            (EVIL, "cross-site", Value::Null, None),
            ("null", "cross-site", Value::Null, None),
            ("http://ops.example.org", "cross-site", Value::Null, None),
        ] {
            let request = server.request("POST", "/graphql").header("origin", origin).header("sec-fetch-site", site);
            let request = request.header("cookie", &cookie).json(&json!({"query": "{ me { name } }"}));
            let answer = request.send().await.unwrap();
            let shown =
                answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(shown.as_deref(), allowed, "{origin}");
            if allowed.is_some() {
                assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
            }
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body.pointer("/data/me/name").unwrap_or(&Value::Null), &name, "{origin} {site}: {body}");
        }
        let ask = server.request("OPTIONS", "/graphql").header("origin", NAMED);
        let ask = ask.header("access-control-request-method", "POST");
        let answer = ask.header("access-control-request-headers", "content-type").send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], NAMED);
        assert_eq!(socket(server, NAMED, &cookie).await.as_deref(), Some("admin"));
        assert_eq!(socket(server, EVIL, &cookie).await, None);
    })
    .await;
}

/// Who a socket is taken for that a page of this origin opens; none: it is not opened.
async fn socket(server: &Server, origin: &str, cookie: &str) -> Option<String> {
    use futures::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
    let mut request = format!("{}/graphql", server.url().replace("http", "ws")).into_client_request().unwrap();
    for (name, value) in [("origin", origin), ("cookie", cookie), ("sec-websocket-protocol", "graphql-transport-ws")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.ok()?;
    let subscribe = json!({"type": "subscribe", "id": "a", "payload": {"query": "{ me { name } }"}});
    socket.send(Message::text(json!({"type": "connection_init"}).to_string())).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    let answer: Value = serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    answer.pointer("/payload/data/me/name")?.as_str().map(str::to_owned)
}

const SUBMIT: &str = "/api/rest_j/v1/entrance/submit";
const RETRY: &str = "/api/v2/tasks/instances/1/retry";
const LOGIN: &str = "/api/rest_j/v1/user/login";

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_does_nothing_at_an_old_door() {
    let (_folder, server) = server(&[]).await;
    let login = json!({"userName": "admin", "password": PASSWORD}).to_string();
    let answer = server.request("POST", LOGIN).body(login.clone()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "a program need not name its JSON");
    let linkis = cookie(&answer);
    let ours = sign_in(&server, &server.url()).await.0;
    let send = async |path: &str, headers: &[(&str, &str)]| {
        let body = if path == LOGIN { login.clone() } else { "{}".to_owned() };
        let request = server.request("POST", path).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    let json = ("content-type", "application/json");
    let own = server.url();
    let own = own.as_str();
    for (path, cookie) in [(SUBMIT, &linkis), (RETRY, &ours)] {
        let cookie = ("cookie", cookie.as_str());
        let reached = send(path, &[json, cookie]).await;
        assert!(matches!(reached, 400 | 404), "{path}: {reached}");
        assert_eq!(send(path, &[json, cookie, ("origin", own)]).await, reached, "{path}");
        assert_eq!(send(path, &[cookie]).await, reached, "{path}");
        for foreign in [
            ("origin", EVIL),
            ("referer", "https://evil.example.org/page"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
        ] {
            assert_eq!(send(path, &[json, cookie, foreign]).await, 401, "{path} {foreign:?}");
        }
        for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"] {
            assert_eq!(send(path, &[("content-type", kind), cookie]).await, 415, "{path} {kind}");
        }
        assert_eq!(send(path, &[cookie, ("origin", EVIL)]).await, 415, "{path}: a page that does not name its JSON");
    }
    assert_eq!(send(LOGIN, &[json, ("origin", own)]).await, 200);
    for foreign in [("origin", EVIL), ("sec-fetch-site", "same-site"), ("referer", "https://evil.example.org/")] {
        assert_eq!(send(LOGIN, &[json, foreign]).await, 403, "{foreign:?}");
    }
    assert_eq!(send(LOGIN, &[("content-type", "text/plain")]).await, 415);
}

/// Where somebody without credentials may do something, a page may not do it by a visitor's browser.
#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_no_foreign_page() {
    let (_folder, server) = server(&[("DIALECTS__LINKIS__ANONYMOUS_ROLE", "TASK_MANAGER")]).await;
    let kill = async |headers: &[(&str, &str)]| {
        let request = server.request("GET", "/api/rest_j/v1/entrance/1/kill");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(kill(&[]).await, 400, "there is no such job");
    assert_eq!(kill(&[("sec-fetch-site", "cross-site")]).await, 401);
    assert_eq!(kill(&[("referer", "https://evil.example.org/")]).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_is_done_once() {
    on_both(&[], async |server: &Server| {
        let create = "mutation($i: CreateTokenInput!) { createToken(input: $i) { accessKey { id secret } } }";
        let input = json!({"i": {"name": "old client", "role": "MANAGER", "accessKey": true}});
        let key = server.get(create, input, "/createToken/accessKey").await;
        let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
        let host = server.url().trim_start_matches("http://").to_owned();
        let send = async |method: &str, path: &str, date: &str| {
            let text = format!("{method}\n\n\n{date}\n{host}\n\n{path}");
            let signature = taskloom::auth::signature::sign(secret, &text);
            let request = server.request(method, path).header("date", date);
            let request = request.header("authorization", format!("OCP-ACCESS-KEY-HMACSHA1 {id}:{signature}"));
            request.send().await.unwrap().status().as_u16()
        };
        let now = httpdate::fmt_http_date(std::time::SystemTime::now());
        let later = httpdate::fmt_http_date(std::time::SystemTime::now() + std::time::Duration::from_secs(1));
        for (method, path, done) in [("GET", "/api/v2/tasks/instances", 200), ("POST", RETRY, 404)] {
            assert_eq!(send(method, path, &now).await, done);
            assert_eq!(send(method, path, &now).await, 401, "{method} again");
            assert_eq!(send(method, path, &later).await, done, "{method} signed anew");
        }
        let bearer = token(server, "VIEWER").await;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
        for header in [format!("Bearer {bearer}"), format!("Basic {basic}")] {
            for _ in 0..2 {
                let request = server.request("GET", "/api/v2/tasks/instances").header("authorization", &header);
                assert_eq!(
                    request.send().await.unwrap().status().as_u16(),
                    200,
                    "what is not signed may be said again"
                );
            }
        }
    })
    .await;
}
