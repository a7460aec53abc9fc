//! The wall from outside, around a door that misbehaves in every way.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use tower::ServiceExt;

use super::{Door, Wall, router};
use crate::config::Settings;
use crate::telemetry::Metrics;

fn wall(metrics: &Arc<Metrics>) -> Router {
    let mut settings = Settings::defaults("/nowhere").server;
    settings.request_timeout = Duration::from_millis(20);
    settings.external_origins = crate::config::Origins::of(&["https://ops.example.org".to_owned()]).unwrap();
    let door = Router::new()
        .route("/echo/{word}", post(async |body: String| body))
        .route("/panic", get(async || -> &'static str { panic!("on purpose") }))
        .route("/slow", get(std::future::pending::<&'static str>));
    let ready: super::Ready = Arc::new(|| Box::pin(async { Err("the database does not answer".into()) }));
    let doors = [Door { paths: &["/echo/{word}", "/panic", "/slow"], router: door, body: 8, has_envelope: false }];
    router(doors, Wall { settings, metrics: Arc::clone(metrics), ready })
}

async fn ask(request: axum::http::request::Builder, body: &'static str) -> Response<Body> {
    wall(&Arc::new(Metrics::new())).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn json(response: Response<Body>) -> serde_json::Value {
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[tokio::test]
async fn a_request_keeps_its_id_or_gets_one() {
    let kept = ask(Request::get("/healthz").header("X-Request-Id", "0123456789abcdef"), "").await;
    assert_eq!(kept.headers()["x-request-id"], "0123456789abcdef");
    let made = ask(Request::get("/healthz").header("X-Request-Id", "no id"), "").await;
    let id = made.headers()["x-request-id"].to_str().unwrap();
    assert!(crate::telemetry::RequestId::parse(id).is_some(), "{id}");
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_told_which_do() {
    let response = ask(Request::get("/helthz"), "").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let error = json(response).await["error"].take();
    assert_eq!(error["message"], "there is nothing at /helthz");
    let remedy = error["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("Did you mean /healthz?") && remedy.contains("/echo/{word}"), "{remedy}");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_one() {
    let response = ask(Request::get("/echo/x"), "").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(json(response).await["error"]["remedy"], "Use POST.");
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let response = ask(Request::get("/panic"), "").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(response.headers().contains_key("x-request-id"));
    assert_eq!(json(response).await["error"]["code"], "INTERNAL");
}

#[tokio::test]
async fn a_slow_request_ends() {
    let response = ask(Request::get("/slow"), "").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(response).await["error"]["code"], "TIMED_OUT");
}

#[tokio::test]
async fn a_large_body_is_refused_before_it_is_read() {
    let small = ask(Request::post("/echo/x"), "12345678").await;
    assert_eq!(small.status(), StatusCode::OK);
    let announced = ask(Request::post("/echo/x").header("Content-Length", "9"), "123456789").await;
    assert_eq!(announced.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(json(announced).await["error"]["code"], "BODY_TOO_LARGE");
    let streamed = ask(Request::post("/echo/x"), "123456789").await;
    assert_eq!(streamed.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn browsers_are_kept_careful() {
    let response = ask(Request::get("/healthz"), "").await;
    let headers = response.headers();
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    assert_eq!(headers["cache-control"], "no-store");
}

#[tokio::test]
async fn only_named_origins_are_allowed() {
    let preflight = async |origin: &'static str| {
        let request =
            Request::options("/echo/x").header("Origin", origin).header("Access-Control-Request-Method", "POST");
        ask(request, "").await.headers().get("access-control-allow-origin").cloned()
    };
    assert_eq!(preflight("https://ops.example.org").await.unwrap(), "https://ops.example.org");
    assert_eq!(preflight("https://evil.example.org").await, None);
}

#[tokio::test]
async fn readiness_says_why_not() {
    let response = ask(Request::get("/readyz"), "").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(json(response).await["reason"], "the database does not answer");
}

#[tokio::test]
async fn requests_are_counted_by_their_pattern() {
    let metrics = Arc::new(Metrics::new());
    let app = wall(&metrics);
    for path in ["/echo/one", "/echo/two", "/secret/42"] {
        app.clone().oneshot(Request::post(path).body(Body::empty()).unwrap()).await.unwrap();
    }
    let text = metrics.render();
    for line in [
        "taskloom_http_requests_total{method=\"POST\",route=\"/echo/{word}\",status=\"200\"} 2",
        "taskloom_http_requests_total{method=\"POST\",route=\"\",status=\"404\"} 1",
    ] {
        assert!(text.contains(line), "{line} is missing from\n{text}");
    }
    assert!(!text.contains("secret"));
}
