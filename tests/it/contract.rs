//! What others build on: the graph's schema, as it is committed.

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
