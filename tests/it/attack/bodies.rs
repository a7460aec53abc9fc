//! Bodies that are larger than their sender may have: refused by who sends them, before they are read, with an answer that
//! arrives.
//!
//! On both databases where a role is looked up before the body is read, and where the largest body becomes a row. That a
//! refusal arrives, and that a socket goes by the same role, has nothing to do with the database.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::bench::{SOON, connect, on_both, padded, read_all, server, token};
use super::figure;
use crate::harness::server::Server;

const KIB: usize = 1024;
const ME: &str = "{ __typename }";

/// The status of a GraphQL request whose body has at least so many bytes.
async fn post(server: &Server, token: Option<&str>, bytes: usize) -> u16 {
    let request = server.request("POST", "/graphql").header("content-type", "application/json");
    let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
    request.body(padded(ME, bytes)).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sends_what_its_role_may() {
    on_both(&[], async |server: &Server| {
        let (viewer, manager) = (token(server, "VIEWER").await, token(server, "MANAGER").await);
        for (token, most) in [(None, 64 * KIB), (Some(&viewer), 256 * KIB), (Some(&manager), 6 * KIB * KIB)] {
            let token = token.map(String::as_str);
            assert_eq!(post(server, token, most - KIB).await, 200, "{most}");
            assert_eq!(post(server, token, most).await, 413, "{most}");
        }
        let refused = server.request("POST", "/graphql").header("content-type", "application/json");
        let refused: Value = refused.body(padded(ME, 64 * KIB)).send().await.unwrap().json().await.unwrap();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BODY_TOO_LARGE");

        for (path, token, bytes, status) in [
            ("/api/rest_j/v1/entrance/submit", Some(&manager), 1023 * KIB, 400),
            ("/api/rest_j/v1/entrance/submit", Some(&manager), 1025 * KIB, 413),
            ("/api/rest_j/v1/entrance/submit", None, 63 * KIB, 401),
            ("/api/rest_j/v1/entrance/submit", None, 65 * KIB, 413),
            ("/api/rest_j/v1/user/login", None, 65 * KIB, 413),
            ("/api/v2/tasks/instances/1/retry", Some(&manager), 1025 * KIB, 413),
        ] {
            let request = server.request("POST", path).header("content-type", "application/json");
            let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
            let answer = request.body(padded(ME, bytes)).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status, "{path} {bytes}");
            let body: Value = answer.json().await.unwrap();
            assert!(
                body.get("method").is_some() || body.get("traceId").is_some(),
                "{path} speaks as its dialect: {body}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_of_the_largest_size_can_be_sent() {
    on_both(&[], async |server: &Server| {
        let line = format!("# {}\n", "x".repeat(1000));
        let definition = "name: large\nsubtasks:\n  - {name: a, run: {shell: 'true'}}\n";
        let source = format!("{definition}{}", line.repeat(((4 << 20) - 1000) / line.len()));
        let document = "mutation($i: SaveDefinitionInput!) { saveDefinition(input: $i) { definition { name } } }";
        let name = server.get(document, json!({"i": {"source": source}}), "/saveDefinition/definition/name").await;
        assert_eq!(name, "large");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_refusal_arrives() {
    let (_folder, server) = server(&[]).await;
    let manager = token(&server, "MANAGER").await;
    let large = "x".repeat(8 << 20);
    let before = server.metric("process_resident_memory_bytes").await;
    let json = "content-type: application/json\r\n";
    let bearer = format!("authorization: Bearer {manager}\r\n");
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let cases = [
        ("/graphql", String::new(), "415"),
        ("/graphql", json.to_owned(), "413"),
        ("/graphql", format!("{json}{bearer}"), "413"),
        ("/graphql", format!("{json}authorization: Bearer nonsense\r\n"), "401"),
        ("/api/rest_j/v1/entrance/submit", format!("{json}{bearer}"), "413"),
        ("/api/rest_j/v1/user/login", json.to_owned(), "413"),
        ("/api/v2/tasks/instances/1/retry", format!("{json}{bearer}"), "413"),
        ("/api/v2/tasks/instances/1/retry", format!("{form}{bearer}"), "413"),
        ("/nowhere", json.to_owned(), "404"),
    ];
    for &(path, ref headers, status) in &cases {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
        let told = format!("{head}content-length: {}\r\n\r\n{large}", large.len());
        let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
        for (way, request) in [("told", &told), ("chunked", &chunked)] {
            // A dialect that reads no body learns of its length only where it is told.
            let status = if path.ends_with("/retry") && way == "chunked" { "40" } else { status };
            let status = if headers.starts_with(form) && way == "chunked" { "415" } else { status };
            let mut stream = connect(&server).await;
            // All of it, before the answer is looked at: a reset meanwhile fails here or there.
            stream.write_all(request.as_bytes()).await.unwrap_or_else(|error| panic!("{path} {way}: {error}"));
            let answer = read_all(&mut stream).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} {way}: {answer}");
        }
        let waits = format!("{head}content-length: {}\r\nexpect: 100-continue\r\n\r\n", large.len());
        let mut stream = connect(&server).await;
        stream.write_all(waits.as_bytes()).await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path} waits: {answer}");
    }
    let grown = (server.metric("process_resident_memory_bytes").await - before) / f64::from(1 << 20);
    assert!(grown < 64.0, "{grown:.0} MiB");
    figure::note(
        "bodies::an_early_refusal_arrives",
        "bodies of 8 MiB where they are refused, told, chunked and with `Expect`",
        "the refusal arrives, never a reset; less than 64 MiB of memory",
        &format!("{} refusals, {grown:.0} MiB", cases.len() * 3),
    );
}

/// Sends a message of so many bytes over a socket, as its init or behind it; the code that closes it, none when it is
/// answered.
async fn tell(server: &Server, token: &str, (init, bytes): (bool, usize)) -> Option<u16> {
    let mut request = format!("{}/graphql", server.url().replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let pad = |bytes| "x".repeat(bytes);
    let payload = json!({"token": token, "pad": pad(if init { bytes } else { 0 })});
    let _ = socket.send(Message::text(json!({"type": "connection_init", "payload": payload}).to_string())).await;
    let mut answers = 0;
    while let Some(frame) = tokio::time::timeout(SOON, socket.next()).await.expect("it answers") {
        match frame {
            Ok(Message::Close(frame)) => return Some(frame.map_or(0, |frame| frame.code.into())),
            Ok(Message::Text(_)) if init || answers > 0 => return None,
            Ok(Message::Text(_)) => {
                answers += 1;
                let payload = json!({"query": ME, "extensions": {"pad": pad(bytes)}});
                let message = json!({"type": "subscribe", "id": "a", "payload": payload});
                let _ = socket.send(Message::text(message.to_string())).await;
            }
            Ok(_) => {}
            // A reset by what was not read any more.
            Err(_) => return Some(0),
        }
    }
    Some(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_says_what_its_role_may() {
    let (_folder, server) = server(&[]).await;
    let (viewer, manager) = (token(&server, "VIEWER").await, token(&server, "MANAGER").await);
    for (token, message, is_taken) in [
        (&manager, (true, 63 * KIB), true),
        (&manager, (true, 128 * KIB), false),
        (&viewer, (false, 255 * KIB), true),
        (&viewer, (false, 300 * KIB), false),
        (&manager, (false, 5 << 20), true),
        (&manager, (false, 7 << 20), false),
    ] {
        let closed = tell(&server, token, message).await;
        assert_eq!(closed.is_none(), is_taken, "{message:?}: {closed:?}");
        assert!(matches!(closed, None | Some(0 | 1009)), "{message:?}: {closed:?}");
    }
}
