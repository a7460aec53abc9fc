//! Who is let in: passwords, tokens, cookies, and what ends each of them.

use std::time::Duration;

use serde_json::json;
use taskloom::resolver::{self, token};
use taskloom_entity::Role;

use super::bench::{Bench, Caller, IDLE, PASSWORD, by_system, id, on_both};

#[tokio::test]
async fn a_password_a_token_and_a_cookie_let_in() {
    on_both(async |t| {
        let ann = t.user("ann", Role::Viewer, &[]).await;
        assert_eq!(t.anonymous().name().await, None);
        assert_eq!(t.basic("ann", PASSWORD).name().await.as_deref(), Some("ann"));
        assert_eq!(t.bearer(&t.token(ann, Role::Viewer).await.secret).name().await.as_deref(), Some("ann"));
        let (caller, line) = login(&t, "ann", &[]).await;
        assert_eq!(caller.name().await.as_deref(), Some("ann"));
        assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Strict; Max-Age=3600"), "{line}");
    })
    .await;
}

#[tokio::test]
async fn bad_credentials_are_refused_and_never_skipped() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let (caller, line) = login(&t, "ann", &[]).await;
        assert_eq!(caller.name().await.as_deref(), Some("ann"));
        let cookie = pair(&line);
        for (sent, code) in [
            ("Basic YW5uOndyb25n", "BAD_CREDENTIALS"),
            ("Basic bm9ib2R5Ondyb25n", "BAD_CREDENTIALS"),
            ("Basic !", "BAD_CREDENTIALS"),
            ("Digest x", "BAD_CREDENTIALS"),
            ("Bearer tl_nonsense", "TOKEN_REFUSED"),
            (&format!("Bearer {}", taskloom::auth::token::generate()), "TOKEN_REFUSED"),
        ] {
            let answer = t.with(&[("authorization", sent), ("cookie", cookie)]).ask("{ me { name } }").await;
            assert_eq!((answer.status, answer.code().as_deref()), (401, Some(code)), "{sent}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_and_by_other_processes_soon() {
    on_both(async |t| {
        let ann = t.user("ann", Role::Viewer, &[]).await;
        let made = t.token(ann, Role::Viewer).await;
        let caller = t.bearer(&made.secret);
        assert_eq!(caller.name().await.as_deref(), Some("ann"));
        token::revoke(&t.system(), made.token.id).await.unwrap();
        assert_eq!(caller.refused("{ me { id } }").await.as_deref(), Some("TOKEN_REFUSED"));

        let made = t.token(ann, Role::Viewer).await;
        let caller = t.bearer(&made.secret);
        assert_eq!(caller.name().await.as_deref(), Some("ann"));
        token::revoke(&by_system(&t.other_process().await), made.token.id).await.unwrap();
        t.clock.advance(taskloom::auth::gate::KEEP_FOR);
        assert_eq!(caller.refused("{ me { id } }").await.as_deref(), Some("TOKEN_REFUSED"));
    })
    .await;
}

#[tokio::test]
async fn an_expired_token_is_refused_even_when_it_was_just_proved() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let document = format!(
            "mutation {{ createToken(input: {{name: \"short\", role: VIEWER, expiresAt: \"{}\"}}) {{ secret }} }}",
            taskloom::clock::Clock::now(t.clock.as_ref()).after(Duration::from_secs(2))
        );
        let made = t.basic("ann", PASSWORD).ask(&document).await;
        let caller = t.bearer(made.at("/data/createToken/secret").as_str().unwrap());
        t.clock.advance(Duration::from_secs(1));
        assert_eq!(caller.name().await.as_deref(), Some("ann"));
        t.clock.advance(Duration::from_secs(1));
        assert_eq!(caller.refused("{ me { id } }").await.as_deref(), Some("TOKEN_REFUSED"));
    })
    .await;
}

