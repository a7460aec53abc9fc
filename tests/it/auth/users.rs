//! Changing users: the last administrator stays, a changed password and a disabled user count at once.

use serde_json::json;
use taskloom::resolver::user;
use taskloom_entity::{Role, UserId};

use super::bench::{PASSWORD, id, on_both};

fn on(mutation: &str, user: UserId, more: &str) -> String {
    format!(
        "mutation {{ {mutation}(input: {{id: \"{}\" {more}}}) {{ user {{ name role disabled }} }} }}",
        id("User", user)
    )
}

#[tokio::test]
async fn a_user_is_made_with_the_makers_tenant() {
    on_both(async |t| {
        let home = t.tenant("home").await;
        let ada = t.caller("ada", Role::Admin, &[home]).await;
        let make = |name: &str, more: &str| {
            format!("mutation {{ createUser(input: {{name: \"{name}\", role: VIEWER {more}}}) {{ user {{ name role disabled tenants {{ name }} }} }} }}")
        };
        let made = ada.ask(&make("ann", ", password: \"long enough\"")).await;
        let ann = json!({"name": "ann", "role": "VIEWER", "disabled": false, "tenants": [{"name": "home"}]});
        assert_eq!(made.at("/data/createUser/user"), &ann);
        assert_eq!(t.basic("ann", "long enough").name().await.as_deref(), Some("ann"));
        for (name, more, code) in [
            ("ann", "", "NAME_TAKEN"),
            ("a b", "", "INVALID_INPUT"),
            ("bob", ", password: \"short\"", "INVALID_INPUT"),
            ("bob", &format!(", tenantIds: [\"{}\"]", id("Tenant", 999)), "TENANT_NOT_FOUND"),
            ("bob", &format!(", tenantIds: [\"{}\"]", id("User", 1)), "INVALID_ID"),
        ] {
            assert_eq!(ada.refused(&make(name, more)).await.as_deref(), Some(code), "{name} {more}");
        }
        assert_eq!(ada.ask("{ users { totalCount } }").await.at("/data/users/totalCount"), &json!(2));
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    on_both(async |t| {
        let ada = t.user("ada", Role::Admin, &[]).await;
        let bob = t.user("bob", Role::Admin, &[]).await;
        let caller = t.basic("ada", PASSWORD);
        assert_eq!(caller.refused(&on("disableUser", bob, "")).await, None);
        for document in
            [on("disableUser", ada, ""), on("deleteUser", ada, ""), on("setUserRole", ada, ", role: MANAGER")]
        {
            assert_eq!(caller.refused(&document).await.as_deref(), Some("LAST_ADMIN"), "{document}");
        }
        assert_eq!(caller.refused(&on("setUserRole", ada, ", role: ADMIN")).await, None);
        assert_eq!(t.acts("user.delete").await, [format!("LAST_ADMIN user:{ada} by ada")]);
        assert_eq!(caller.refused(&on("enableUser", bob, "")).await, None);
        assert_eq!(caller.refused(&on("deleteUser", ada, "")).await, None);
        assert_eq!(caller.refused("{ me { id } }").await.as_deref(), Some("BAD_CREDENTIALS"));
    })
    .await;
}

#[tokio::test]
async fn administrators_who_demote_each_other_leave_one() {
    on_both(async |t| {
        let (ada, bob) = (t.user("ada", Role::Admin, &[]).await, t.user("bob", Role::Admin, &[]).await);
        let system = t.system();
        let demote = |id| user::set_role(&system, id, Role::Viewer);
        let (one, other) = tokio::join!(demote(ada), demote(bob));
        assert_eq!([one, other].iter().filter(|done| done.is_ok()).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_changed_password_ends_what_the_old_one_began() {
    on_both(async |t| {
        let ann = t.user("ann", Role::Viewer, &[]).await;
        let login = format!("mutation {{ login(input: {{name: \"ann\", password: \"{PASSWORD}\"}}) {{ expiresAt }} }}");
        let mut sessions = vec![];
        for _ in 0..2 {
            let cookie = t.anonymous().ask(&login).await.cookie.unwrap();
            sessions.push(t.with(&[("cookie", cookie.split(';').next().unwrap())]));
        }
        let old = t.basic("ann", PASSWORD);
        assert_eq!(old.name().await.as_deref(), Some("ann"));
        let change = |current: &str| on("setUserPassword", ann, &format!(", password: \"battery staple\" {current}"));
        assert_eq!(sessions[0].refused(&change("")).await.as_deref(), Some("BAD_CREDENTIALS"));
        assert_eq!(
            sessions[0].refused(&change(", currentPassword: \"wrong\"")).await.as_deref(),
            Some("BAD_CREDENTIALS")
        );
        assert_eq!(sessions[0].refused(&change(&format!(", currentPassword: \"{PASSWORD}\""))).await, None);

        assert_eq!(old.refused("{ me { id } }").await.as_deref(), Some("BAD_CREDENTIALS"));
        assert_eq!(t.basic("ann", "battery staple").name().await.as_deref(), Some("ann"));
        assert_eq!((sessions[0].name().await.as_deref(), sessions[1].name().await), (Some("ann"), None));
        let done = format!("done user:{ann} by ann");
        let refused = format!("BAD_CREDENTIALS user:{ann} by ann");
        assert_eq!(t.acts("user.setPassword").await, [refused.clone(), refused, done]);
    })
    .await;
}

#[tokio::test]
async fn a_disabled_user_is_out_by_every_way_and_back_when_enabled() {
    on_both(async |t| {
        t.user("ada", Role::Admin, &[]).await;
        let ann = t.user("ann", Role::Viewer, &[]).await;
        let ways = [t.basic("ann", PASSWORD), t.bearer(&t.token(ann, Role::Viewer).await.secret)];
        for way in &ways {
            assert_eq!(way.name().await.as_deref(), Some("ann"));
        }
        let ada = t.basic("ada", PASSWORD);
        let disabled = ada.ask(&on("disableUser", ann, "")).await;
        assert_eq!(disabled.at("/data/disableUser/user/disabled"), &json!(true));
        for (way, code) in ways.iter().zip(["BAD_CREDENTIALS", "TOKEN_REFUSED"]) {
            assert_eq!(way.refused("{ me { id } }").await.as_deref(), Some(code));
        }
        ada.ask(&on("enableUser", ann, "")).await;
        for way in &ways {
            assert_eq!(way.name().await.as_deref(), Some("ann"));
        }
    })
    .await;
}
