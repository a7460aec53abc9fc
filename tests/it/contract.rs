//! What others build on: the graph's schema, as it is committed.

use crate::harness::clients::npm;

/// Compares a committed page with what the code writes; `UPDATE_DOCS=1` writes it anew.
fn is_current(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{} is stale: run the tests with UPDATE_DOCS=1 and read its diff", path.display());
}

#[test]
fn the_committed_schema_is_the_code_s() {
    is_current("schema.graphql", &taskloom::server::schema());
}

/// Relay's specification of connections, and that everything is explained.
#[tokio::test]
async fn the_schema_keeps_the_rules_of_its_kind() {
    let rules = "relay-connection-types-spec,relay-page-info-spec,relay-connection-arguments-spec,fields-have-descriptions,\
                 input-object-values-have-descriptions,enum-values-have-descriptions,fields-are-camel-cased,\
                 input-object-values-are-camel-cased,enum-values-all-caps,types-are-capitalized";
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let said = npm("graphql-schema-linter", &["--rules", rules, schema]).await;
    assert!(said.contains("0 errors detected"), "{said}");
}

/// A default is for who says nothing, so what has one may be null, and null is none.
#[test]
fn what_has_a_default_may_be_left_out_or_null() {
    let schema = taskloom::server::schema();
    let wrong = schema.lines().filter(|line| line.contains("! = ") || line.contains("= null"));
    assert_eq!(wrong.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn each_mutation_has_types_of_its_own() {
    let schema = taskloom::server::schema();
    let mutations = schema.split("type Mutation {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let mut count = 0;
    for line in mutations.lines().map(str::trim).filter(|line| line.contains("): ") || line.ends_with("Payload!")) {
        let name = line.split(['(', ':']).next().unwrap();
        let own = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
        assert!(line.ends_with(&format!(": {own}Payload!")), "{line}");
        assert!(!line.contains("input:") || line.contains(&format!("input: {own}Input!")), "{line}");
        count += 1;
    }
    assert!(count >= 40, "{count} mutations were seen");
}
