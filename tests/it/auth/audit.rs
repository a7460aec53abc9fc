//! The audit log: newest first, found by what one knows of an act, and whole.

use serde_json::json;
use taskloom_entity::Role;

use super::bench::{id, on_both};

#[tokio::test]
async fn acts_are_found_by_what_is_known_of_them() {
    on_both(async |t| {
        let ada = t.caller("ada", Role::Admin, &[]).await;
        let ann = t.caller("ann", Role::Viewer, &[]).await;
        t.clock.advance(std::time::Duration::from_secs(3600));
        let made = ada.ask("mutation { createTenant(input: {name: \"red\"}) { tenant { id databaseId } } }").await;
        let object = format!("tenant:{}", made.at("/data/createTenant/tenant/databaseId"));
        assert_eq!(
            ann.refused("mutation { createTenant(input: {name: \"blue\"}) { tenant { id } } }").await.as_deref(),
            Some("FORBIDDEN")
        );

        let ask = async |filter: &str| {
            let fields = "actor action object outcome code detail user { name }";
            let answer = ada.ask(&format!("{{ audit(filter: {{{filter}}}) {{ nodes {{ {fields} }} }} }}")).await;
            answer.at("/data/audit/nodes").clone()
        };
        let refused = json!({"actor": "ann", "action": "tenant.create", "object": "tenant:blue", "outcome": "REFUSED",
            "code": "FORBIDDEN", "detail": {"name": "blue"}, "user": {"name": "ann"}});
        let done = json!({"actor": "ada", "action": "tenant.create", "object": object, "outcome": "DONE",
            "code": null, "detail": {"name": "red"}, "user": {"name": "ada"}});
        assert_eq!(ask("action: \"tenant.create\"").await, json!([refused, done]));
        assert_eq!(ask("outcome: REFUSED").await, json!([refused]));
        assert_eq!(ask("actor: \"ann\"").await, json!([refused]));
        assert_eq!(ask(&format!("object: \"{object}\"")).await, json!([done]));
        let start = "2023-11-14T23:00:00Z";
        assert_eq!(ask(&format!("since: \"{start}\"")).await, json!([refused, done]));
        assert_eq!(ask(&format!("until: \"{start}\", action: \"tenant.create\"")).await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn no_secret_gets_into_it() {
    on_both(async |t| {
        let ada = t.caller("ada", Role::Admin, &[]).await;
        let create =
            "mutation { createUser(input: {name: \"ann\", role: VIEWER, password: \"the-secret-1\"}) { user { id } } }";
        let ann = ada.ask(create).await.at("/data/createUser/user/id").as_str().unwrap().to_owned();
        ada.ask(&format!(
            "mutation {{ setUserPassword(input: {{id: \"{ann}\", password: \"the-secret-2\"}}) {{ user {{ id }} }} }}"
        ))
        .await;
        ada.ask("mutation { login(input: {name: \"ann\", password: \"the-secret-2\"}) { expiresAt } }").await;
        ada.ask("mutation { login(input: {name: \"ann\", password: \"the-secret-3\"}) { expiresAt } }").await;
        let token = ada.ask("mutation { createToken(input: {name: \"t\", role: VIEWER}) { secret } }").await;
        let log = ada
            .ask("{ audit(first: 1000) { nodes { actor action object code detail requestId } } }")
            .await
            .body
            .to_string();
        assert!(log.contains("user.setPassword") && log.contains("session.login") && log.contains("token.create"));
        assert!(!log.contains("the-secret") && !log.contains(token.at("/data/createToken/secret").as_str().unwrap()));
        assert!(!log.contains("argon2"));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_user_stays_in_it_by_name() {
    on_both(async |t| {
        let ada = t.caller("ada", Role::Admin, &[]).await;
        let bob = t.user("bob", Role::Admin, &[]).await;
        t.basic("bob", super::bench::PASSWORD)
            .ask("mutation { createTenant(input: {name: \"red\"}) { tenant { id } } }")
            .await;
        ada.ask(&format!("mutation {{ deleteUser(input: {{id: \"{}\"}}) {{ user {{ name }} }} }}", id("User", bob)))
            .await;
        let answer = ada.ask("{ audit(filter: {actor: \"bob\"}) { nodes { action user { name } } } }").await;
        assert_eq!(answer.at("/data/audit/nodes"), &json!([{"action": "tenant.create", "user": null}]));
        assert_eq!(t.acts("user.delete").await, [format!("done user:{bob} by ada")]);
    })
    .await;
}

#[tokio::test]
async fn strangers_cannot_fill_the_disk() {
    on_both(async |t| {
        let stranger = t.anonymous();
        for _ in 0..70 {
            let code = stranger.refused("mutation { createTenant(input: {name: \"x\"}) { tenant { id } } }").await;
            assert_eq!(code.as_deref(), Some("UNAUTHENTICATED"));
        }
        assert_eq!(t.acts("tenant.create").await.len(), 60);
    })
    .await;
}

#[tokio::test]
async fn refused_reads_are_one_row_a_caller_operation_and_minute() {
    on_both(async |t| {
        let ada = t.caller("ada", Role::Admin, &[]).await;
        let ann = t.caller("ann", Role::Viewer, &[]).await;
        let rows = async || {
            taskloom::resolver::refused::write(&t.app).await.unwrap();
            let fields = "actor action object code detail tokenId";
            let filter = "outcome: REFUSED, actor: \"ann\"";
            ada.ask(&format!("{{ audit(filter: {{{filter}}}) {{ nodes {{ {fields} }} }} }}"))
                .await
                .at("/data/audit/nodes")
                .clone()
        };
        for _ in 0..3 {
            assert_eq!(ann.refused("{ audit { nodes { id } } }").await.as_deref(), Some("FORBIDDEN"));
        }
        let first = rows().await;
        assert_eq!(first.as_array().unwrap().len(), 1, "{first}");
        assert_eq!((&first[0]["action"], &first[0]["object"]), (&json!("audit.list"), &json!("audit")));
        assert_eq!((&first[0]["code"], &first[0]["detail"]), (&json!("FORBIDDEN"), &json!({"count": 3})));
        assert!(first[0]["tokenId"].is_string(), "{first}");
        ann.ask("{ audit { nodes { id } } }").await;
        assert_eq!(rows().await[0]["detail"], json!({"count": 4}), "the same row says so");
        ann.ask("{ secrets { nodes { id } } }").await;
        t.clock.advance(std::time::Duration::from_secs(60));
        ann.ask("{ audit { nodes { id } } }").await;
        let counts: Vec<_> = rows().await.as_array().unwrap().iter().map(|row| row["detail"].clone()).collect();
        assert_eq!(counts, [json!({"count": 1}), json!({"count": 1}), json!({"count": 4})]);

        // A stranger's is a number, and no row.
        let before = t.acts("task.list").await.len();
        for _ in 0..3 {
            assert_eq!(t.anonymous().refused("{ tasks { nodes { id } } }").await.as_deref(), Some("UNAUTHENTICATED"));
        }
        taskloom::resolver::refused::write(&t.app).await.unwrap();
        assert_eq!(t.acts("task.list").await.len(), before);
        let metrics = t.app.store.metrics().render();
        assert!(metrics.contains("taskloom_refused_strangers_total 3"), "{metrics}");
    })
    .await;
}
