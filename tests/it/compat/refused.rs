//! What never comes to a handler: a body over the limit, bytes that are no UTF-8. Each dialect says so in its own
//! envelope, with the name of its operation.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bench::Bench;
use super::seed_vsphere::FIRST;

/// A route of each dialect by its method, with its operation.
fn routes() -> [(&'static str, String, &'static str); 6] {
    [
        ("POST", "/api/v2/tasks/instances/6/retry".into(), "ocp.retryTaskInstance"),
        ("GET", "/api/v2/tasks/instances".into(), "ocp.listTaskInstances"),
        ("POST", "/api/rest_j/v1/entrance/submit".into(), "linkis.submit"),
        ("POST", "/api/rest_j/v1/user/login".into(), "linkis.login"),
        ("GET", "/api/rest_j/v1/entrance/6/kill".into(), "linkis.kill"),
        ("GET", format!("/v1/vsphere/task/root/list?vsphere_uuid={FIRST}"), "vsphere.listTasks"),
    ]
}

/// Whether it is the envelope of a refusal: of which dialect, by its operation.
fn is_refusal(operation: &str, body: &Value) -> bool {
    match operation.split('.').next() {
        Some("ocp") => body["successful"] == false && body["status"] == 413 && body["error"]["code"] == 0,
        Some("linkis") => body["status"] == 1 && body["data"] == json!({}) && body["method"].is_string(),
        _ => body["scode"] == 10001 && body["data"].is_null() && body["stack"].is_array(),
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_in_the_envelope() {
    let t = Bench::sqlite().await;
    let before = t.acts().await;
    for (method, path, operation) in routes() {
        let request = t.client.request(method.parse().unwrap(), format!("http://{}{path}", t.address));
        let answer = request.bearer_auth(t.token("admin")).body(vec![b'x'; (2 << 20) + 1]).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 413, "{operation}");
        assert_eq!(answer.headers()["x-taskloom-operation"], operation);
        assert!(answer.headers().contains_key("link"), "{operation}");
        let body: Value = answer.json().await.unwrap();
        assert!(is_refusal(operation, &body) && body.to_string().contains("1048576"), "{operation}: {body}");
    }
    let graph = t.client.post(format!("http://{}/graphql", t.address)).body(vec![b'x'; (6 << 20) + 1]);
    let answer = graph.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 413);
    assert_eq!(answer.json::<Value>().await.unwrap()["errors"][0]["extensions"]["code"], "BODY_TOO_LARGE");
    assert_eq!(t.acts().await, before, "nothing was done");
}

/// A client that does not say how much it sends.
#[tokio::test]
async fn a_body_that_grows_over_the_limit_is_refused_in_the_envelope() {
    let t = Bench::sqlite().await;
    let mut stream = TcpStream::connect(t.address).await.unwrap();
    let head = format!(
        "POST /api/rest_j/v1/entrance/submit HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        t.token("admin")
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    // One byte too many, and the end of it at once: nothing is on its way when the connection closes.
    let send = async {
        for _ in 0..16 {
            write.write_all(chunk.as_bytes()).await.unwrap();
        }
        write.write_all(b"1\r\nx\r\n0\r\n\r\n").await.unwrap();
    };
    let mut answer = vec![];
    let ((), heard) = tokio::join!(send, read.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer);
    assert!(heard.is_ok() && answer.starts_with("HTTP/1.1 413"), "{heard:?} {answer}");
    assert!(answer.contains("x-taskloom-operation: linkis.submit"), "{answer}");
    assert!(answer.contains(r#"{"method":"/api/entrance/submit","status":1,"#), "{answer}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_answered_in_the_envelope() {
    let t = Bench::sqlite().await;
    for (path, operation) in [
        ("/api/v2/tasks/instances/%ff", "ocp.getTaskInstance"),
        ("/api/v2/tasks/instances/6/subtasks/%c3%28/log", "ocp.getSubtaskLog"),
        ("/api/v2/tasks/instances?name=%ff", "ocp.listTaskInstances"),
        ("/api/rest_j/v1/entrance/%ff/status", "linkis.status"),
        ("/api/rest_j/v1/jobhistory/%e5%90/get", "linkis.getTask"),
        ("/api/rest_j/v1/entrance/6/kill?taskID=%ff", "linkis.kill"),
        ("/v1/vsphere/task/root/list?vsphere_uuid=%ff", "vsphere.listTasks"),
    ] {
        let answer = t.call("GET", path, "admin").await;
        assert_eq!(answer.headers()["x-taskloom-operation"], operation, "{path}");
        let body: Value = answer.json().await.unwrap();
        let refused = match operation.split('.').next() {
            Some("ocp") => body["status"] == 400 && body["error"]["message"].is_string(),
            Some("linkis") => body["status"] == 1,
            _ => body["scode"] == 10001,
        };
        assert!(refused, "{path}: {body}");
    }
}

/// Chinese is Chinese, also where a reason is quoted.
#[tokio::test]
async fn a_reason_is_said_in_the_language_around_it() {
    let t = Bench::sqlite().await;
    let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
    let has_english = |text: &str| {
        text.split(|c: char| !c.is_ascii_lowercase())
            .any(|word| ["the", "is", "expected", "possible", "known", "must", "missing"].contains(&word))
    };
    for query in
        ["page=0", "page=x", "size=1&size=2", "status=DONE", "type=ODD", "sort=owner", "tenantName=SYS", "name=%ff"]
    {
        let request = t.client.get(format!("http://{}/api/v2/tasks/instances?{query}", t.address));
        let request = request.bearer_auth(t.token("viewer")).header("accept-language", "zh");
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        let reason = message.rsplit('：').next().unwrap();
        assert!(body["error"]["code"] == 10001 && is_chinese(reason) && !has_english(message), "{query}: {message}");
    }
    for query in
        ["", "vsphere_uuid=a&page_num=-1", "vsphere_uuid=a&page_size=x", "vsphere_uuid=nobody", "vsphere_uuid=%ff"]
    {
        let body: Value =
            t.call("GET", &format!("/v1/vsphere/task/root/list?{query}"), "viewer").await.json().await.unwrap();
        let (en, zh) = (body["message"].as_str().unwrap(), body["message_cn"].as_str().unwrap());
        let detail = zh.split_once(": ").unwrap().1;
        assert!(is_chinese(detail) && !has_english(zh), "{query}: {zh}");
        assert!(!is_chinese(en) && en.ends_with(body["desc"].as_str().unwrap()), "{query}: {en}");
    }
}
