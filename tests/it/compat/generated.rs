//! The descriptions as programs of others read them: a linter, a maker of requests, a person's browser.
//!
//! Requests are made up for a server without an engine: what they submit is kept and never runs.

use serde_json::{Value, json};
use taskloom::compat::DIALECTS;

use super::bench::Bench;
use crate::harness::clients::{node, npm, python};

#[tokio::test(flavor = "multi_thread")]
async fn a_linter_finds_nothing_in_the_descriptions() {
    let t = Bench::sqlite().await;
    let folder = tempfile::tempdir().unwrap();
    for dialect in DIALECTS {
        let path = folder.path().join(dialect.name).with_extension("json");
        let text = t.call("GET", &format!("/openapi/{}.json", dialect.name), "nobody").await.text().await.unwrap();
        std::fs::write(&path, text).unwrap();
        let found = npm("redocly", &["lint", "--format=json", "--config=redocly.yaml", path.to_str().unwrap()]).await;
        let found: Value = serde_json::from_str(&found).unwrap();
        assert_eq!(found["problems"], json!([]), "{}", dialect.name);
    }
}

/// What is made up is the same each time, so that a failure is a change of ours.
#[tokio::test(flavor = "multi_thread")]
async fn generated_requests_are_answered_as_the_descriptions_say() {
    let t = Bench::sqlite().await;
    let authorization = format!("Authorization: Bearer {}", t.token("admin"));
    for dialect in DIALECTS {
        let url = format!("http://{}/openapi/{}.json", t.address, dialect.name);
        let checks =
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
        let sizes = ["--max-examples=25", "--generation-deterministic", "--phases=examples,coverage,fuzzing"];
        let mut arguments = vec!["run", &url, "-H", &authorization, "--no-color", checks];
        arguments.extend(sizes);
        let report = python("schemathesis", &arguments).await;
        assert!(report.contains(" passed"), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_reads_and_tries_the_dialects_in_a_browser() {
    let t = Bench::sqlite().await;
    let seen = node("docs.mjs", &[&format!("http://{}/docs", t.address), t.token("viewer")]).await;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!((&seen["foreign"], &seen["problems"]), (&json!([]), &json!([])), "{seen:#}");
    let titles: Vec<&str> = DIALECTS.iter().map(|dialect| dialect.title).collect();
    assert_eq!(seen["dialects"], json!(titles));
    for dialect in DIALECTS {
        assert_eq!(seen["operations"][dialect.title], dialect.documents.len(), "{}", dialect.name);
    }
    assert_eq!(seen["answers"]["status"], "200");
    assert!(seen["answers"]["body"].as_str().unwrap().contains("\"successful\": true"), "{seen:#}");
}