#[tokio::test]
async fn a_token_gives_no_more_than_its_maker_has() {
    on_both(async |t| {
        let ada = t.user("ada", Role::Admin, &[]).await;
        let lesser = t.bearer(&t.token(ada, Role::Viewer).await.secret);
        assert_eq!(lesser.refused("{ audit { nodes { id } } }").await.as_deref(), Some("FORBIDDEN"));
        let make = |role: &str, more: &str| {
            format!("mutation {{ createToken(input: {{name: \"t\", role: {role} {more}}}) {{ secret token {{ expiresAt }} }} }}")
        };
        assert_eq!(lesser.refused(&make("MANAGER", "")).await.as_deref(), Some("FORBIDDEN"));
        assert_eq!(lesser.refused(&make("VIEWER", "")).await, None);

        // A token that ends makes none that outlives it.
        let made = t.basic("ada", PASSWORD).ask(&make("ADMIN", "")).await;
        let ends = made.at("/data/createToken/token/expiresAt").clone();
        assert!(ends.is_string(), "the usual expiry is set: {ends}");
        let ending = t.bearer(made.at("/data/createToken/secret").as_str().unwrap());
        t.clock.advance(Duration::from_secs(60));
        assert_eq!(ending.refused(&make("ADMIN", ", expiresAt: null")).await.as_deref(), Some("INVALID_INPUT"));
        assert_eq!(ending.ask(&make("ADMIN", "")).await.at("/data/createToken/token/expiresAt"), &ends);

        // Nor one of more than its user may.
        let ann = t.user("ann", Role::Viewer, &[]).await;
        let more = make("MANAGER", &format!(", userId: \"{}\"", id("User", ann)));
        assert_eq!(t.basic("ada", PASSWORD).refused(&more).await.as_deref(), Some("INVALID_INPUT"));
        // And when the user is made less, so is the token.
        let high = t.bearer(&t.token(ada, Role::Admin).await.secret);
        t.user("bob", Role::Admin, &[]).await;
        assert_eq!(high.refused("{ audit { nodes { id } } }").await, None);
        resolver::user::set_role(&t.system(), ada, Role::Manager).await.unwrap();
        assert_eq!(high.refused("{ audit { nodes { id } } }").await.as_deref(), Some("FORBIDDEN"));
    })
    .await;
}

#[tokio::test]
async fn a_foreign_token_is_not_there() {
    on_both(async |t| {
        let (ann, bob) = (t.user("ann", Role::Viewer, &[]).await, t.user("bob", Role::Manager, &[]).await);
        let made = t.token(ann, Role::Viewer).await;
        let bob = (t.basic("bob", PASSWORD), t.token(bob, Role::Viewer).await);
        let revoke = |number| {
            format!("mutation {{ revokeToken(input: {{id: \"{}\"}}) {{ token {{ id }} }} }}", id("Token", number))
        };
        assert_eq!(bob.0.refused(&revoke(made.token.id.0)).await.as_deref(), Some("TOKEN_NOT_FOUND"));
        assert_eq!(bob.0.refused(&revoke(999_999)).await.as_deref(), Some("TOKEN_NOT_FOUND"));
        let listed = bob.0.ask("{ tokens { totalCount nodes { id } } }").await;
        assert_eq!(listed.at("/data/tokens/totalCount"), &json!(1));
        assert_eq!(listed.at("/data/tokens/nodes/0/id"), &json!(id("Token", bob.1.token.id)));
        let of_ann = format!("{{ tokens(filter: {{userId: \"{}\"}}) {{ totalCount }} }}", id("User", ann));
        assert_eq!(bob.0.ask(&of_ann).await.at("/data/tokens/totalCount"), &json!(0));
        assert_eq!(t.bearer(&made.secret).name().await.as_deref(), Some("ann"));
    })
    .await;
}

