//! A socket does not outlive what opened it.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use taskloom::resolver::{token, user};
use taskloom_entity::Role;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::bench::{Bench, PASSWORD, on_both};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[tokio::test]
async fn a_socket_ends_when_its_token_is_revoked() {
    on_both(async |t| {
        let (ann, bob) = (t.user("ann", Role::Viewer, &[]).await, t.user("bob", Role::Viewer, &[]).await);
        let (made, other) = (t.token(ann, Role::Viewer).await, t.token(bob, Role::Viewer).await);
        let mut socket = open(&t, json!({"authorization": format!("Bearer {}", made.secret)})).await;
        let mut stays = open(&t, json!({"token": other.secret})).await;
        token::revoke(&t.system(), made.token.id).await.unwrap();
        assert_eq!(closed(&mut socket).await, 4403);
        assert_eq!(name(&mut stays).await, json!("bob"));
    })
    .await;
}

#[tokio::test]
async fn a_socket_ends_when_its_users_rights_change() {
    on_both(async |t| {
        let ann = t.user("ann", Role::Manager, &[]).await;
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("ann:{PASSWORD}"));
        let init = json!({"Authorization": format!("Basic {basic}")});
        let mut socket = open(&t, init.clone()).await;
        assert_eq!(name(&mut socket).await, json!("ann"));
        user::set_role(&t.system(), ann, Role::Viewer).await.unwrap();
        assert_eq!(closed(&mut socket).await, 4403);
        let mut socket = open(&t, init).await;
        user::disable(&t.system(), ann).await.unwrap();
        assert_eq!(closed(&mut socket).await, 4403);
    })
    .await;
}

#[tokio::test]
async fn a_cookie_opens_no_socket_for_a_foreign_page_and_a_socket_makes_no_session() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let login = format!("mutation {{ login(input: {{name: \"ann\", password: \"{PASSWORD}\"}}) {{ expiresAt }} }}");
        let cookie = t.anonymous().ask(&login).await.cookie.unwrap();
        let cookie = cookie.split(';').next().unwrap();
        let mut socket = connect(&t, &[("cookie", cookie)]).await.unwrap();
        init(&mut socket, json!(null)).await;
        assert_eq!(name(&mut socket).await, json!("ann"));
        assert!(connect(&t, &[("cookie", cookie), ("origin", "http://evil.example")]).await.is_err());
        let answer = ask(&mut socket, &login).await;
        assert_eq!(answer.pointer("/errors/0/extensions/code"), Some(&json!("BAD_REQUEST")), "{answer}");
    })
    .await;
}

/// The first answer to a document on a socket of its own.
pub(super) async fn first(t: &Bench, payload: Value, document: &str) -> Value {
    let mut socket = open(t, payload).await;
    send(&mut socket, json!({"id": "1", "type": "subscribe", "payload": {"query": document}})).await;
    let answer = hear(&mut socket).await;
    if answer["type"] == json!("error") { json!({"errors": answer["payload"]}) } else { answer["payload"].clone() }
}

async fn connect(t: &Bench, headers: &[(&'static str, &str)]) -> Result<Socket, tokio_tungstenite::tungstenite::Error> {
    let mut request = format!("ws://{}/graphql", t.address).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    connect_async(request).await.map(|(socket, _)| socket)
}

async fn open(t: &Bench, payload: Value) -> Socket {
    let mut socket = connect(t, &[]).await.unwrap();
    init(&mut socket, payload).await;
    socket
}

async fn init(socket: &mut Socket, payload: Value) {
    send(socket, json!({"type": "connection_init", "payload": payload})).await;
    assert_eq!(hear(socket).await["type"], json!("connection_ack"));
}

async fn name(socket: &mut Socket) -> Value {
    ask(socket, "{ me { name } }").await.pointer("/data/me/name").cloned().unwrap_or_default()
}

async fn ask(socket: &mut Socket, document: &str) -> Value {
    send(socket, json!({"id": "1", "type": "subscribe", "payload": {"query": document}})).await;
    let answer = hear(socket).await;
    if answer["type"] == json!("error") {
        return json!({"errors": answer["payload"]});
    }
    assert_eq!(hear(socket).await["type"], json!("complete"));
    answer["payload"].clone()
}

async fn send(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

async fn hear(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("an answer in time");
        match message.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => panic!("closed: {frame:?}"),
            _ => {}
        }
    }
}

async fn closed(socket: &mut Socket) -> u16 {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("the end in time");
        if let Message::Close(frame) = message.unwrap().unwrap() {
            return frame.unwrap().code.into();
        }
    }
}
