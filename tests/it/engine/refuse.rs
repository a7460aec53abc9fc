//! What is not accepted: every fault has its place, and nothing of it is kept.

use serde_json::{Value, json};

use super::bench::{Bench, SUBMIT};
use super::step::{noop, spec};

stories!(faults_have_places_and_nothing_is_stored);

/// The paths of a refusal with this code.
async fn paths(bench: &Bench, input: Value, code: &str) -> Vec<String> {
    let refusal = bench.admin.refused(SUBMIT, json!({"input": input})).await;
    assert_eq!(refusal["code"], code, "{refusal}");
    let faults = refusal["faults"].as_array().unwrap();
    assert!(faults.iter().all(|fault| fault["message"].as_str().is_some_and(|text| !text.is_empty())), "{refusal}");
    faults.iter().map(|fault| fault["path"].as_str().unwrap().to_owned()).collect()
}

async fn faults_have_places_and_nothing_is_stored(bench: Bench) {
    let faulty = [
        (spec("cycle", &[noop("a").needs("c"), noop("b").needs("a"), noop("c").needs("b")]), "subtasks[0].needs[0]"),
        (spec("unknown", &[noop("a"), noop("b").needs("a z")]), "subtasks[1].needs[1]"),
        (spec("twice", &[noop("a"), noop("b"), noop("a")]), "subtasks[2].name"),
    ];
    for (spec, place) in faulty {
        let places = paths(&bench, json!({"spec": spec}), "INVALID_SPEC").await;
        assert_eq!(places, [place], "{spec}");
    }
    let text = "name: d\nsubtasks:\n- name: a\n  run: {noop: {}}\n  needs: [b]\n";
    let refusal = bench.admin.refused(SUBMIT, json!({"input": {"source": text}})).await;
    assert_eq!(
        (&refusal["faults"][0]["path"], &refusal["faults"][0]["line"]),
        (&json!("subtasks[0].needs[0]"), &json!(5))
    );

    let mut strict = spec("strict", &[noop("a")]);
    strict["parameters"] =
        json!({"type": "object", "required": ["host"], "properties": {"host": {}, "port": {"type": "integer"}}});
    let places = paths(&bench, json!({"spec": strict, "parameters": {"port": "ssh"}}), "INVALID_PARAMETERS").await;
    assert!(places.iter().any(|place| place.contains("port")) && places.len() == 2, "{places:?}");

    let kept = bench.admin.get("{ tasks { totalCount } }", json!({}), "/tasks/totalCount").await;
    assert_eq!(kept, json!(0));
}
