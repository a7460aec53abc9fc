//! Documents of people who have not signed in: what is too large is refused before any work is done for it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::figure::note;
use crate::harness::memory;
use crate::harness::server::Server;

/// How long a refusal may take, on a machine that does other things as well; alone it is a millisecond.
const SOON: Duration = Duration::from_millis(100);
/// What the refusal of one document may take of memory.
const MOST: u64 = 5 << 20;

fn too_large() -> Vec<(&'static str, String)> {
    let numbered = |many: usize, name: &dyn Fn(usize) -> String| (0..many).map(name).collect::<Vec<_>>().join(" ");
    let below = |levels: usize| format!("{{{}id{}}}", "task{subtasks{".repeat(levels), "}}".repeat(levels));
    vec![
        ("bytes", format!("{{ viewer {{ role }} }} #{}", "x".repeat(15_000))),
        ("tokens", format!("{{ viewer {{ {} }} }}", "role ".repeat(1_000))),
        ("levels of fields", below(6)),
        ("aliases", format!("{{ viewer {{ {} }} }}", numbered(31, &|i| format!("a{i}: role")))),
        ("root fields", format!("{{ {} }}", "__typename ".repeat(21))),
        ("directives", format!("{{ viewer {{ {} }} }}", "role @include(if: true) ".repeat(51))),
        (
            "selected fields",
            format!("{{ {} }} fragment f on Query {{ viewer {{ {} }} }}", "...f ".repeat(15), "role ".repeat(140)),
        ),
        ("variables", format!("query({}) {{ viewer {{ role }} }}", numbered(61, &|i| format!("$v{i}: Int")))),
    ]
}

#[tokio::test]
async fn what_strangers_send_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let ask = async |query: &str| -> Value {
        server.request("POST", "/graphql").json(&json!({"query": query})).send().await.unwrap().json().await.unwrap()
    };
    let schema = ask(include_str!("../doors/introspection.graphql")).await;
    assert!(schema["data"]["__schema"]["types"].is_array(), "the standard introspection is answered: {schema}");
    let (mut longest, mut most) = (Duration::ZERO, 0);
    for (what, document) in too_large() {
        let before = memory::begin(&server);
        let begun = Instant::now();
        let answer = ask(&document).await;
        longest = longest.max(begun.elapsed());
        most = most.max(memory::above(&server, before));
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "QUERY_TOO_COMPLEX", "{what}: {answer}");
        assert!(error["message"].as_str().unwrap().contains(&format!("{what} >")), "{what}: {answer}");
        let admin = server.ask(&document, json!({})).await;
        assert_ne!(admin["errors"][0]["extensions"]["code"], "QUERY_TOO_COMPLEX", "{what}: users may send it: {admin}");
    }
    assert!(longest < SOON, "{longest:?}");
    assert!(most < MOST, "{} KB", most >> 10);
    let found = format!("{} ms, {} KB", longest.as_millis(), most >> 10);
    note(
        "strangers::what_strangers_send_is_small",
        "8 documents too large for a stranger",
        "refused before any work",
        &found,
    );
}

/// A name of 14 KB is compared with no other.
#[tokio::test]
async fn nothing_is_proposed_for_a_name_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let long = "viewerr".repeat(2_000);
    for document in [format!("{{ {long} }}"), format!("{{ viewer({long}: 1) {{ role }} }}")] {
        let begun = Instant::now();
        let answer = server.request("POST", "/graphql").json(&json!({"query": document})).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.len() < 300 && !message.contains("Did you mean"), "{message}");
    }
    let answer =
        server.request("POST", "/graphql").json(&json!({"query": "{ viewerr { role } }"})).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["errors"][0]["message"].as_str().unwrap().contains("Did you mean"), "{answer}");
}
