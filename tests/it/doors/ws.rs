//! WebSockets, message by message.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message, handshake::client::Request};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use taskloom::config::Origins;

use super::server::Server;

const PATIENCE: Duration = Duration::from_secs(20);

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// The upgrade request, with these headers.
fn request(server: &Server, headers: &[(&'static str, &str)]) -> Request {
    let mut request = format!("ws://{}/graphql", server.address).into_client_request().expect("a request");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    request
}

/// The status with which an upgrade is refused.
async fn refused(server: &Server, headers: &[(&'static str, &str)]) -> u16 {
    match connect_async(request(server, headers)).await {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("the upgrade was not refused: {other:?}"),
    }
}

impl Client {
    async fn connect(server: &Server, headers: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("sec-websocket-protocol", "graphql-transport-ws")];
        all.extend(headers);
        let (socket, answer) = connect_async(request(server, &all)).await.expect("upgrades");
        assert_eq!(answer.headers()["sec-websocket-protocol"], "graphql-transport-ws");
        Self(socket)
    }

    async fn ready(server: &Server) -> Self {
        let mut client = Self::connect(server, &[]).await;
        client.say(json!({"type": "connection_init"})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sends");
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    async fn frame(&mut self) -> Option<Message> {
        timeout(PATIENCE, self.0.next()).await.expect("the server says something").and_then(Result::ok)
    }

    async fn hear(&mut self) -> Value {
        loop {
            match self.frame().await {
                Some(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Some(Message::Ping(_)) => {}
                other => panic!("not a message: {other:?}"),
            }
        }
    }

    /// The code and reason with which the server ends it.
    async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.frame().await {
                Some(Message::Close(Some(frame))) => return (frame.code.into(), frame.reason.to_string()),
                Some(Message::Text(_) | Message::Ping(_)) => {}
                other => panic!("not closed: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn only_the_own_origin_and_the_one_protocol_are_upgraded() {
    let server =
        Server::with(|settings| settings.origins = Origins::of(&["https://console.example".to_owned()]).unwrap()).await;
    assert_eq!(refused(&server, &[]).await, 400, "no protocol");
    assert_eq!(refused(&server, &[("sec-websocket-protocol", "graphql-ws")]).await, 400);
    let ours = ("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(refused(&server, &[ours, ("origin", "https://evil.example")]).await, 403);
    assert_eq!(refused(&server, &[ours, ("origin", "null")]).await, 403);
    Client::connect(&server, &[("origin", "https://console.example")]).await;
    Client::connect(&server, &[("origin", &format!("http://{}", server.address))]).await;
    Client::connect(&server, &[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")]).await;
}

#[tokio::test]
async fn subscriptions_queries_and_mutations_run_side_by_side() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("s", "subscription { count(to: 2) }").await;
    assert_eq!(client.hear().await, json!({"type": "next", "id": "s", "payload": {"data": {"count": 1}}}));
    assert_eq!(client.hear().await, json!({"type": "next", "id": "s", "payload": {"data": {"count": 2}}}));
    assert_eq!(client.hear().await, json!({"type": "complete", "id": "s"}));
    for (document, data) in
        [("mutation { change }", json!({"change": true})), ("{ task { id } }", json!({"task": {"id": 0}}))]
    {
        client.subscribe("s", document).await; // the id is free again
        assert_eq!(client.hear().await, json!({"type": "next", "id": "s", "payload": {"data": data}}));
        assert_eq!(client.hear().await, json!({"type": "complete", "id": "s"}));
    }
    client.say(json!({"type": "ping", "payload": {"any": 1}})).await;
    assert_eq!(client.hear().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_subscription_ends_when_the_client_completes_it_or_leaves() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { events }").await;
    client.subscribe("b", "subscription { events }").await;
    server.listeners(2).await;
    client.say(json!({"type": "complete", "id": "a"})).await;
    server.listeners(1).await;
    server.events.send(7).expect("someone listens");
    assert_eq!(client.hear().await, json!({"type": "next", "id": "b", "payload": {"data": {"events": 7}}}));
    client.subscribe("a", "subscription { events }").await;
    server.listeners(2).await;
    drop(client);
    server.listeners(0).await;
}

#[tokio::test]
async fn who_breaks_the_protocol_is_told_which_rule() {
    let server = Server::start().await;
    let quiet = json!({"type": "subscribe", "id": "a", "payload": {"query": "subscription { quiet }"}});
    for (code, reason, messages) in [
        (4400, "unknown variant", vec![json!({"type": "x".repeat(5000)})]),
        (4400, "missing field `type`", vec![json!({})]),
        (4400, "", vec![json!([])]),
        (4400, "missing field `query`", vec![json!({"type": "subscribe", "id": "a", "payload": {}})]),
        (4401, "Unauthorized", vec![quiet.clone()]),
        (
            4400,
            "an id has at most",
            vec![
                json!({"type": "connection_init"}),
                json!({"type": "subscribe", "id": "x".repeat(129), "payload": {"query": "{ task { id } }"}}),
            ],
        ),
        (4409, "Subscriber for a already exists", vec![json!({"type": "connection_init"}), quiet.clone(), quiet]),
        (
            4429,
            "Too many initialisation requests",
            vec![json!({"type": "connection_init"}), json!({"type": "connection_init"})],
        ),
    ] {
        let mut client = Client::connect(&server, &[]).await;
        for message in messages {
            client.say(message).await;
        }
        let (closed, said) = client.closed().await;
        assert_eq!((closed, said.contains(reason)), (code, true), "{said}");
    }
    let mut client = Client::connect(&server, &[]).await;
    client.0.send(Message::binary(vec![1, 2])).await.expect("sends");
    assert_eq!(client.closed().await.0, 4400);
    let mut client = Client::connect(&server, &[]).await;
    client.0.send(Message::text("{")).await.expect("sends");
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn who_says_nothing_is_closed() {
    let server = Server::with(|settings| settings.socket.init = Duration::from_millis(50)).await;
    let mut client = Client::connect(&server, &[]).await;
    assert_eq!(client.closed().await, (4408, "Connection initialisation timeout".into()));
}

#[tokio::test]
async fn credentials_come_with_the_upgrade_or_with_the_init() {
    let server = Server::start().await;
    let init = |token| json!({"type": "connection_init", "payload": {"Authorization": token}});
    for (headers, message) in [
        (vec![("authorization", "Bearer good")], json!({"type": "connection_init"})),
        (vec![], init("Bearer good")),
        (vec![("authorization", "Bearer bad")], init("Bearer good")),
    ] {
        let mut client = Client::connect(&server, &headers).await;
        client.say(message).await;
        client.hear().await;
        client.subscribe("q", "{ whoami }").await;
        assert_eq!(client.hear().await["payload"]["data"]["whoami"], "ada");
    }
    for (token, code, reason) in [("Bearer bad", 4403, "not signed in"), ("Bearer down", 1013, "the database does not")]
    {
        let mut client = Client::connect(&server, &[]).await;
        client.say(init(token)).await;
        let (closed, said) = client.closed().await;
        assert_eq!((closed, said.starts_with(reason)), (code, true), "{said}");
    }
    let mut client = Client::connect(&server, &[("accept-language", "zh")]).await;
    client.say(init("Bearer bad")).await;
    assert_eq!(client.closed().await, (4403, "尚未登录".into()));
}

#[tokio::test]
async fn a_socket_ends_with_the_sign_in_and_with_the_server() {
    let server = Server::start().await;
    let mut short = Client::connect(&server, &[("authorization", "Bearer short")]).await;
    short.say(json!({"type": "connection_init"})).await;
    assert_eq!(short.hear().await["type"], "connection_ack");
    let mut other = Client::ready(&server).await;
    server.gate.lapse.cancel();
    assert_eq!(short.closed().await.0, 4403);
    other.subscribe("q", "{ task { id } }").await;
    assert_eq!(other.hear().await["type"], "next", "others stay");
    server.stop.cancel();
    assert_eq!(other.closed().await, (1012, "the server is stopping".into()));
}

#[tokio::test]
async fn a_socket_has_a_bounded_number_of_operations() {
    let server = Server::with(|settings| settings.socket.operations = 3).await;
    let mut client = Client::ready(&server).await;
    for id in ["a", "b", "c", "d"] {
        client.subscribe(id, "subscription { quiet }").await;
    }
    let refused = client.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("d")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_REQUESTS");
    client.say(json!({"type": "complete", "id": "a"})).await;
    client.subscribe("d", "{ task { id } }").await;
    assert_eq!(client.hear().await["type"], "next");
}

#[tokio::test]
async fn a_process_has_a_bounded_number_of_subscriptions_over_all_sockets() {
    let server = Server::with(|settings| settings.subscriptions = 2).await;
    let (mut one, mut other) = (Client::ready(&server).await, Client::ready(&server).await);
    for client in [&mut one, &mut other] {
        client.subscribe("a", "subscription { events }").await;
    }
    server.listeners(2).await;
    for client in [&mut one, &mut other] {
        client.subscribe("b", "subscription { quiet }").await;
        let refused = client.hear().await;
        assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("b")));
        assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{refused}");
        client.subscribe("b", "{ task { id } }").await;
        assert_eq!(client.hear().await["type"], "next", "queries need no place");
        assert_eq!(client.hear().await["type"], "complete");
    }
    one.say(json!({"type": "complete", "id": "a"})).await;
    server.listeners(1).await;
    other.subscribe("b", "subscription { count(to: 1) }").await;
    assert_eq!(other.hear().await["payload"]["data"]["count"], 1);
    assert_eq!(other.hear().await["type"], "complete");
    drop(one);
    other.subscribe("c", "subscription { count(to: 1) }").await;
    assert_eq!(other.hear().await["type"], "next", "what ended by itself has given its place back");
}

#[tokio::test]
async fn queries_and_mutations_have_the_time_that_a_request_has_and_subscriptions_go_on() {
    let server = Server::with(|settings| settings.time = Duration::from_millis(50)).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("s", "subscription { events }").await;
    client.subscribe("q", "{ forever }").await;
    let error = client.hear().await;
    assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("q")));
    assert_eq!(error["payload"][0]["extensions"]["code"], "TIMED_OUT");
    server.listeners(1).await;
    server.events.send(7).expect("it still listens");
    assert_eq!(client.hear().await["payload"]["data"]["events"], 7);
}

#[tokio::test]
async fn errors_end_their_operation_and_nothing_else() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    for (query, code) in [("{ unknown }", "BAD_REQUEST"), ("{", "BAD_REQUEST"), ("{ internal }", "INTERNAL")] {
        client.subscribe("a", query).await;
        let error = client.hear().await;
        assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(code)));
    }
    client.subscribe("a", &format!("{{ swallow(any: {}", "[".repeat(1500))).await;
    assert_eq!(client.hear().await["payload"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX");

    for (query, code) in
        [("subscription { stumbles }", "DATABASE_UNAVAILABLE"), ("subscription { panics }", "INTERNAL")]
    {
        client.subscribe("a", query).await;
        assert_eq!(client.hear().await["type"], "next");
        let error = client.hear().await;
        assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!(code)));
        client.subscribe("a", "{ task { id } }").await; // it is over: nothing follows, and the id is free
        assert_eq!(client.hear().await["payload"]["data"]["task"]["id"], 0);
        assert_eq!(client.hear().await["type"], "complete");
    }
}

#[tokio::test]
async fn a_stream_that_always_has_more_starves_nobody() {
    let server = Server::start().await;
    let mut client = Client::ready(&server).await;
    client.subscribe("flood", "subscription { count(to: 4000000000) }").await;
    client.hear().await;
    client.subscribe("b", "subscription { count(to: 3) }").await;
    let mut others = vec![];
    while others.len() < 4 {
        let message = client.hear().await;
        if message["id"] == "b" {
            others.push(message["type"].clone());
        }
    }
    assert_eq!(others, ["next", "next", "next", "complete"]);
    client.say(json!({"type": "complete", "id": "flood"})).await;
    client.subscribe("end", "{ task { id } }").await;
    while client.hear().await["id"] != "end" {}
}

#[tokio::test]
async fn too_large_a_message_ends_the_socket() {
    let server = Server::with(|settings| settings.bodies.stranger = 1000).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", &format!("subscription {{ quiet }} #{}", "x".repeat(2000))).await;
    // Either the reason, or a reset by what the server had not read.
    if let Some(frame) = client.frame().await {
        let Message::Close(Some(frame)) = frame else { panic!("answered: {frame:?}") };
        assert_eq!(u16::from(frame.code), 1009);
    }
    Client::ready(&server).await;
}

#[tokio::test]
async fn who_answers_pings_stays_and_who_does_not_is_gone() {
    let server = Server::with(|settings| {
        settings.socket.init = Duration::from_millis(100);
        settings.socket.ping = Duration::from_millis(100);
    })
    .await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { events }").await;
    let mut deaf = Client::ready(&server).await;
    deaf.subscribe("a", "subscription { events }").await;
    server.listeners(2).await;
    for _ in 0..5 {
        // Reading answers the pings; the other client never reads.
        while !matches!(client.frame().await, Some(Message::Ping(_))) {}
    }
    server.listeners(1).await;
    server.events.send(1).expect("someone listens");
    assert_eq!(client.hear().await["payload"]["data"]["events"], 1);
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let server = Server::with(|settings| settings.socket.send = Duration::from_millis(200)).await;
    let mut client = Client::ready(&server).await;
    client.subscribe("a", "subscription { events }").await;
    client.subscribe("flood", "subscription { count(to: 4000000000) }").await;
    server.listeners(1).await;
    server.listeners(0).await;
    drop(client);
}

#[tokio::test]
async fn the_first_message_may_name_the_language() {
    let server = Server::start().await;
    for (init, wanted) in [
        (json!({"Accept-Language": "zh-CN"}), "任务 7 不存在"),
        (json!({"headers": {"accept-language": "zh"}}), "任务 7 不存在"),
        (json!({}), "task 7 does not exist"),
    ] {
        let mut client = Client::connect(&server, &[]).await;
        client.say(json!({"type": "connection_init", "payload": init})).await;
        assert_eq!(client.hear().await, json!({"type": "connection_ack"}));
        client.subscribe("1", "{ refused }").await;
        assert_eq!(client.hear().await["payload"][0]["message"], wanted, "{init}");
    }
}
