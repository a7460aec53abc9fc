//! Schemas: valid, finite, and never fetched.

use super::{bad, good};

fn schema(lines: &str) -> String {
    let mut text = "name: d\nsubtasks: [{name: a, run: {noop: {}}}]\nparameters:\n".to_owned();
    for line in lines.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

#[test]
fn it_must_be_a_schema() {
    assert_eq!(
        bad("name: d\nsubtasks: [{name: a, run: {noop: {}}}]\nparameters: [a]"),
        "3 parameters: must be a JSON Schema, such as `{type: object, properties: {…}}`, but is a list"
    );
    let told =
        bad(&schema("type: object\nproperties:\n  host: {type: strin}\n  port: {minimum: high}\nrequired: host"));
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].starts_with("6 parameters.properties.host.type: not a valid JSON Schema: "), "{told}");
    assert_eq!(
        lines[1],
        "7 parameters.properties.port.minimum: not a valid JSON Schema: value is not of type \"number\""
    );
    assert_eq!(lines[2], "8 parameters.required: not a valid JSON Schema: value is not of type \"array\"");
}

#[test]
fn it_must_describe_an_object() {
    assert_eq!(bad(&schema("type: array")), "4 parameters.type: must be `object`: the parameters of a task are one");
    assert_eq!(good(&schema("type: [object, 'null']")).parameters.unwrap()["type"][0], "object");
}

#[test]
fn nothing_is_fetched() {
    for target in ["http://127.0.0.1:1/s.json", "file:///etc/passwd", "other.json", "#name", "#"] {
        let told = bad(&schema(&format!("properties: {{a: {{$ref: '{target}'}}}}")));
        let wanted = "leads out of this schema, and nothing is fetched: use `#/$defs/…`";
        assert_eq!(told, format!("4 parameters.properties.a.$ref: `{target}` {wanted}"));
    }
    assert_eq!(
        bad(&schema("$schema: https://example.org/mine")),
        "4 parameters.$schema: the dialect `https://example.org/mine` is unknown: use `https://json-schema.org/draft/2020-12/schema`"
    );
    assert_eq!(
        bad(&schema("properties: {a: {$id: 'x', $dynamicRef: '#y'}}")),
        "4 parameters.properties.a.$id: only the schema itself may have an `$id`: remove it\n4 parameters.properties.a.$dynamicRef: is not supported: use `$ref: '#/$defs/…'`"
    );
}

#[test]
fn every_dialect_works_without_a_network() {
    for dialect in super::super::check::DIALECTS {
        let text = schema(&format!(
            "$schema: {dialect}\n$id: https://example.org/a\nproperties: {{a: {{$ref: '#/definitions/a'}}}}\ndefinitions: {{a: {{type: integer}}}}"
        ));
        let definition = good(&text);
        assert!(definition.accept(Some(serde_json::json!({"a": 1}))).is_ok(), "{dialect}");
        assert!(definition.accept(Some(serde_json::json!({"a": "x"}))).is_err(), "{dialect}");
    }
}

#[test]
fn references_end() {
    let told = bad(&schema("properties: {a: {$ref: '#/$defs/b'}}"));
    assert_eq!(told, "4 parameters.properties.a.$ref: `#/$defs/b` leads nowhere in this schema");
    for circle in [
        "allOf: [{$ref: '#/allOf/0'}]",
        "$defs: {a: {items: {$ref: '#/$defs/a'}}}",
        "$defs: {a: {$ref: '#/$defs/b'}, b: {$ref: '#/$defs/a'}}",
    ] {
        let told = bad(&schema(circle));
        assert!(told.contains("`$ref`s lead round in a circle here"), "{circle}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    let mut doubling = "$defs:\n  a0: {type: object}\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        doubling.push_str(&format!(
            "  a{level}: {{allOf: [{{$ref: '#/$defs/a{below}'}}, {{$ref: '#/$defs/a{below}'}}]}}\n"
        ));
    }
    let told = bad(&schema(&doubling));
    assert_eq!(
        told,
        "3 parameters: the schema is too large: at most 10,000 values with all `$ref`s followed; a pattern counts as 50"
    );
}

#[test]
fn the_longest_chain_of_references_is_walked() {
    let mut chain = "allOf: [{$ref: '#/$defs/a0'}]\n$defs:\n".to_owned();
    for level in 0..30 {
        chain.push_str(&format!("  a{level}: {{not: {{not: {{not: {{$ref: '#/$defs/a{}'}}}}}}}}\n", level + 1));
    }
    chain.push_str("  a30: {type: string}\n");
    let definition = good(&schema(&chain));
    assert!(definition.accept(None).is_err());
}

#[test]
fn patterns_are_plain_regular_expressions() {
    assert!(bad(&schema("properties: {a: {pattern: '['}}")).starts_with("4 parameters.properties.a.pattern: "));
    assert!(bad(&schema("properties: {a: {pattern: '(?=a)b'}}")).starts_with("4 parameters"));
    let many: String = (0..250).map(|index| format!("  a{index}: {{pattern: '^a{{9}}$'}}\n")).collect();
    assert!(bad(&schema(&format!("properties:\n{many}"))).starts_with("3 parameters: the schema is too large"));
    let definition = good(&schema("properties: {a: {pattern: '^(a+)+$'}}"));
    let hard = format!("{}b", "a".repeat(10_000));
    assert!(definition.accept(Some(serde_json::json!({"a": hard}))).is_err());
}

#[test]
fn defaults_fit() {
    let told = bad(&schema("required: [b]\nproperties:\n  a: {type: integer, default: many}\n  b: {type: string}"));
    assert_eq!(
        told,
        "6 parameters.properties.a.default: the default does not fit the schema: value is not of type \"integer\""
    );
}

#[test]
fn properties_may_have_the_names_of_keywords() {
    let definition = good(&schema("properties: {$ref: {type: string}, $id: {type: string}, type: {type: string}}"));
    assert!(definition.accept(Some(serde_json::json!({"$ref": "x", "type": "y"}))).is_ok());
}
