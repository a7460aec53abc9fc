//! POST and GET: media types, statuses, sign-in, limits of the connection.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;

const RESPONSE: &str = "application/graphql-response+json";

fn post(server: &Server, accept: &str, query: &str) -> RequestBuilder {
    Client::new().post(server.url()).header(header::ACCEPT, accept).json(&json!({ "query": query }))
}

fn get(server: &Server, query: &str, operation: &str) -> RequestBuilder {
    let mut url = reqwest::Url::parse(&server.url()).expect("a URL");
    url.query_pairs_mut().append_pair("query", query).append_pair("operationName", operation);
    Client::new().get(url)
}

async fn send(request: RequestBuilder) -> (StatusCode, Value, header::HeaderMap) {
    let response: Response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    (status, response.json().await.expect("JSON"), headers)
}

#[tokio::test]
async fn an_executed_request_is_200_with_data_even_when_all_of_it_failed() {
    let server = Server::start().await;
    let (status, body, headers) = send(post(&server, RESPONSE, "{ task { id } }")).await;
    assert_eq!((status, &body), (StatusCode::OK, &json!({"data": {"task": {"id": 0}}})));
    assert_eq!(headers[header::CONTENT_TYPE], "application/graphql-response+json; charset=utf-8");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");

    let (status, body, _) = send(post(&server, RESPONSE, "{ refused }")).await;
    assert_eq!((status, &body["data"]), (StatusCode::OK, &Value::Null));
    assert!(body.as_object().expect("an object").contains_key("data"));
    assert_eq!(body["errors"][0]["message"], "task 7 does not exist");
    assert_eq!(body["errors"][0]["extensions"]["code"], "TASK_NOT_FOUND");
    assert_eq!(body["errors"][0]["path"], json!(["refused"]));
}

#[tokio::test]
async fn a_refused_document_has_no_data_and_its_status_depends_on_the_media_type() {
    let server = Server::start().await;
    for query in ["{", "{ unknown }", "subscription { quiet }", "{ task { ...f } } fragment f on Task { ...f }"] {
        for (accept, expected) in [(RESPONSE, StatusCode::BAD_REQUEST), ("application/json", StatusCode::OK)] {
            let (status, body, _) = send(post(&server, accept, query)).await;
            assert_eq!((status, body.get("data")), (expected, None), "{query}: {body}");
            assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{query}");
        }
    }
}

