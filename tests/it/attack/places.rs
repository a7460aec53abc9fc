//! One user cannot take the places of all others: sockets and subscriptions are counted for each.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::bench::user_token;
use super::figure::note;
use crate::harness::server::Server;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const SETTINGS: &[(&str, &str)] = &[("SERVER__USER_SOCKETS", "5"), ("SERVER__USER_SUBSCRIPTIONS", "8")];

#[tokio::test]
async fn one_user_leaves_places_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), SETTINGS).await;
    let (usual, more) = (token(&server, None).await, token(&server, Some(11)).await);
    let other = user_token(&server, "hope", "VIEWER").await;

    let mut sockets = vec![];
    for _ in 0..5 {
        sockets.push(open(&server, &usual).await.unwrap());
    }
    let (code, reason) = open(&server, &usual).await.unwrap_err();
    assert_eq!(code, 1013, "{reason}");
    assert!(reason.contains('5'), "{reason}");
    let mut others = open(&server, &other).await.unwrap();
    assert_eq!(subscribe(&mut others, "1").await, None, "another user has places of its own");

    for number in 0..8 {
        assert_eq!(subscribe(&mut sockets[number % 5], &number.to_string()).await, None, "{number}");
    }
    let refused = subscribe(&mut sockets[0], "more").await;
    assert_eq!(refused.as_deref(), Some("TOO_MANY_OWN_SUBSCRIPTIONS"));
    sockets.pop();
    let mut allowed = open_soon(&server, &more).await;
    for number in 0..4 {
        assert_eq!(subscribe(&mut allowed, &number.to_string()).await, None, "seven and four are eleven");
    }
    assert_eq!(subscribe(&mut allowed, "more").await.as_deref(), Some("TOO_MANY_OWN_SUBSCRIPTIONS"));
    note(
        "places::one_user_leaves_places_to_others",
        "one user opens sockets and subscriptions without end",
        "refused from the setting's number on (50 and 500 as usual); others are let in",
        "6th of 5 sockets and 9th of 8 subscriptions refused",
    );
}

async fn token(server: &Server, subscriptions: Option<i32>) -> String {
    let create = "mutation($input: CreateTokenInput!) { createToken(input: $input) { secret } }";
    let input = json!({"input": {"name": "attack", "role": "VIEWER", "subscriptions": subscriptions}});
    server.get(create, input, "/createToken/secret").await.as_str().unwrap().to_owned()
}

/// A socket that was let in, or the code and reason of its end.
async fn open(server: &Server, token: &str) -> Result<Socket, (u16, String)> {
    let mut request = format!("{}/graphql", server.url().replace("http", "ws")).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let init = json!({"type": "connection_init", "payload": {"Authorization": format!("Bearer {token}")}});
    socket.send(Message::text(init.to_string())).await.unwrap();
    match socket.next().await.unwrap().unwrap() {
        Message::Close(Some(frame)) => Err((frame.code.into(), frame.reason.to_string())),
        message => {
            let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            assert_eq!(message["type"], "connection_ack");
            Ok(socket)
        }
    }
}

/// The same, where another one is just being closed.
async fn open_soon(server: &Server, token: &str) -> Socket {
    crate::harness::server::until("a place is free", async || open(server, token).await.ok()).await
}

/// Why a subscription is refused, if it is: one that is not is silent.
async fn subscribe(socket: &mut Socket, id: &str) -> Option<String> {
    let follow =
        json!({"id": id, "type": "subscribe", "payload": {"query": "subscription { taskChanged { cursor } }"}});
    socket.send(Message::text(follow.to_string())).await.unwrap();
    // Its answer comes before that of what is asked behind it.
    socket.send(Message::text(json!({"type": "ping"}).to_string())).await.unwrap();
    let mut refused = None;
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let Ok(text) = message.to_text() else { continue };
        let Ok(message) = serde_json::from_str::<Value>(text) else { continue };
        match message["type"].as_str() {
            Some("pong") if refused.is_some() => return refused,
            Some("pong") => break,
            Some("error") => refused = message["payload"][0]["extensions"]["code"].as_str().map(str::to_owned),
            other => panic!("{other:?}: {message}"),
        }
    }
    // A refusal may come behind the pong: it is ready when the operation is polled.
    let late = tokio::time::timeout(std::time::Duration::from_millis(300), socket.next()).await.ok()?;
    let message: Value = serde_json::from_str(late?.ok()?.to_text().ok()?).ok()?;
    message["payload"][0]["extensions"]["code"].as_str().map(str::to_owned)
}
