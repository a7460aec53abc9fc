//! Documents made to hurt: every one ends in a fault, soon and without a crash.

use std::fmt::Write;

use serde_json::{Value, json};

use super::super::read;
use super::{bad, good, show};

const DEEP: &str = "nested too deep: at most 64 lists and mappings may stand inside each other";
const LARGE: &str = "too large, aliases written out: make it smaller, keep long scripts and data in files";

#[test]
fn nesting() {
    let many = 100_000;
    for open in ["[", "{", "{a: ", "[{a: ", "- ", "? ", "a: [", "\"a\": {", "!!seq [", "&a ["] {
        let told = bad(&open.repeat(many));
        assert!(!told.is_empty(), "{open}");
    }
    assert_eq!(bad(&format!("a: {}{}", "[".repeat(many), "]".repeat(many))), format!("1 : {DEEP}"));
    let mut block = String::new();
    for level in 0..200 {
        writeln!(block, "{}a:", " ".repeat(level)).unwrap();
    }
    assert_eq!(bad(&block), format!("65 : {DEEP}"));
    let mut value = json!(1);
    for _ in 0..many {
        value = Value::Array(vec![value]);
    }
    assert_eq!(show(&read(value).unwrap_err()), format!("- : {DEEP}"));
}

#[test]
fn the_deepest_that_is_allowed_is_walked() {
    let schema = |levels: usize| {
        let (open, close) = ("{not: ".repeat(levels), "}".repeat(levels));
        format!("name: d\nparameters: {{not: {open}true{close}}}\nsubtasks: [{{name: a, run: {{noop: {{}}}}}}]")
    };
    let refused = good(&schema(62)).accept(None).unwrap_err();
    assert_eq!(show(&refused), "- parameters: is what `not` forbids in the schema");
    assert_eq!(good(&schema(61)).accept(None), Ok(json!({})));
    assert_eq!(bad(&schema(63)), format!("2 : {DEEP}"));
}

#[test]
fn aliases_do_not_multiply() {
    let mut laughs = "a0: &a0 lol\n".to_owned();
    for level in 1..40 {
        let below = format!("*a{}", level - 1);
        writeln!(laughs, "a{level}: &a{level} [{}]", [below.as_str(); 9].join(", ")).unwrap();
    }
    assert!(bad(&laughs).ends_with(LARGE), "{}", bad(&laughs));
    let script = "x".repeat(1 << 20);
    let copies = vec!["*s"; 1000].join(", ");
    assert_eq!(bad(&format!("s: &s {script}\nt: [{copies}]")), format!("2 : {LARGE}"));
    let mut stairs = "a0: &a0 []\n".to_owned();
    for level in 1..100 {
        writeln!(stairs, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(bad(&stairs).ends_with(DEEP), "{}", bad(&stairs));
}

#[test]
fn length_and_number() {
    let long = format!("# {}\nname: d", "x".repeat(4 << 20));
    assert_eq!(bad(&long), "- : the document is longer than 4 MiB: keep long scripts and data in files");
    assert_eq!(bad(&format!("[{}", "1,".repeat(1 << 20))), format!("1 : {LARGE}"));
    let big = json!({"name": "x".repeat(9 << 20)});
    assert_eq!(show(&read(big).unwrap_err()), format!("- : {LARGE}"));
}

#[test]
fn a_thousand_subtasks_and_not_one_more() {
    let chain = |many: usize| {
        let mut text = "name: d\nsubtasks:\n".to_owned();
        for index in 0..many {
            let needs = if index == 0 { String::new() } else { format!("s{}", index - 1) };
            writeln!(text, "  - {{name: s{index}, needs: [{needs}], run: {{noop: {{}}}}}}").unwrap();
        }
        text
    };
    let definition = good(&chain(1000));
    assert_eq!(definition.subtasks.len(), 1000);
    assert_eq!(definition.upstreams(999), [998]);
    assert_eq!(bad(&chain(1001)), "2 subtasks: there are 1001 subtasks: at most 1,000; split the definition");
}

#[test]
fn a_flood_of_faults_is_cut() {
    let keys: String = (0..100_000).map(|index| format!("k{index}: 1\n")).collect();
    let told = bad(&keys);
    assert_eq!(told.lines().count(), 201);
    assert!(
        told.ends_with("- : 99802 more faults are not listed: mend these first"),
        "{}",
        told.lines().last().unwrap()
    );
    let name = "n".repeat(1 << 20);
    assert!(bad(&format!("{name}: 1")).len() < 1000);
}

#[test]
fn long_values_in_json_are_no_matter() {
    let script = "echo \\\"x\\\"\\n".repeat(60_000);
    let text = format!(r#"{{"subtasks":[{{"run":{{"shell":"{script}"}},"name":"a"}}],"name":"d"}}"#);
    assert_eq!(good(&text).subtasks.len(), 1);
}
