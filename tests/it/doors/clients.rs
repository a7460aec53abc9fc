//! The public clients of npm against the doors: `graphql-http`'s audits, `graphql-ws`, `graphql-sse`.

use serde_json::{Value, json};

use super::server::Server;
use crate::harness::clients::node;

#[tokio::test(flavor = "multi_thread")]
async fn every_audit_of_graphql_over_http_holds() {
    let server = Server::start().await;
    assert_eq!(node("audit.mjs", &[&server.url()]).await.trim(), "61 audits, 0 failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_clients_subscribe() {
    let server = Server::start().await;
    let found: Value = serde_json::from_str(&node("subscribe.mjs", &[&server.url()]).await).expect("JSON");
    let counted = json!([{"count": 1}, {"count": 2}, {"count": 3}]);
    let stumbled = json!([{"stumbles": 1}, "DATABASE_UNAVAILABLE"]);
    let alike = |last: &str| json!([counted, [{"whoami": "ada"}], stumbled, ["BAD_REQUEST"], [last]]);
    assert_eq!(found["ws"], alike("not signed in"));
    assert_eq!(found["sse"], alike("NetworkError: Server responded with 401: Unauthorized"));
}
