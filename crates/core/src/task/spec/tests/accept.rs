//! The parameters of a task.

use serde_json::{Value, json};

use super::{good, show};

fn definition() -> super::Definition {
    good(
        "
name: d
parameters:
  type: object
  required: [host, disks]
  additionalProperties: false
  properties:
    host: {type: string, minLength: 1}
    port: {type: integer, default: 22, maximum: 65535}
    disks: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}
subtasks: [{name: a, run: {noop: {}}}]
",
    )
}

fn refused(parameters: Value) -> String {
    show(&definition().accept(Some(parameters)).unwrap_err())
}

#[test]
fn defaults_are_filled_in() {
    let given = json!({"host": "a", "disks": []});
    assert_eq!(definition().accept(Some(given)), Ok(json!({"host": "a", "disks": [], "port": 22})));
    let given = json!({"host": "a", "disks": [], "port": 23});
    assert_eq!(definition().accept(Some(given.clone())), Ok(given));
}

#[test]
fn every_fault_has_its_path() {
    assert_eq!(
        refused(json!({"port": "ssh", "hots": "a", "disks": [{"name": "a"}, {"name": 5}, {}]})),
        "\
- parameters.host: is required: give it a value
- parameters.port: value is not of type \"integer\"
- parameters.disks[1].name: value is not of type \"string\"
- parameters.disks[2].name: is required: give it a value
- parameters.hots: unknown parameter `hots`: did you mean `host`?"
    );
}

#[test]
fn they_must_be_an_object() {
    for wrong in [json!([]), json!("a"), json!(1)] {
        assert_eq!(refused(wrong), "- parameters: must be an object, such as `{\"host\": \"a\"}`");
    }
    assert_eq!(refused(Value::Null).lines().count(), 2);
}

#[test]
fn without_a_schema_any_object_will_do() {
    let free = good("name: d\nsubtasks: [{name: a, run: {noop: {}}}]");
    assert_eq!(free.accept(None), Ok(json!({})));
    assert_eq!(free.accept(Some(json!({"x": [1, null]}))), Ok(json!({"x": [1, null]})));
    assert!(free.accept(Some(json!(1))).is_err());
}

#[test]
fn secrets_are_not_repeated() {
    let told = refused(json!({"host": "", "disks": "hunter2", "port": 70_000}));
    assert!(!told.contains("hunter2") && !told.contains("70000"), "{told}");
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn they_are_bounded() {
    let mut deep = json!(1);
    for _ in 0..100_000 {
        deep = Value::Array(vec![deep, json!(2)]);
    }
    let deep = Value::Object([("a".to_owned(), deep)].into_iter().collect());
    assert_eq!(refused(deep).lines().count(), 1);
    assert!(refused(json!({"host": "x".repeat(2 << 20)})).starts_with("- parameters: too large"));
    assert_eq!(refused(json!({"host": "a\0b", "disks": []})), "- parameters.host: contains a NUL byte: remove it");
}
