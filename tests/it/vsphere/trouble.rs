//! What cannot be collected shows why, disturbs nobody else, and puts no password into a log.

use serde_json::{Value, json};

use super::lab::{agree, follows, put, register, stands};
use super::simulator::{PASSWORD, Simulator, USER};
use crate::harness::server::{Server, until};

const WRONG: &str = "a very wrong password";

#[tokio::test(flavor = "multi_thread")]
async fn each_trouble_has_its_reason_and_stays_alone() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "50"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let id = register(&server, "good", &simulator.url, &simulator).await;
    let page = super::hostile::page();
    let silent = super::hostile::silent().await;
    let of = |name: &str, address: &str, password: &str, trust: Value| {
        let mut input = json!({"name": name, "uuid": name, "address": address, "user": USER, "password": password});
        input.as_object_mut().unwrap().extend(trust.as_object().unwrap().clone());
        input
    };
    let pinned = json!({"trust": "THUMBPRINT", "trusted": simulator.sha256});
    let other = json!({"trust": "THUMBPRINT", "trusted": "00".repeat(32)});
    let web = json!({"trust": "THUMBPRINT", "trusted": page.sha256});
    for input in [
        of("password", &simulator.url, WRONG, pinned.clone()),
        of("untrusted", &simulator.url, WRONG, json!({})),
        of("thumbprint", &simulator.url, WRONG, other),
        of("page", &page.address, WRONG, web),
        of("nobody", "127.0.0.1:1", WRONG, json!({})),
        of("silent", &silent, WRONG, json!({})),
    ] {
        put(&server, input).await;
    }
    for (name, reason) in [
        ("password", "INVALID_LOGIN"),
        ("untrusted", "UNTRUSTED"),
        ("thumbprint", "WRONG_THUMBPRINT"),
        ("page", "NOT_A_VCENTER"),
        ("nobody", "UNREACHABLE"),
        ("silent", "UNREACHABLE"),
    ] {
        let found = until(name, async || {
            let (state, reason) = stands(&server, name).await;
            (state == "FAILING").then_some(reason)
        })
        .await;
        assert_eq!(found, reason, "{name}");
    }
    simulator.post("/tasks", json!({"count": 20, "seconds": 1})).await;
    follows(&server, "good").await;
    agree(&server, &id, &simulator).await;
    let log = server.log();
    assert!(!log.contains(WRONG) && !log.contains(PASSWORD), "{log}");
}

/// A wrong password is not tried again and again: the account would be locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_and_mended_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&["-history", "20"]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let input = |password: &str| {
        json!({"name": "lab", "uuid": "lab", "address": simulator.url, "user": USER, "password": password,
            "trust": "THUMBPRINT", "trusted": simulator.sha256})
    };
    let id = put(&server, input(WRONG)).await;
    until("it is refused", async || (stands(&server, "lab").await.1 == "INVALID_LOGIN").then_some(())).await;
    // Another that is registered now is looked for, signed in to and read: the first would have been tried again before.
    let second = Simulator::start(&[]).await;
    let other = json!({"name": "other", "uuid": "other", "address": second.url, "user": USER, "password": PASSWORD,
        "trust": "THUMBPRINT", "trusted": second.sha256});
    put(&server, other).await;
    follows(&server, "other").await;
    assert_eq!(simulator.get("/calls").await["Login"], 1);
    put(&server, input(PASSWORD)).await;
    follows(&server, "lab").await;
    agree(&server, &id, &simulator).await;
}

/// What is said before anything is saved, and what is not accepted at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_looked_at_before_it_is_registered() {
    let folder = tempfile::tempdir().unwrap();
    let simulator = Simulator::start(&[]).await;
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let document = "mutation($input: TestVcenterInput!) { testVcenter(input: $input) {
        ok thumbprint trusted product instanceUuid signedIn reason } }";
    let test = async |input: Value| server.get(document, json!({"input": input}), "/testVcenter").await;
    let look = test(json!({"address": simulator.url})).await;
    assert_eq!((&look["ok"], &look["reason"]), (&json!(false), &json!("UNTRUSTED")), "{look}");
    assert_eq!(look["thumbprint"], simulator.sha256.as_str());
    assert!(look["product"].as_str().unwrap().contains("vCenter"), "{look}");
    assert_eq!(simulator.get("/calls").await.get("Login"), None, "no password is sent to who is not trusted");
    let pinned = |password: &str| json!({"address": simulator.url, "trust": "THUMBPRINT", "trusted": simulator.sha256, "user": USER, "password": password});
    let look = test(pinned(PASSWORD)).await;
    assert_eq!((&look["ok"], &look["signedIn"]), (&json!(true), &json!(true)), "{look}");
    assert_eq!(look["instanceUuid"], simulator.instance.as_str());
    let look = test(pinned(WRONG)).await;
    assert_eq!((&look["ok"], &look["reason"]), (&json!(false), &json!("INVALID_LOGIN")), "{look}");
    let put = "mutation($input: PutVcenterInput!, $dry: Boolean) { putVcenter(input: $input, dryRun: $dry) { changes vcenter { id } } }";
    for (field, value) in [
        ("address", json!("http://vc")),
        ("address", json!("https://user:word@vc")),
        ("name", json!("two words")),
        ("trusted", json!("AB:CD")),
        ("password", json!(null)),
        ("keepDays", json!(0)),
        ("user", json!("a\nb")),
    ] {
        let mut input = pinned(PASSWORD);
        input["name"] = json!("lab");
        input[field] = value;
        let refused = server.ask(put, json!({"input": input})).await;
        assert_eq!(refused["errors"][0]["extensions"]["code"], "INVALID_INPUT", "{field}: {refused}");
    }
    let mut input = pinned(PASSWORD);
    input["name"] = json!("lab");
    let dry = server.get(put, json!({"input": input, "dry": true}), "/putVcenter").await;
    assert_eq!(dry, json!({"changes": ["name"], "vcenter": null}));
    server.get(put, json!({"input": input}), "/putVcenter/vcenter/id").await;
    let again = server.get(put, json!({"input": input}), "/putVcenter/changes").await;
    assert_eq!(again, json!([]), "the same again changes nothing");
    input["address"] = json!("other.example.com");
    input["password"] = Value::Null;
    let refused = server.ask(put, json!({"input": input})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "INVALID_INPUT", "a password does not move by itself");
}
