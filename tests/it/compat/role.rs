//! Roles × routes: who is refused what, and that a task of another tenant is answered as one that never was.

use taskloom::compat::{linkis, ocp};

use super::bench::{Bench, on_both};
use super::transcript::read;

/// The method and path of a route's first success.
fn example(operation: &str) -> (String, String) {
    let case = read(operation).into_iter().find(|case| case.title.starts_with("success")).unwrap();
    let (method, path) = case.request[0].split_once(' ').unwrap();
    (method.to_owned(), path.to_owned())
}

fn changes(document: &str) -> bool {
    document.contains("\nmutation")
}

#[tokio::test]
async fn every_route_asks_for_its_role() {
    on_both(async |t| {
        for (operation, document) in ocp::DOCUMENTS {
            let (method, path) = example(operation);
            let status = async |who| t.call(&method, &path, who).await.status().as_u16();
            assert_eq!(status("nobody").await, 401, "{operation}");
            let viewer = if changes(document) { 403 } else { 200 };
            assert_eq!(status("viewer").await, viewer, "{operation}");
        }
    })
    .await;
    // A change can be made once: each has a server of its own.
    for (operation, _) in ocp::DOCUMENTS {
        let (method, path) = example(operation);
        for who in ["manager", "admin"] {
            let t = Bench::sqlite().await;
            assert_eq!(t.call(&method, &path, who).await.status().as_u16(), 200, "{operation} by {who}");
        }
    }
}

/// A call of Linkis's own forms, as its transcript has it.
async fn told(t: &Bench, operation: &str, who: &str) -> u16 {
    let case = read(operation).into_iter().find(|case| case.title.starts_with("success")).unwrap();
    let (method, path) = case.request[0].split_once(' ').unwrap();
    let mut request = t.client.request(method.parse().unwrap(), format!("http://{}{path}", t.address));
    for line in &case.request[1..] {
        request = match line.strip_prefix("body ") {
            Some(body) => request.body(body.to_owned()),
            None => request,
        };
    }
    if who != "nobody" {
        request = request.bearer_auth(t.token(who));
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn every_route_of_linkis_asks_for_its_role() {
    let t = Bench::sqlite().await;
    for (operation, document) in linkis::DOCUMENTS.iter().filter(|(name, _)| *name != "linkis.login") {
        assert_eq!(told(&t, operation, "nobody").await, 401, "{operation}");
        // Results and logs are their owner's.
        let files = ["linkis.getDirFileTrees", "linkis.openFile", "linkis.openLog", "linkis.log"].contains(operation);
        let viewer = match (changes(document) && *operation != "linkis.logout", files) {
            (true, _) => 403,
            (false, true) => 400,
            (false, false) => 200,
        };
        assert_eq!(told(&t, operation, "viewer").await, viewer, "{operation}");
    }
    for who in ["manager", "admin"] {
        for (operation, _) in linkis::DOCUMENTS {
            // The label of a user is that user's.
            if who == "admin" && matches!(*operation, "linkis.execute" | "linkis.submit") {
                continue;
            }
            // A change can be made once.
            let t = Bench::sqlite().await;
            assert_eq!(told(&t, operation, who).await, 200, "{operation} by {who}");
        }
    }
}

#[tokio::test]
async fn a_foreign_task_is_answered_as_an_unknown_one() {
    on_both(async |t| {
        for (operation, _) in ocp::DOCUMENTS.iter().filter(|(name, _)| *name != "ocp.listTaskInstances") {
            let (method, path) = example(operation);
            let answer = t.call(&method, &path, "stranger").await;
            assert_eq!(answer.status().as_u16(), 404, "{operation}");
            let foreign = answer.text().await.unwrap();
            assert!(foreign.contains("\"code\":20000") && !foreign.contains("\"data\""), "{operation}: {foreign}");
        }
        let list: serde_json::Value = t.call("GET", "/api/v2/tasks/instances", "stranger").await.json().await.unwrap();
        assert_eq!(list["data"]["page"]["totalElements"], 0);
    })
    .await;
}
