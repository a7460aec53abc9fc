//! Tenants: who shares none is not there.

use serde_json::json;
use taskloom::resolver::tenant;
use taskloom_entity::Role;

use super::bench::{Caller, PASSWORD, id, on_both};

#[tokio::test]
async fn a_user_of_another_tenant_is_like_one_that_never_was() {
    on_both(async |t| {
        let (red, blue) = (t.tenant("red").await, t.tenant("blue").await);
        let max = t.caller("max", Role::Manager, &[red]).await;
        t.user("ann", Role::Viewer, &[red, blue]).await;
        let foreign = t.user("zoe", Role::Viewer, &[blue]).await;
        let ask = |number: i64| format!("{{ user(id: \"{}\") {{ name }} }}", id("User", number));
        let (is, never) = (max.ask(&ask(foreign.0)).await, max.ask(&ask(999_999)).await);
        assert_eq!(without_id(&is.body, foreign.0), without_id(&never.body, 999_999));
        assert_eq!(is.code().as_deref(), Some("USER_NOT_FOUND"));
        // Of a user of both tenants only the shared one shows.
        assert_eq!(
            names(&max, "users", "name tenants { name }").await,
            json!([
                {"name": "max", "tenants": [{"name": "red"}]},
                {"name": "ann", "tenants": [{"name": "red"}]},
            ])
        );
        assert_eq!(names(&max, "tenants", "name").await, json!([{"name": "red"}]));
        let ask = format!("{{ tenant(id: \"{}\") {{ name }} }}", id("Tenant", blue));
        assert_eq!(max.refused(&ask).await.as_deref(), Some("TENANT_NOT_FOUND"));
        let by_tenant = format!("{{ users(filter: {{tenantId: \"{}\"}}) {{ nodes {{ name }} }} }}", id("Tenant", blue));
        assert_eq!(max.ask(&by_tenant).await.at("/data/users/nodes"), &json!([{"name": "ann"}]));
    })
    .await;
}

#[tokio::test]
async fn a_membership_counts_at_once() {
    on_both(async |t| {
        let (red, blue) = (t.tenant("red").await, t.tenant("blue").await);
        let max = t.user("max", Role::Manager, &[red]).await;
        let caller = t.basic("max", PASSWORD);
        assert_eq!(names(&caller, "tenants", "name").await, json!([{"name": "red"}]));
        tenant::add_member(&t.system(), blue, max).await.unwrap();
        tenant::add_member(&t.system(), blue, max).await.unwrap();
        assert_eq!(names(&caller, "tenants", "name").await, json!([{"name": "red"}, {"name": "blue"}]));
        tenant::remove_member(&t.system(), red, max).await.unwrap();
        assert_eq!(names(&caller, "tenants", "name").await, json!([{"name": "blue"}]));
    })
    .await;
}

#[tokio::test]
async fn an_administrator_with_a_lesser_token_sees_the_own_tenants() {
    on_both(async |t| {
        let red = t.tenant("red").await;
        t.tenant("blue").await;
        let ada = t.user("ada", Role::Admin, &[red]).await;
        let all = t.basic("ada", PASSWORD);
        let own = t.bearer(&t.token(ada, Role::Manager).await.secret);
        assert_eq!(names(&all, "tenants", "name").await, json!([{"name": "red"}, {"name": "blue"}]));
        assert_eq!(names(&own, "tenants", "name").await, json!([{"name": "red"}]));
    })
    .await;
}

#[tokio::test]
async fn pages_go_through_a_list_in_both_directions() {
    on_both(async |t| {
        let ada = t.caller("user0", Role::Admin, &[]).await;
        for n in 1..5 {
            t.user(&format!("user{n}"), Role::Viewer, &[]).await;
        }
        assert_eq!(
            walk(&ada, "first: 2", ["after", "endCursor", "hasNextPage"]).await,
            ["user0 user1", "user2 user3", "user4"]
        );
        assert_eq!(
            walk(&ada, "last: 2", ["before", "startCursor", "hasPreviousPage"]).await,
            ["user3 user4", "user1 user2", "user0"]
        );
        let found = ada.ask("{ users(filter: {name: \"USER_\"}) { totalCount } }").await;
        assert_eq!(found.at("/data/users/totalCount"), &json!(0), "an underscore is no wildcard");
        let found = ada.ask("{ users(filter: {name: \"ER3\"}) { nodes { name } } }").await;
        assert_eq!(found.at("/data/users/nodes"), &json!([{"name": "user3"}]));
        assert_eq!(ada.refused("{ users(first: 1001) { totalCount } }").await.as_deref(), Some("INVALID_PAGE"));
        assert_eq!(ada.refused("{ users(after: \"x\") { totalCount } }").await.as_deref(), Some("INVALID_CURSOR"));
    })
    .await;
}

async fn walk(caller: &Caller, size: &str, [from, cursor, more]: [&str; 3]) -> Vec<String> {
    let (mut pages, mut place) = (vec![], String::new());
    loop {
        let page = caller
            .ask(&format!("{{ users({size} {place}) {{ nodes {{ name }} pageInfo {{ {cursor} {more} }} }} }}"))
            .await;
        let nodes = page.at("/data/users/nodes").as_array().unwrap();
        pages.push(nodes.iter().map(|node| node["name"].as_str().unwrap()).collect::<Vec<_>>().join(" "));
        let info = page.at("/data/users/pageInfo");
        if info[more] == json!(false) {
            return pages;
        }
        place = format!(", {from}: {}", info[cursor]);
    }
}

async fn names(caller: &Caller, list: &str, fields: &str) -> serde_json::Value {
    caller.ask(&format!("{{ {list} {{ nodes {{ {fields} }} }} }}")).await.at(&format!("/data/{list}/nodes")).clone()
}

fn without_id(body: &serde_json::Value, id: i64) -> String {
    let mut body = body.clone();
    body.pointer_mut("/errors/0/extensions").unwrap().as_object_mut().unwrap().remove("requestId");
    body.to_string().replace(&format!("user {id} "), "user … ")
}
