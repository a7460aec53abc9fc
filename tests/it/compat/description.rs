//! The OpenAPI descriptions: every route is in them once, under its operation's name, and their words are those that
//! are sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use taskloom::compat::DIALECTS;

use super::bench::Bench;

async fn described(t: &Bench, dialect: &str) -> Value {
    t.call("GET", &format!("/openapi/{dialect}.json"), "nobody").await.json().await.unwrap()
}

#[tokio::test]
async fn every_route_is_described_once() {
    let t = Bench::sqlite().await;
    for dialect in DIALECTS {
        let description = described(&t, dialect.name).await;
        assert_eq!(description["openapi"], "3.1.0");
        assert_eq!(description["servers"][0]["url"], "/");
        let mut names = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for operation in methods.as_object().unwrap().values() {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is described twice");
                let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
                let named: BTreeSet<_> = parameters.iter().map(|one| one["name"].as_str().unwrap()).collect();
                assert_eq!(named.len(), parameters.len(), "{name} names a parameter twice");
                let in_path = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
                let lost: Vec<&str> = in_path.filter(|wanted| !named.contains(wanted)).collect();
                assert!(lost.is_empty(), "{name} does not describe {lost:?}");
                assert!(operation["responses"]["200"].is_object() && operation["responses"]["4XX"].is_object());
            }
        }
        let wanted: BTreeSet<String> = dialect.documents.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names, wanted);
    }
}

#[tokio::test]
async fn the_words_of_the_description_are_those_that_are_sent() {
    let t = Bench::sqlite().await;
    let description = described(&t, "ocp").await;
    let words = |schema: &str| {
        let schema = &description["components"]["schemas"][schema]["enum"];
        schema.as_array().unwrap_or_else(|| panic!("{description}")).clone()
    };
    for n in 1..=8 {
        let path = format!("/api/v2/tasks/instances/{n}");
        let answer: Value = t.call("GET", &path, "viewer").await.json().await.unwrap();
        let task = &answer["data"];
        assert!(words("Status").contains(&task["status"]) && words("Type").contains(&task["type"]), "{task}");
        for subtask in task["subtasks"].as_array().unwrap() {
            assert!(words("Doing").contains(&subtask["operation"]), "{subtask}");
            assert!(words("SubtaskStatus").contains(&subtask["status"]), "{subtask}");
            assert!(words("NodeType").contains(&subtask["nodeType"]), "{subtask}");
        }
    }
}

/// A document that the schema does not know is refused before anything runs: then there is no `data`, not even null.
#[tokio::test]
async fn every_document_is_one_of_the_graph() {
    let t = Bench::sqlite().await;
    let id = taskloom::gql::id::encode("Task", 4711).to_string();
    for (operation, document) in DIALECTS.iter().flat_map(|dialect| dialect.documents) {
        let input = match *operation {
            "linkis.execute" | "linkis.submit" => json!({"definition": "none"}),
            "linkis.login" => json!({"name": "nobody", "password": "wrong"}),
            _ => json!({"id": id}),
        };
        let filter = if operation.starts_with("vsphere.") { json!({"text": "none"}) } else { json!({"name": "none"}) };
        let variables = json!({"databaseId": 4711, "uuid": "none", "input": input, "filter": filter});
        let request = t.client.post(format!("http://{}/graphql", t.address)).bearer_auth(t.token("admin"));
        let sent = request.json(&json!({"query": document, "variables": variables})).send();
        let answer: Value = sent.await.unwrap().json().await.unwrap();
        assert!(answer.get("data").is_some(), "{operation}: {answer}");
    }
}
