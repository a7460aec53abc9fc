//! The executor `http`, with a real server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use serde_json::{Value, json};

use super::bench::Bench;
use super::step::step;

/// Asks to be left alone, for ever, in one of the forms that there are; its clock stands in 1994.
async fn busy(Path(form): Path<String>) -> impl IntoResponse {
    let after = match form.as_str() {
        "seconds" => "2",
        "long" => "3600",
        "fixdate" => "Sun, 06 Nov 1994 08:49:37 GMT",
        "rfc850" => "Sunday, 06-Nov-94 08:49:37 GMT",
        "asctime" => "Sun Nov  6 08:49:37 1994",
        "past" => "Sun, 06 Nov 1994 08:00:00 GMT",
        _ => "soon",
    };
    let headers = [("retry-after", after), ("date", "Sun, 06 Nov 1994 08:49:35 GMT")];
    (StatusCode::TOO_MANY_REQUESTS, headers, "later")
}

/// A server that answers what it heard; its address, and how often it was asked for `/flaky`.
async fn serve() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let echo = async |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let text = String::from_utf8(body.to_vec()).unwrap();
        let heard = json!({"method": method.as_str(), "uri": uri.to_string(), "body": text, "x": header("x-story"),
            "type": header("content-type"), "authorization": header("authorization")});
        heard.to_string()
    };
    let flaky = async move || {
        let before = count.fetch_add(1, Ordering::SeqCst);
        if before < 1 { (StatusCode::SERVICE_UNAVAILABLE, "not yet") } else { (StatusCode::OK, "now") }
    };
    let router = Router::new()
        .route("/echo/{*rest}", any(echo))
        .route("/echo", any(echo))
        .route("/flaky", get(flaky))
        .route("/busy/{form}", get(busy))
        .route("/teapot", get(async || (StatusCode::IM_A_TEAPOT, "short\nand stout")))
        .route("/large", get(async || "0123456789\n".repeat(100_000)))
        .route("/wide/{shift}", get(async |Path(shift): Path<usize>| "x".repeat(shift) + &"升".repeat(400_000)))
        .route("/told", get(async || "y".repeat((1 << 20) - 4) + "sw0rdf1sh"))
        .route("/slow", get(async || std::future::pending::<()>().await))
        .route(
            "/to/{*target}",
            get(async |Path(target): Path<String>| (StatusCode::FOUND, [("location", target)]).into_response()),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (format!("http://{address}"), asked)
}

async fn ask(bench: &Bench, http: Value, end: &str) -> Value {
    let one = step("a", json!({"http": http})).with("secrets", json!(["token"]));
    let spec = super::step::spec("ask", &[one]);
    let input = json!({"input": {"spec": spec, "parameters": {"name": "a b/c", "n": 7}}});
    let task = bench.admin.get(super::bench::SUBMIT, input, "/submitTask/task/id").await;
    bench.admin.wait(task.as_str().unwrap(), end).await;
    let fields = "message output resultSets { kind truncated totalRows rows } log { lines { text } }";
    bench.admin.subtask(task.as_str().unwrap(), "a", fields).await
}