#[tokio::test]
async fn fields_come_in_the_order_of_the_query_however_long_each_took() {
    let server = Server::start().await;
    let query = r#"{ a: late(text: "1") ...rest d: echo(text: "4") } fragment rest on Query { b: echo(text: "2") c: late(text: "3") }"#;
    let answer = post(&server, RESPONSE, query).send().await.expect("an answer").text().await.expect("a text");
    assert_eq!(answer, r#"{"data":{"a":"1","b":"2","c":"3","d":"4"}}"#);
}

#[tokio::test]
async fn a_document_that_was_valid_once_is_checked_with_its_new_variables() {
    let ask = async |server: &Server, variables: &Value| {
        let body = json!({"query": "query($text: String!) { echo(text: $text) }", "variables": variables});
        let (status, body, _) =
            send(Client::new().post(server.url()).header(header::ACCEPT, RESPONSE).json(&body)).await;
        (status, body)
    };
    let server = Server::start().await;
    let good = json!({"text": "one"});
    for wrong in [json!({"text": 1}), json!({"text": null}), json!({})] {
        let fresh = ask(&Server::start().await, &wrong).await;
        assert!(fresh.1["errors"][0]["extensions"]["code"].is_string(), "{wrong}: {}", fresh.1);
        for _ in 0..2 {
            assert_eq!(ask(&server, &good).await, (StatusCode::OK, json!({"data": {"echo": "one"}})));
            assert_eq!(ask(&server, &wrong).await, fresh, "{wrong}");
        }
    }
}

#[tokio::test]
async fn only_json_in_utf8_is_taken_so_no_page_can_send_a_form() {
    let server = Server::start().await;
    let change = json!({"query": "mutation { change }"}).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
    ] {
        let request = Client::new().post(server.url()).header(header::CONTENT_TYPE, kind).body(change.clone());
        let (status, body, _) = send(request).await;
        assert_eq!((status, body.get("data")), (StatusCode::UNSUPPORTED_MEDIA_TYPE, None), "{kind}: {body}");
    }
    let (status, _, _) = send(Client::new().post(server.url()).body(change)).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "no content type");
    let (status, _, _) = send(post(&server, "text/html", "{ task { id } }")).await;
    assert_eq!(status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn bodies_that_are_no_request_are_400() {
    let server = Server::start().await;
    for body in [
        "",
        "  ",
        "{",
        "null",
        "7",
        "\"{ task { id } }\"",
        "[]",
        r#"[{"query": "{ task { id } }"}]"#,
        r#"["{ task { id } }"]"#,
        "{}",
        r#"{"query": 1}"#,
        r#"{"query": "{ task { id } }", "variables": []}"#,
        r#"{"query": "{ task { id } }", "operationName": 1}"#,
        r#"{"query": "{ task { id } }", "query": "{ task { id } }"}"#,
        "{\"query\": \"\u{0}\"}",
    ] {
        let request = Client::new().post(server.url()).header(header::CONTENT_TYPE, "application/json").body(body);
        let (status, answer, _) = send(request).await;
        assert_eq!((status, answer.get("data")), (StatusCode::BAD_REQUEST, None), "{body}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
    let nested = format!(r#"{{"query": "{{ task {{ id }} }}", "variables": {{"a": {}}}}}"#, "[".repeat(60_000));
    let request = Client::new().post(server.url()).header(header::CONTENT_TYPE, "application/json").body(nested);
    assert_eq!(send(request).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn get_runs_queries_and_nothing_else() {
    let server = Server::start().await;
    let (status, body, headers) = send(get(&server, "{ task { id } }", "")).await;
    assert_eq!((status, &body["data"]["task"]["id"]), (StatusCode::OK, &json!(0)));
    assert_eq!(headers[header::CONTENT_TYPE], "application/json; charset=utf-8");
    for document in ["mutation { change }", "subscription { quiet }", "query a { __typename } mutation b { change }"] {
        for accept in [RESPONSE, "application/json"] {
            let request = get(&server, document, if document.contains(" b ") { "b" } else { "" });
            let (status, body, headers) = send(request.header(header::ACCEPT, accept)).await;
            assert_eq!((status, body.get("data")), (StatusCode::METHOD_NOT_ALLOWED, None), "{document}: {body}");
            assert_eq!(headers[header::ALLOW], "POST");
        }
    }
    let mut url = reqwest::Url::parse(&server.url()).expect("a URL");
    url.query_pairs_mut()
        .append_pair("query", "query($id: Int!) { task(id: $id) { id } }")
        .append_pair("variables", r#"{"id": 7}"#)
        .append_pair("extensions", r#"{"any": {}}"#);
    assert_eq!(send(Client::new().get(url.clone())).await.1, json!({"data": {"task": {"id": 7}}}));
    for wrong in
        ["", "?query=a&query=b", "?query=%7Btask%7Bid%7D%7D&variables=%5B%5D", "?query=%7Btask%7Bid%7D%7D&variables=x"]
    {
        let (status, body, _) = send(Client::new().get(server.url() + wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = Client::new().request(method, server.url()).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_413_whether_its_length_is_told_or_not() {
    let server = Server::with(|settings| settings.bodies.stranger = 10_000).await;
    let large = json!({"query": "{ task { id } }", "variables": {"a": "x".repeat(10_000)}}).to_string();
    let told = Client::new().post(server.url()).header(header::CONTENT_TYPE, "application/json").body(large.clone());
    let (status, body, _) = send(told).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body["errors"][0]["extensions"]["code"], "BODY_TOO_LARGE");

    let mut raw = tokio::net::TcpStream::connect(server.address).await.expect("connects");
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunked = format!("{head}{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    raw.write_all(chunked.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended() {
    let server = Server::with(|settings| settings.time = Duration::from_millis(50)).await;
    let (status, body, _) = send(post(&server, RESPONSE, "{ forever }")).await;
    assert_eq!((status, body.get("data")), (StatusCode::SERVICE_UNAVAILABLE, None));
    assert_eq!(body["errors"][0]["extensions"]["code"], "TIMED_OUT");
}

#[tokio::test]
async fn callers_are_who_the_gate_says() {
    let server = Server::start().await;
    let whoami = |token: &str| post(&server, RESPONSE, "{ whoami }").header(header::AUTHORIZATION, token);
    assert_eq!(send(whoami("Bearer good")).await.1, json!({"data": {"whoami": "ada"}}));
    assert_eq!(send(post(&server, RESPONSE, "{ whoami }")).await.1, json!({"data": {"whoami": null}}));

    let (status, body, headers) = send(whoami("Bearer bad")).await;
    assert_eq!((status, body.get("data")), (StatusCode::UNAUTHORIZED, None));
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");

    let (status, body, headers) = send(whoami("Bearer down")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["errors"][0]["extensions"]["retryAfterSeconds"], 2);
    assert_eq!(headers[header::RETRY_AFTER], "2");
}

#[tokio::test]
async fn answers_are_in_the_callers_language_with_the_requests_id_and_without_secrets() {
    let server = Server::start().await;
    let ask = |query| {
        let request = post(&server, RESPONSE, query).header(header::ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9,en;q=0.8");
        request.header("x-request-id", "r-17")
    };
    let (_, body, _) = send(ask("{ language refused }")).await;
    assert_eq!(body["errors"][0]["message"], "任务 7 不存在");
    let remedy = "请检查标识；其他租户的任务同样显示为不存在。";
    let extensions = json!({"code": "TASK_NOT_FOUND", "remedy": remedy, "requestId": "r-17"});
    assert_eq!(body["errors"][0]["extensions"], extensions);
    assert_eq!(send(ask("{ language }")).await.1, json!({"data": {"language": "zh"}}));
    let (_, body, _) = send(ask("{ internal }")).await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL");
    assert!(!body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_field_may_set_a_header() {
    let server = Server::start().await;
    let (_, _, headers) = send(post(&server, RESPONSE, "{ cookie }")).await;
    assert_eq!(headers[header::SET_COOKIE], "session=1");
}
