//! The public clients of npm against the doors: `graphql-http`'s audits, `graphql-ws`, `graphql-sse`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::server::Server;

/// Runs a script of `tests/clients` with node; its standard output when it succeeded.
pub(super) async fn node(script: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    assert!(
        folder.join("node_modules/graphql-http").is_dir(),
        "the npm clients are not installed: run `npm ci --prefix tests/clients` (Node 20.19 or newer)"
    );
    let mut command = tokio::process::Command::new("node");
    command.current_dir(&folder).arg(script).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output());
    let output = output.await.expect("the script ends in time").expect("node starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script} failed:\n{out}\n{err}");
    out.into_owned()
}

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
