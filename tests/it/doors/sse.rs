//! Server-sent events, byte by byte.

use std::time::Duration;

use futures::StreamExt;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::server::Server;

fn subscribe(server: &Server, query: &str) -> RequestBuilder {
    Client::new().post(server.url()).header(header::ACCEPT, "text/event-stream").json(&json!({ "query": query }))
}

/// The text of a stream until it ends or has this in it.
async fn read(response: Response, until: &str) -> String {
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while !text.contains(until) {
        match timeout(Duration::from_secs(20), stream.next()).await.expect("the stream goes on or ends") {
            Some(chunk) => text.push_str(std::str::from_utf8(&chunk.expect("bytes")).expect("UTF-8")),
            None => break,
        }
    }
    text
}

fn errors(text: &str) -> Value {
    let data = text.lines().rev().filter_map(|line| line.strip_prefix("data: ")).find(|data| *data != "null");
    let next: Value = serde_json::from_str(data.expect("data")).expect("JSON");
    next["errors"][0]["extensions"]["code"].clone()
}

const NEVER: &str = "\u{0}";

#[tokio::test]
async fn a_subscription_is_a_stream_that_completes() {
    let server = Server::start().await;
    let response = subscribe(&server, "subscription { count(to: 2) }").send().await.expect("an answer");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let expected = "event: next\ndata: {\"data\":{\"count\":1}}\n\nevent: next\ndata: {\"data\":{\"count\":2}}\n\nevent: complete\ndata: null\n\n";
    assert_eq!(read(response, NEVER).await, expected);
    for (query, data) in
        [("{ task { id } }", r#"{"data":{"task":{"id":0}}}"#), ("mutation { change }", r#"{"data":{"change":true}}"#)]
    {
        let response = subscribe(&server, query).send().await.expect("an answer");
        assert_eq!(
            read(response, NEVER).await,
            format!("event: next\ndata: {data}\n\nevent: complete\ndata: null\n\n")
        );
    }
}

#[tokio::test]
async fn get_takes_subscriptions_but_no_mutations() {
    let server = Server::start().await;
    let get = |query: &str| {
        let mut url = reqwest::Url::parse(&server.url()).expect("a URL");
        url.query_pairs_mut().append_pair("query", query);
        Client::new().get(url).header(header::ACCEPT, "text/event-stream")
    };
    let response = get("subscription { count(to: 1) }").send().await.expect("an answer");
    assert!(read(response, NEVER).await.starts_with("event: next\ndata: {\"data\":{\"count\":1}}"));
    let response = get("mutation { change }").send().await.expect("an answer");
    let text = read(response, NEVER).await;
    assert_eq!(errors(&text), "BAD_REQUEST", "{text}");
    assert!(!text.contains("change\":true"));
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let server = Server::start().await;
    for (query, code) in [
        ("subscription { unknown }", "BAD_REQUEST"),
        ("subscription { stumbles }", "DATABASE_UNAVAILABLE"),
        ("subscription { panics }", "INTERNAL"),
    ] {
        let response = subscribe(&server, query).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let text = read(response, NEVER).await;
        assert_eq!(errors(&text), code, "{text}");
        assert!(text.ends_with("event: complete\ndata: null\n\n"), "{text}");
    }
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() {
    let server = Server::with(|settings| settings.keep_alive = Duration::from_millis(30)).await;
    let response = subscribe(&server, "subscription { quiet }").send().await.expect("an answer");
    assert_eq!(read(response, ": \n\n: \n\n").await, ": \n\n: \n\n");
}

#[tokio::test]
async fn bad_credentials_are_401_and_a_lapse_ends_the_stream() {
    let server = Server::start().await;
    let ask = |token| subscribe(&server, "subscription { events }").header(header::AUTHORIZATION, token);
    let refused = ask("Bearer bad").send().await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let body: Value = refused.json().await.expect("JSON");
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let response = ask("Bearer short").send().await.expect("an answer");
    server.listeners(1).await;
    server.events.send(1).expect("someone listens");
    server.gate.lapse.cancel();
    let text = read(response, NEVER).await;
    assert_eq!(errors(&text), "UNAUTHENTICATED", "{text}");
    assert!(text.ends_with("event: complete\ndata: null\n\n"), "{text}");
    server.listeners(0).await;
}

#[tokio::test]
async fn the_servers_end_cuts_the_stream_without_completing_it() {
    let server = Server::start().await;
    let response = subscribe(&server, "subscription { events }").send().await.expect("an answer");
    server.listeners(1).await;
    server.stop.cancel();
    let rest = timeout(Duration::from_secs(20), response.bytes()).await.expect("the stream ends");
    assert!(rest.is_err(), "it is broken off, not ended: {rest:?}");
    server.listeners(0).await;
}

#[tokio::test]
async fn queries_and_mutations_have_the_time_that_a_request_has_and_subscriptions_go_on() {
    let server = Server::with(|settings| settings.time = Duration::from_millis(50)).await;
    let quiet = subscribe(&server, "subscription { events }").send().await.expect("an answer");
    server.listeners(1).await;
    let response = subscribe(&server, "{ forever }").send().await.expect("an answer");
    let text = read(response, NEVER).await;
    assert_eq!(errors(&text), "TIMED_OUT", "{text}");
    assert!(text.ends_with("event: complete\ndata: null\n\n"), "{text}");
    server.events.send(7).expect("it still listens");
    assert!(read(quiet, "\n\n").await.contains("{\"events\":7}"));
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let server = Server::with(|settings| settings.socket.send = Duration::from_millis(200)).await;
    let mut deaf = tokio::net::TcpStream::connect(server.address).await.expect("connects");
    let query = "GET /graphql?query=subscription%7Bflood%7D HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n";
    deaf.write_all(query.as_bytes()).await.expect("writes");
    server.listeners(1).await;
    server.listeners(0).await;
    drop(deaf);
}

#[tokio::test]
async fn a_process_has_a_bounded_number_of_subscriptions() {
    let server = Server::with(|settings| settings.subscriptions = 1).await;
    let one = subscribe(&server, "subscription { events }").send().await.expect("an answer");
    server.listeners(1).await;
    let ask = async |query| {
        let response = subscribe(&server, query).send().await.expect("an answer");
        read(response, "\n\n").await
    };
    let refused = ask("subscription { count(to: 1) }").await;
    assert_eq!(errors(&refused), "TOO_MANY_SUBSCRIPTIONS", "{refused}");
    assert!(refused.contains("\"retryAfterSeconds\":5"), "{refused}");
    assert!(ask("{ task { id } }").await.contains("\"id\":0"), "queries need no place");
    drop(one);
    server.listeners(0).await;
    let again = async { while !ask("subscription { count(to: 1) }").await.contains("{\"count\":1}") {} };
    timeout(Duration::from_secs(20), again).await.expect("the place is free again");
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_subscription() {
    let server = Server::start().await;
    let response = subscribe(&server, "subscription { events }").send().await.expect("an answer");
    server.listeners(1).await;
    drop(response);
    server.listeners(0).await;
}
