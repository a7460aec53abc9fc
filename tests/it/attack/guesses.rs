//! Guesses of passwords: many at once, from many addresses, and by the clock.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use super::bench::{on_both, server, user};
use super::figure;
use crate::harness::server::{PASSWORD, Server};

/// The status with which a guess from an address is answered.
async fn guess(server: &Server, name: &str, password: &str, address: &str) -> u16 {
    let request = server.request("POST", "/graphql").basic_auth(name, Some(password));
    let request = request.header("x-forwarded-for", address).json(&json!({"query": "{ me { name } }"}));
    request.send().await.unwrap().status().as_u16()
}

const PROXY: (&str, &str) = ("SERVER__TRUSTED_PROXIES", "127.0.0.1");

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_at_once_are_not_all_tried() {
    on_both(&[PROXY], async |server: &Server| {
        user(server, "ann", "VIEWER").await;
        assert_eq!(guess(server, "ann", PASSWORD, "192.0.2.1").await, 200);
        let begun = Instant::now();
        let guesses: Vec<String> = (0..300).map(|n| format!("guess {n}")).collect();
        let answers = join_all(guesses.iter().map(|word| guess(server, "ann", word, "198.51.100.7"))).await;
        let (tried, took) = (answers.iter().filter(|status| **status == 401).count(), begun.elapsed());
        assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
        assert!(tried <= 12, "{tried} were tried");
        assert_eq!(guess(server, "ann", PASSWORD, "198.51.100.7").await, 429, "the right one comes too late");
        // From many addresses: the name is slowed down, and its owner is not locked out.
        let far: Vec<String> = (1..=100).map(|n| format!("203.0.113.{n}")).collect();
        let answers = join_all(far.iter().map(|address| guess(server, "ann", "a guess", address))).await;
        let crowd = answers.iter().filter(|status| **status == 401).count();
        assert!(crowd <= 32, "{crowd} were tried");
        assert_eq!(guess(server, "ann", PASSWORD, "192.0.2.9").await, 429);
        assert_eq!(guess(server, "ann", PASSWORD, "192.0.2.1").await, 200, "where it signed in lately");
        figure::note(
            "guesses::three_hundred_at_once_are_not_all_tried",
            "300 guesses at once from one address, then 100 from as many",
            "at most 12 and 32 are tried; the user signs in where it did lately",
            &format!("{tried} and {crowd} were tried, the 300 were answered within {took:?}"),
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_sign_ins_at_once_wait_for_each_other() {
    let (_folder, server) = server(&[PROXY]).await;
    for n in 0..4 {
        user(&server, &format!("user{n}"), "VIEWER").await;
    }
    let names: Vec<String> = (0..60).map(|n| format!("user{}", n % 4)).collect();
    let answers = join_all(names.iter().map(|name| guess(&server, name, PASSWORD, "192.0.2.1"))).await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_leave_no_memory_behind() {
    let (_folder, server) = server(&[]).await;
    const LOGIN: &str = "mutation($i: LoginInput!) { login(input: $i) { expiresAt } }";
    let before = server.metric("process_resident_memory_bytes").await;
    for n in 0..70 {
        // A hash is made, and another is proved.
        let name = format!("user{n}");
        user(&server, &name, "VIEWER").await;
        server.get(LOGIN, json!({"i": {"name": name, "password": PASSWORD}}), "/login/expiresAt").await;
    }
    let grown = (server.metric("process_resident_memory_bytes").await - before) / f64::from(1 << 20);
    assert!(grown < 150.0, "{grown:.0} MiB");
    figure::note(
        "guesses::sign_ins_leave_no_memory_behind",
        "140 passwords hashed and proved",
        "less than 150 MiB more, of which four blocks of 19 MiB",
        &format!("{grown:.0} MiB"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_answered_as_slowly_as_any() {
    on_both(&[PROXY], async |server: &Server| {
        user(server, "ann", "VIEWER").await;
        let bob = user(server, "bob", "VIEWER").await;
        let disable = "mutation($i: DisableUserInput!) { disableUser(input: $i) { user { id } } }";
        server.get(disable, json!({"i": {"id": bob}}), "/disableUser/user/id").await;
        let quickest = async |name: &str, password: &str, from: u8| {
            let mut quickest = Duration::MAX;
            for n in 0..5 {
                let (begun, address) = (Instant::now(), format!("192.0.{from}.{n}"));
                assert_eq!(guess(server, name, password, &address).await, 401, "{name}");
                quickest = quickest.min(begun.elapsed());
            }
            quickest
        };
        let times = [
            quickest("ann", "a guess", 1).await,
            quickest("bob", "a guess", 2).await,
            quickest("bob", PASSWORD, 3).await,
            quickest("nobody", PASSWORD, 4).await,
        ];
        let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!(*most < *least * 3, "{times:?}");
        figure::note(
            "guesses::a_disabled_user_is_answered_as_slowly_as_any",
            "the time of a refusal: a wrong password, a disabled user, nobody",
            "none takes three times as long as another",
            &format!("{least:?} to {most:?}"),
        );
    })
    .await;
}