/// A server that may speak to this host, with a secret `token`.
async fn open(more: &[(&'static str, &str)]) -> Bench {
    let mut settings = vec![("executor.http.allow", "127.0.0.1/32")];
    settings.extend(more);
    let bench = Bench::with(&settings).await;
    let put = "mutation($input: PutSecretInput!) { putSecret(input: $input) { secret { id } } }";
    let input = json!({"name": "token", "value": "sw0rdf1sh", "tenantId": bench.tenant().await});
    bench.admin.get(put, json!({"input": input}), "").await;
    bench
}

/// What the server heard, as the first line of the result.
fn heard(a: &Value) -> Value {
    serde_json::from_str(a["resultSets"][0]["rows"][0][0].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_filled_in_and_its_answer_is_kept() {
    let (server, _) = serve().await;
    let bench = open(&[]).await;
    let http = json!({"method": "POST", "url": format!("{server}/echo/${{param.name}}?n=${{param.n}}"),
        "headers": {"Authorization": "Bearer ${secret.token}", "X-Story": "$${x}"},
        "body": {"text": "say \"${param.name}\"", "n": 7}});
    let a = ask(&bench, http, "SUCCESSFUL").await;
    let answer = heard(&a);
    assert_eq!(answer["uri"], json!("/echo/a%20b%2Fc?n=7"));
    assert_eq!(answer["method"], json!("POST"));
    assert_eq!(
        serde_json::from_str::<Value>(answer["body"].as_str().unwrap()).unwrap(),
        json!({"text": "say \"a b/c\"", "n": 7})
    );
    assert_eq!((&answer["type"], &answer["x"]), (&json!("application/json"), &json!("${x}")));
    assert_eq!(answer["authorization"], json!("Bearer ***"), "it arrived, and does not come back");
    assert_eq!(a["output"], json!({"status": "200"}));
    assert_eq!(a["resultSets"][0]["kind"], json!("TEXT"));
    assert!(!a.to_string().contains("sw0rd"), "{a}");

    let a = ask(&bench, json!({"url": format!("{server}/large")}), "SUCCESSFUL").await;
    let set = &a["resultSets"][0];
    assert_eq!((&set["truncated"], &set["totalRows"]), (&json!(true), &json!((1_usize << 20).div_ceil(11))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_cut_between_characters_and_before_a_secret() {
    let (server, _) = serve().await;
    let bench = open(&[]).await;
    for shift in 0..3 {
        let a = ask(&bench, json!({"url": format!("{server}/wide/{shift}")}), "SUCCESSFUL").await;
        let text = a["resultSets"][0]["rows"][0][0].as_str().unwrap();
        assert!(text == "x".repeat(shift) + &"升".repeat(((1 << 20) - shift) / 3), "{} bytes", text.len());
    }
    let a = ask(&bench, json!({"url": format!("{server}/told")}), "SUCCESSFUL").await;
    assert!(a["resultSets"][0]["rows"] == json!([["y".repeat((1 << 20) - 4)]]), "half a secret is none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_judged_and_tried_again() {
    let (server, asked) = serve().await;
    let bench = open(&[]).await;
    let a = ask(&bench, json!({"url": format!("{server}/teapot")}), "FAILED").await;
    assert_eq!(a["message"], json!("the status is 418, expected 200 to 299"));
    let a = ask(&bench, json!({"url": format!("{server}/teapot"), "expect": [418]}), "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([["short"], ["and stout"]]));
    let a = ask(&bench, json!({"url": format!("{server}/flaky"), "retries": 2}), "SUCCESSFUL").await;
    assert_eq!(a["resultSets"][0]["rows"], json!([["now"]]));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let a = ask(&bench, json!({"url": "http://127.0.0.1:1/?q=${secret.token}"}), "FAILED").await;
    assert!(a["message"].as_str().unwrap().starts_with("no connection"), "{a}");
    assert!(!a.to_string().contains("sw0rd"), "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let (server, _) = serve().await;
    let bench = open(&[]).await;
    let forms = [
        ("seconds", "2s"),
        ("fixdate", "2s"),
        ("rfc850", "2s"),
        ("asctime", "2s"),
        ("past", "1s"),
        ("soon", "1s"),
        ("long", "30s"),
    ];
    let asked = forms.iter().map(async |(form, pause)| {
        let http = json!({"url": format!("{server}/busy/{form}"), "retries": 1});
        let one = step("a", json!({"http": http})).with("timeout", json!("20s"));
        let task = bench.admin.submit(form, &[one]).await;
        let note = format!("the status is 429, expected 200 to 299: trying again in {pause}");
        let has_said = async || {
            let a = bench.admin.subtask(&task, "a", "log { lines { text } }").await;
            a.to_string().contains(&note).then_some(())
        };
        super::bench::until(&format!("{form}: {note}"), has_said).await;
    });
    futures::future::join_all(asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_out_of_reach() {
    let (server, _) = serve().await;
    let port = server.rsplit(':').next().unwrap().to_owned();
    let bench = open(&[]).await;
    // Followed as long as each hop is open, and without what was meant for the first.
    let headers = json!({"X-Story": "${secret.token}"});
    let a = ask(&bench, json!({"url": format!("{server}/to/{server}/echo"), "headers": headers}), "SUCCESSFUL").await;
    assert_eq!(heard(&a)["x"], json!("***"), "the same origin");
    let (other, _) = serve().await;
    let a = ask(&bench, json!({"url": format!("{server}/to/{other}/echo"), "headers": headers}), "SUCCESSFUL").await;
    assert_eq!(heard(&a)["x"], json!(null), "another origin");
    for target in [
        format!("http://127.0.0.2:{port}/echo"),
        format!("http://[::1]:{port}/echo"),
        "http://169.254.169.254/latest".into(),
        "file:///etc/passwd".into(),
    ] {
        let a = ask(&bench, json!({"url": format!("{server}/to/{target}")}), "FAILED").await;
        let message = a["message"].as_str().unwrap();
        assert!(message.contains("is not public") || message.contains("no address of http"), "{target}: {message}");
    }
    let a = ask(&bench, json!({"url": format!("{server}/to/{server}/to/{server}/echo")}), "SUCCESSFUL").await;
    assert_eq!(heard(&a)["uri"], json!("/echo"));

    let closed = Bench::with(&[]).await;
    let task = async |url: &str| {
        let task = closed.admin.submit("ask", &[step("a", json!({"http": {"url": url}}))]).await;
        closed.admin.wait(&task, "FAILED").await;
        closed.admin.subtask(&task, "a", "message").await["message"].as_str().unwrap().to_owned()
    };
    // By number, and by a name that resolves to one.
    for url in [format!("{server}/echo"), format!("http://localhost:{port}/echo")] {
        let message = task(&url).await;
        assert!(message.contains("is not public"), "{url}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_with_its_time() {
    let (server, _) = serve().await;
    let bench = open(&[]).await;
    let slow = step("a", json!({"http": {"url": format!("{server}/slow")}}));
    let task = bench.admin.submit("slow", &[slow.clone().with("timeout", json!("200ms"))]).await;
    bench.admin.wait(&task, "FAILED").await;
    assert_eq!(
        bench.admin.subtask(&task, "a", "attempts { state }").await["attempts"],
        json!([{"state": "TIMED_OUT"}])
    );
    let task = bench.admin.submit("slow", &[slow]).await;
    bench.admin.wait_for(&task, |states| states.contains("a RUNNING")).await;
    bench.admin.act("cancelTask", &task).await;
    bench.admin.wait(&task, "CANCELED").await;
}
