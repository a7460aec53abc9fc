//! Servers that start at the same moment on an empty database: all of them start, and one administrator is made.

use serde_json::json;

use crate::harness::postgres;
use crate::harness::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn first_starts_at_once_all_succeed() {
    for round in 0..4 {
        let database = postgres::database().await;
        let folder = tempfile::tempdir().unwrap();
        let settings = [("DATABASE_URL", database.url.as_str())];
        let at = |name: &str| folder.path().join(name);
        let (first, second, third) = (at("first"), at("second"), at("third"));
        let (first, second, third) = tokio::join!(
            Server::start(&first, &settings),
            Server::start(&second, &settings),
            Server::start(&third, &settings)
        );
        for server in [&first, &second, &third] {
            let users = server.get("{ users { nodes { name role } } }", json!({}), "/users/nodes").await;
            assert_eq!(users, json!([{"name": "admin", "role": "ADMIN"}]), "round {round}");
            let tenants = server.get("{ tenants { nodes { name } } }", json!({}), "/tenants/nodes").await;
            assert_eq!(tenants, json!([{"name": "default"}]), "round {round}");
        }
    }
}