#[tokio::test]
async fn a_cookie_counts_for_our_own_pages_alone() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let (_, line) = login(&t, "ann", &[]).await;
        let cookie = ("cookie", pair(&line));
        let own = format!("http://{}", t.address);
        for headers in [&[("origin", own.as_str())][..], &[("sec-fetch-site", "same-origin")]] {
            let headers: Vec<_> = headers.iter().copied().chain([cookie]).collect();
            assert_eq!(t.with(&headers).name().await.as_deref(), Some("ann"), "{headers:?}");
        }
        for foreign in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
            let caller = t.with(&[cookie, foreign]);
            assert_eq!(caller.name().await, None, "{foreign:?}");
            assert_eq!(caller.refused("{ users { nodes { id } } }").await.as_deref(), Some("UNAUTHENTICATED"));
        }
        let (_, line) =
            login(&t, "ann", &[("origin", "https://loom.example"), ("sec-fetch-site", "same-origin")]).await;
        assert!(line.ends_with("; Secure"), "{line}");
    })
    .await;
}

#[tokio::test]
async fn a_session_lives_while_it_is_used_and_ends_with_logout() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let (caller, _) = login(&t, "ann", &[]).await;
        for _ in 0..3 {
            t.clock.advance(IDLE * 3 / 4);
            assert_eq!(caller.name().await.as_deref(), Some("ann"));
        }
        let (other, _) = login(&t, "ann", &[]).await;
        let answer = caller.ask("mutation { logout { user { name } } }").await;
        assert_eq!(answer.at("/data/logout/user/name"), &json!("ann"));
        assert!(answer.cookie.unwrap().contains("Max-Age=0"));
        assert_eq!((caller.name().await, other.name().await.as_deref()), (None, Some("ann")));
        t.clock.advance(IDLE);
        assert_eq!(other.name().await, None);
        let logout = t.basic("ann", PASSWORD).refused("mutation { logout { user { name } } }").await;
        assert_eq!(logout.as_deref(), Some("BAD_REQUEST"));
    })
    .await;
}

#[tokio::test]
async fn guesses_are_slowed_down_and_who_knows_the_password_waits_with_them() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        for _ in 0..10 {
            assert_eq!(t.basic("ann", "wrong").refused("{ me { id } }").await.as_deref(), Some("BAD_CREDENTIALS"));
        }
        let answer = t.basic("ann", PASSWORD).ask("{ me { id } }").await;
        assert_eq!((answer.status, answer.code().as_deref()), (429, Some("TOO_MANY_REQUESTS")));
        assert_eq!(t.acts("session.authenticate").await.len(), 10);
        t.clock.advance(Duration::from_secs(7));
        assert_eq!(t.basic("ann", PASSWORD).name().await.as_deref(), Some("ann"));
        // Nobody outside says where it calls from.
        let login = "mutation { login(input: {name: \"x\", password: \"wrong\"}) { expiresAt } }";
        let strange = t.with(&[("x-taskloom-peer", "10.9.9.9")]);
        for code in ["BAD_CREDENTIALS", "TOO_MANY_REQUESTS"] {
            assert_eq!(strange.refused(login).await.as_deref(), Some(code));
        }
    })
    .await;
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_look_the_same() {
    on_both(async |t| {
        t.user("ann", Role::Viewer, &[]).await;
        let asleep = t.user("zoe", Role::Viewer, &[]).await;
        resolver::user::disable(&t.system(), asleep).await.unwrap();
        let mut answers = vec![];
        for (name, password) in [("ann", "wrong"), ("nobody", "wrong"), ("zoe", PASSWORD)] {
            let mut answer = t.basic(name, password).ask("{ me { id } }").await;
            answer.body.pointer_mut("/errors/0/extensions").unwrap().as_object_mut().unwrap().remove("requestId");
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
    })
    .await;
}

/// A caller with the cookie of a new session, and the line that set it.
async fn login(t: &Bench, name: &str, headers: &[(&str, &str)]) -> (Caller, String) {
    let document =
        format!("mutation {{ login(input: {{name: \"{name}\", password: \"{PASSWORD}\"}}) {{ user {{ name }} }} }}");
    let answer = t.with(headers).ask(&document).await;
    assert_eq!(answer.at("/data/login/user/name"), &json!(name));
    let line = answer.cookie.unwrap();
    (t.with(&[("cookie", pair(&line))]), line)
}

fn pair(line: &str) -> &str {
    line.split(';').next().unwrap()
}
