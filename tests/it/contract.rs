//! What others build on: the graph's schema, as it is committed; and that its lists are charged for.

use std::collections::BTreeSet;

use crate::harness::clients::npm;
use crate::house;

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

/// Lists of objects that no `Many` and no `Paged` charges for, each with the reason why it need not.
const UNCHARGED: [(&str, &str); 1] =
    // At most 100, and each is charged for by what it costs to find it.
    [("src/graphql/node.rs", "Vec<Option<Node>>")];

/// What a list of objects comes to is known only when it is there, and `src/gql/many.rs` is what charges for it.
#[test]
fn each_list_of_objects_is_charged_for() {
    let schema = taskloom::server::schema();
    let objects = objects_of(&schema);
    assert!(objects.contains("Task") && objects.contains("Node") && !objects.contains("TaskState"), "{objects:?}");
    let mut found: Vec<(String, String)> = vec![];
    for file in house::rust_files(&["src", "crates"]) {
        let code = house::code_of(&std::fs::read_to_string(&file).unwrap());
        if code.contains("async_graphql") {
            found.extend(lists_of(&code, &objects).into_iter().map(|list| (file.display().to_string(), list)));
        }
    }
    let named = UNCHARGED.map(|(file, list)| (file.to_owned(), list.to_owned()));
    assert_eq!(found, named, "give out a `Many` or a `Paged`, or name it with its reason");
}

#[test]
fn a_list_of_objects_is_seen_wherever_it_stands() {
    let objects = ["Task", "Subtask"].into();
    let code = "async fn a(&self) -> Result<Option<Vec<Subtask>>> {} fn b() -> Vec<&Arc<Task>> {} struct C { d: Vec<Task> }
        fn e() -> &'static [Task] {} fn f() -> Box<[Option<Subtask>]> {} fn g() -> Vec<TaskState> {} fn h(i: Vec<TaskInput>) {}
        fn j() -> Many<Task> { [Task(1)]; x[Task::at(0)]; Vec::<u8>::new() } fn k() -> Vec<Vec<Option<String>>> {}
        shows_one! { tasks: BTreeSet<Task>, of Row: X } fn l() -> HashMap<Task, u8> {} #[derive(Task)] struct M;";
    let expected = ["Vec<Subtask>", "Vec<&Arc<Task>>", "Vec<Task>", "[Task]", "[Option<Subtask>]", "BTreeSet<Task>"];
    assert_eq!(lists_of(code, &objects), expected);
}

/// The schema's objects, interfaces and unions by their names, which are those of their types in Rust.
fn objects_of(schema: &str) -> BTreeSet<&str> {
    let kinds = ["type ", "interface ", "union "];
    let named = schema.lines().filter_map(|line| kinds.iter().find_map(|kind| line.strip_prefix(kind)));
    named.filter_map(|rest| rest.split([' ', '{']).next()).collect()
}

/// Types of lists, as code writes them, that have one of these objects in them. Attributes and expressions have none.
fn lists_of(code: &str, objects: &BTreeSet<&str>) -> Vec<String> {
    const LISTS: [&str; 5] = ["Vec", "VecDeque", "LinkedList", "HashSet", "BTreeSet"];
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut lists = vec![];
    for (at, opened) in code.match_indices(['<', '[']) {
        let before = code[..at].trim_end();
        let name = &before[before.rfind(|c| !is_name(c)).map_or(0, |end| end + 1)..];
        let lead = before.strip_suffix(name).unwrap_or(before);
        // A slice is lent, `&[T]` or `&'a [T]`, or boxed.
        let is_slice = before.ends_with(['&', '<']) || lead.ends_with('\'');
        let is_list = if opened == "<" { LISTS.contains(&name) } else { is_slice };
        let Some(inner) = is_list.then(|| bracketed(&code[at..])).flatten() else { continue };
        let names = inner.split(|c| !is_name(c));
        // A type has no parenthesis, which a value of a list mostly has.
        if !inner.contains('(') && names.into_iter().any(|name| objects.contains(name)) {
            let name = if opened == "<" { name } else { "" };
            lists.push(format!("{name}{inner}"));
        }
    }
    lists
}

/// What begins with a bracket, up to the one that closes it.
fn bracketed(code: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, c) in code.char_indices() {
        depth += match c {
            '<' | '[' => 1,
            '>' | ']' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some(&code[..=at]);
        }
    }
    None
}
