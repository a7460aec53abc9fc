//! The first start makes one administrator; no later one does.

use taskloom::auth::first_start;
use taskloom_entity::Role;

use super::bench::on_both;

#[tokio::test]
async fn the_first_start_makes_an_administrator_once() {
    on_both(async |t| {
        let (store, clock) = (&t.app.store, t.clock.as_ref());
        let made = first_start::run(store, clock, None).await.unwrap().unwrap();
        let password = made.password.unwrap();
        assert!(password.len() == 24, "it can be typed and cannot be guessed");
        assert_eq!(t.basic("admin", &password).refused("{ audit { nodes { id } } }").await, None);
        let answer = t.basic("admin", &password).ask("{ me { role tenants { name } } }").await;
        assert_eq!(answer.at("/data/me"), &serde_json::json!({"role": "ADMIN", "tenants": [{"name": "default"}]}));
        assert_eq!(t.acts("user.create").await, ["done user:1 by system:first-start"]);

        // Neither again nor as a way back in.
        assert_eq!(first_start::run(store, clock, None).await.unwrap(), None);
        assert_eq!(first_start::run(store, clock, Some("another one")).await.unwrap(), None);
        assert_eq!(t.basic("admin", "another one").name().await, None);
    })
    .await;
}

#[tokio::test]
async fn a_given_password_is_taken_and_not_told() {
    on_both(async |t| {
        let made = first_start::run(&t.app.store, t.clock.as_ref(), Some("a given one")).await.unwrap().unwrap();
        assert_eq!(made.password, None);
        assert_eq!(t.basic("admin", "a given one").name().await.as_deref(), Some("admin"));
    })
    .await;
}

#[tokio::test]
async fn a_given_password_keeps_to_the_rule() {
    on_both(async |t| {
        let refused = first_start::run(&t.app.store, t.clock.as_ref(), Some("1234567")).await.unwrap_err();
        let wanted = "TASKLOOM_ADMIN_PASSWORD is not valid: at least 8 characters are needed";
        assert_eq!(refused.to_string(), wanted);
        // Nothing was made: the next start may.
        let made = first_start::run(&t.app.store, t.clock.as_ref(), Some("12345678")).await.unwrap();
        assert!(made.is_some_and(|made| made.password.is_none()));
    })
    .await;
}

#[tokio::test]
async fn servers_that_start_together_make_one() {
    on_both(async |t| {
        let start = || first_start::run(&t.app.store, t.clock.as_ref(), Some(""));
        let (one, other) = tokio::join!(start(), start());
        let made = [one.unwrap(), other.unwrap()];
        assert_eq!(made.iter().flatten().count(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_has_users_gets_no_administrator() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        assert_eq!(first_start::run(&t.app.store, t.clock.as_ref(), Some("a given one")).await.unwrap(), None);
    })
    .await;
}
