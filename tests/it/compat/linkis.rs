//! `/api/rest_j/v1`: transcripts, sign-in by ticket and by token, and what a page of another site cannot do.

use reqwest::Response;
use serde_json::Value;
use taskloom::compat::linkis::DOCUMENTS;

use super::bench::{Bench, PASSWORD};
use super::transcript::{read, replay};

const PREFIX: &str = "/api/rest_j/v1";

#[tokio::test]
async fn every_answer_is_as_it_was_written_down() {
    replay(DOCUMENTS.iter().map(|(name, _)| *name)).await;
}

#[test]
fn every_route_has_its_transcripts() {
    for (operation, document) in DOCUMENTS {
        let cases = read(operation);
        let mut wanted = vec!["success", "bad input", "not signed in", "wrong method"];
        if document.contains("$databaseId") {
            wanted.push("not found");
        }
        if matches!(*operation, "linkis.kill" | "linkis.killJobs" | "linkis.pause") {
            wanted.extend(["not found", "not allowed", "wrong state"]);
        }
        for kind in wanted.iter().filter(|kind| **kind != "not found" || *operation != "linkis.openLog") {
            assert!(cases.iter().any(|case| case.title.starts_with(kind)), "{operation} has no case of {kind}");
        }
    }
}

async fn login(t: &Bench) -> String {
    let body = serde_json::json!({"userName": "manager", "password": PASSWORD}).to_string();
    let answer = t.client.post(format!("http://{}{PREFIX}/user/login", t.address)).body(body).send().await.unwrap();
    let line = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        line.contains("; HttpOnly; SameSite=Strict") && line.contains("Path=/") && !line.contains("Secure"),
        "{line}"
    );
    line.split(';').next().unwrap().to_owned()
}

async fn get(t: &Bench, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = t.client.get(format!("http://{}{PREFIX}{path}", t.address));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_ticket_signs_in_until_it_is_given_back() {
    let t = Bench::sqlite().await;
    let ticket = login(&t).await;
    assert!(ticket.starts_with("linkis_user_session_ticket_id_v1="), "{ticket}");
    let who: Value = get(&t, "/user/userInfo", &[("cookie", &ticket)]).await.json().await.unwrap();
    assert_eq!(who["data"]["userName"], "manager");
    let out = t.client.post(format!("http://{}{PREFIX}/user/logout", t.address)).header("cookie", &ticket);
    assert_eq!(out.send().await.unwrap().status().as_u16(), 200);
    assert_eq!(get(&t, "/user/userInfo", &[("cookie", &ticket)]).await.status().as_u16(), 401);
}

#[tokio::test]
async fn a_token_signs_in_for_its_own_user_alone() {
    let t = Bench::sqlite().await;
    let (own, ticket) = (t.token("viewer").to_owned(), login(&t).await);
    let status = async |user: &str, code: &str| {
        let headers = [("token-user", user), ("token-code", code), ("cookie", ticket.as_str())];
        get(&t, "/user/userInfo", &headers).await.status().as_u16()
    };
    assert_eq!(status("viewer", &own).await, 200);
    // The header decides: the ticket beside it does not help.
    assert_eq!(status("manager", &own).await, 401);
    assert_eq!(status("viewer", "tl_wrong").await, 401);
    let cookie = format!("Token-User=viewer; Token-Code={own}");
    assert_eq!(get(&t, "/user/userInfo", &[("cookie", &cookie)]).await.status().as_u16(), 401);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_make_a_browser_kill() {
    let t = Bench::sqlite().await;
    let ticket = login(&t).await;
    for verb in ["kill", "pause"] {
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "none"),
            ("origin", "http://evil.example"),
            ("referer", "http://evil.example/page"),
        ] {
            let answer = get(&t, &format!("/entrance/2/{verb}"), &[("cookie", &ticket), foreign]).await;
            assert_eq!(answer.status().as_u16(), 401, "{verb} from {foreign:?}");
        }
    }
    let own = [("cookie", ticket.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(get(&t, "/entrance/2/pause", &own).await.status().as_u16(), 200);
    // A token is sent by no browser on its own.
    let headers = [("token-user", "manager"), ("token-code", t.token("manager")), ("sec-fetch-site", "cross-site")];
    assert_eq!(get(&t, "/entrance/2/kill", &headers).await.status().as_u16(), 200);
}

#[tokio::test]
async fn what_does_not_exist_is_answered_in_the_envelope() {
    let t = Bench::sqlite().await;
    for path in ["", "/", "/user/publicKey", "/user/heartbeat", "/jobhistory/governanceStationAdmin", "/dss/x/y"] {
        let answer = t.call("GET", &format!("{PREFIX}{path}"), "admin").await;
        assert_eq!(answer.status().as_u16(), 404, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!((&body["status"], body["data"].is_object()), (&1.into(), true), "{body}");
    }
}

#[tokio::test]
async fn bad_input_changes_nothing() {
    let t = Bench::sqlite().await;
    let before = t.acts().await;
    for id in ["%00", "%ff", "-1", "exec_id_", "exec_id018014linkis_9223372036854775808", "..", "%2e%2e%2f", "１"] {
        for verb in ["status", "progress", "progressWithResource", "log", "kill", "pause"] {
            let status = t.call("GET", &format!("{PREFIX}/entrance/{id}/{verb}"), "manager").await.status().as_u16();
            assert!(matches!(status, 400 | 404), "{verb} {id}: {status}");
        }
    }
    for body in
        ["", "null", "[]", "{\"executionCode\":7}", "{\"executionContent\":[]}", "{\"executionCode\":\"x\\u0000\"}"]
    {
        let request = t.client.post(format!("http://{}{PREFIX}/entrance/submit", t.address));
        let answer = request.bearer_auth(t.token("manager")).body(body).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{body}");
    }
    let many = serde_json::json!({"taskIDList": vec![1; 10_001], "idList": vec!["1"; 10_001]}).to_string();
    let request = t.client.post(format!("http://{}{PREFIX}/entrance/1/killJobs", t.address));
    let answer = request.bearer_auth(t.token("manager")).body(many).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert_eq!(t.acts().await, before);
}
