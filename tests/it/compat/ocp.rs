//! `/api/v2/tasks/instances`: transcripts, envelopes of what does not exist, sign-in.

use serde_json::Value;
use taskloom::compat::ocp::DOCUMENTS;

use super::bench::{Bench, PASSWORD, on_both};
use super::transcript::{read, replay};

#[tokio::test]
async fn every_answer_is_as_it_was_written_down() {
    replay(DOCUMENTS.iter().map(|(name, _)| *name)).await;
}

#[test]
fn every_route_has_its_transcripts() {
    for (operation, document) in DOCUMENTS {
        let cases = read(operation);
        let mut wanted = vec!["success", "bad input", "not signed in", "wrong method"];
        if document.contains('!') && *operation != "ocp.listTaskInstances" {
            wanted.push("not found");
        }
        if document.contains("\nmutation") {
            wanted.extend(["not allowed", "wrong state"]);
        }
        for kind in wanted {
            assert!(cases.iter().any(|case| case.title.starts_with(kind)), "{operation} has no case of {kind}");
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_answered_in_the_envelope() {
    let t = Bench::sqlite().await;
    for path in ["/api/v2", "/api/v2/", "/api/v2/nothing", "/api/v2/tasks"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = t.call(method, path, "admin").await;
            assert_eq!(answer.status().as_u16(), 404, "{method} {path}");
            let body: Value = answer.json().await.unwrap();
            assert_eq!((&body["successful"], &body["status"]), (&false.into(), &404.into()), "{body}");
        }
    }
}

#[tokio::test]
async fn a_name_and_a_password_sign_in_and_wrong_ones_do_not() {
    let t = Bench::sqlite().await;
    let url = format!("http://{}/api/v2/tasks/instances/6", t.address);
    let sent = |name, password: &str| t.client.get(&url).basic_auth(name, Some(password.to_owned())).send();
    assert_eq!(sent("viewer", PASSWORD).await.unwrap().status().as_u16(), 200);
    let refused = sent("viewer", "wrong").await.unwrap();
    assert_eq!(refused.status().as_u16(), 401);
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], 30000, "{body}");
}

/// The request of a client that signs: headers of its own, a query, a body.
#[tokio::test]
async fn an_access_key_signs_in_for_what_was_signed_and_nothing_else() {
    on_both(async |t| {
        let input = r#"mutation { createToken(input: {name: "old client", role: MANAGER, accessKey: true}) { accessKey { id secret } } }"#;
        let made = t.ask(input, serde_json::json!({}), "manager").await;
        let key = &made["createToken"]["accessKey"];
        let (id, secret) = (key["id"].as_str().unwrap(), key["secret"].as_str().unwrap());
        let date = "Wed, 25 Aug 2021 06:20:00 GMT";
        let send = async |path: &str, signed_path: &str, date: &str, secret: &str| {
            // MD5 of `{}`.
            let digest = "99914B932BD37A50B983C5E7C90AE93B";
            let text = format!(
                "POST\n{digest}\napplication/json\n{date}\n{}\nx-ocp-data:A,1\n{signed_path}",
                t.address
            );
            let signature = taskloom::auth::signature::sign(secret, &text);
            let request = t.client.post(format!("http://{}{path}", t.address)).body("{}");
            let request = request.header("content-type", "application/json").header("date", date);
            let request = request.header("x-ocp-data", "A,1");
            let value = format!("OCP-ACCESS-KEY-HMACSHA1 {id}:{signature}");
            request.header("authorization", value).send().await.unwrap().status().as_u16()
        };
        let path = "/api/v2/tasks/instances/6/retry";
        assert_eq!(send(path, path, date, "another").await, 401);
        assert_eq!(send(path, "/api/v2/tasks/instances/14/retry", date, secret).await, 401);
        assert_eq!(send(path, path, "Wed, 25 Aug 2021 06:00:00 GMT", secret).await, 401);
        let (sent, signed) = (format!("{path}?b=x+y&a=1,2"), format!("{path}?a=1%2C2&b=x%20y"));
        assert_eq!(send(&sent, &signed, date, secret).await, 200);
        // What was signed once is done once; the same, signed anew, is another request: the task goes on already.
        assert_eq!(send(&sent, &signed, date, secret).await, 401);
        assert_eq!(send(&sent, &signed, "Wed, 25 Aug 2021 06:20:01 GMT", secret).await, 400);
    })
    .await;
}

#[tokio::test]
async fn too_many_wrong_passwords_are_told_when_to_come_back() {
    let t = Bench::sqlite().await;
    let url = format!("http://{}/api/v2/tasks/instances/6", t.address);
    for _ in 0..10 {
        t.client.get(&url).basic_auth("viewer", Some("wrong")).send().await.unwrap();
    }
    let refused = t.client.get(&url).basic_auth("viewer", Some(PASSWORD)).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 429);
    let header = |name: &str| refused.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("ratelimit-limit").as_deref(), Some("10"));
    assert_eq!(header("ratelimit-remaining").as_deref(), Some("0"));
    assert_eq!(header("ratelimit-reset"), header("retry-after"));
    let body: Value = refused.json().await.unwrap();
    assert_eq!((&body["error"]["code"], &body["status"]), (&0.into(), &429.into()), "{body}");
}

/// Every name that a client may send is there, whatever is wrong with it: no 500, nothing changed.
#[tokio::test]
async fn bad_input_changes_nothing() {
    let t = Bench::sqlite().await;
    let before = t.acts().await;
    let ids =
        ["", "9223372036854775808", "-9223372036854775809", "0x10", "%20", "%00", "%ff", "１", "1.5", "null", "'"];
    for id in ids {
        for (method, path) in [
            ("GET", format!("/api/v2/tasks/instances/{id}")),
            ("POST", format!("/api/v2/tasks/instances/{id}/retry")),
            ("POST", format!("/api/v2/tasks/instances/{id}/rollback")),
            ("POST", format!("/api/v2/tasks/instances/6/subtasks/{id}/skip")),
            ("POST", format!("/api/v2/tasks/instances/{id}/subtasks/61/cancel")),
            ("GET", format!("/api/v2/tasks/instances/6/subtasks/{id}/log")),
        ] {
            let status = t.call(method, &path, "manager").await.status().as_u16();
            assert!(matches!(status, 400 | 404 | 405), "{method} {path}: {status}");
        }
    }
    for query in ["page=0", "size=2001", "page=1&page=2", "sort=owner", "name=%ff", "name=%00", "status=x", "hostId=x"]
    {
        let status = t.call("GET", &format!("/api/v2/tasks/instances?{query}"), "viewer").await.status().as_u16();
        assert_eq!(status, 400, "{query}");
    }
    assert_eq!(t.acts().await, before);
}
