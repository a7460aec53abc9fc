//! What a person can get wrong, and what they are told: the line, the path, the remedy.

use serde_json::json;

use super::super::read;
use super::{bad, show, with};

fn told(text: &str, wanted: &str) {
    assert_eq!(bad(text), wanted, "\n{text}");
}

#[test]
fn every_fault_is_told_at_once() {
    let text = "\
nam: d
subtasks:
  - name: a
    need: [b]
    run: {shell: 'true', python: 'pass'}
    timeout: soon
  - name: a
    needs: [chek, b, b]
    run: echo
  - name: check
    weight: 0
    run: {shel: 'true'}
    prohibitRollback: yes
  - run: {noop: {sleep: -1}}
    retry: {attempts: 101, backof: 1s}
";
    told(
        text,
        "\
1 nam: unknown key `nam`: did you mean `name`?
1 name: `name` is missing: add it
4 subtasks[0].need: unknown key `need`: did you mean `needs`?
5 subtasks[0].run: has the keys `shell` and `python`: keep one of them, or make several subtasks
6 subtasks[0].timeout: must be a duration such as `30s`, `2m 30s` or `1h`, or a number of seconds, but is the text `soon`
7 subtasks[1].name: the name `a` is taken by subtasks[0] on line 3: give each its own
8 subtasks[1].needs[0]: there is no subtask `chek`: did you mean `check`?
8 subtasks[1].needs[1]: there is no subtask `b`: did you mean `a`?
8 subtasks[1].needs[2]: `b` is needed twice: name it once
9 subtasks[1].run: must say what runs it: write `{shell: '…'}` or `{python: '…'}`
11 subtasks[2].weight: must be a number above 0, up to 1000000, but is the number 0
12 subtasks[2].run.shel: unknown key `shel`: did you mean `shell`?
13 subtasks[2].prohibitRollback: must be `true` or `false`, but is the text `yes`
14 subtasks[3].name: `name` is missing: add it
14 subtasks[3].run.noop.sleep: must be a duration such as `30s`, `2m 30s` or `1h`, or a number of seconds, but is the number -1
15 subtasks[3].retry.backof: unknown key `backof`: did you mean `backoff`?
15 subtasks[3].retry.attempts: must be a whole number from 1 to 100, but is the number 101",
    );
}

#[test]
fn values_have_paths_without_lines() {
    let value = json!({"name": "d", "subtasks": [{"name": "a", "needs": ["a"], "run": {}}, 7]});
    let faults = read(value).unwrap_err();
    assert_eq!(
        show(&faults),
        "\
- subtasks[0].needs[0]: a subtask cannot need itself: remove this need
- subtasks[0].run: is empty: write one of `shell`, `python`, `noop`, `sql`, `http` and `vsphere`
- subtasks[1]: must be a mapping with the keys `name`, `description`, `needs`, `run`, `undo`, `timeout`, `retry`, `weight`, `workers`, `onLost`, `prohibitRollback`, `limits`, `secrets` and `runAs`, but is the number 7"
    );
}

#[test]
fn names() {
    let named = |name: &str| format!("name: {name}\nsubtasks: [{{name: a, run: {{noop: {{}}}}}}]");
    told(&named("7"), "1 name: must be text, but is the number 7: put it in quotes");
    told(&named("' '"), "1 name: must not be blank");
    told(&named("''"), "1 name: must not be blank");
    told(&named("[a]"), "1 name: must be text, but is a list");
    told(&named(r#""a\tb""#), r"1 name: must not contain control characters such as `\t`");
    told(&named(&"名".repeat(129)), "1 name: is too long with 129 characters: at most 128");
    super::good(&named(&"名".repeat(128)));
}

#[test]
fn subtasks() {
    told("name: d", "1 subtasks: `subtasks` is missing: add it");
    told("name: d\nsubtasks: []", "2 subtasks: there are no subtasks: write at least one");
    told("name: d\nsubtasks: a", "2 subtasks: must be a list, such as `[…]`, but is the text `a`");
    told(
        "- name: d",
        "1 : must be a mapping with the keys `name`, `description`, `parameters`, `subtasks` and `prohibitRollback`, but is a list",
    );
}

#[test]
fn unknown_keys_without_a_near_one_are_told_the_known_ones() {
    told(
        &with("limits: {disk: 5}"),
        "5 subtasks[0].limits.disk: unknown key `disk`: the keys here are `memory`, `cpu`, `processes` and `fileSize`",
    );
    told(
        &with("prohibit_rollback: true"),
        "5 subtasks[0].prohibit_rollback: unknown key `prohibit_rollback`: did you mean `prohibitRollback`?",
    );
    told(&with("'on lost': fail"), "5 subtasks[0][\"on lost\"]: unknown key `on lost`: did you mean `onLost`?");
}

#[test]
fn code() {
    told(
        &with("run: {}"),
        "4 subtasks[0].run: is empty: write one of `shell`, `python`, `noop`, `sql`, `http` and `vsphere`",
    );
    told(&with("run:"), "4 subtasks[0].run: `run` is missing: add it");
    told(&with("run: {shell: ''}"), "4 subtasks[0].run.shell: the code is empty: write some, or use `noop: {}`");
    told(&with("run: {shell: \" \\n\"}"), "4 subtasks[0].run.shell: the code is empty: write some, or use `noop: {}`");
    told(
        &with("run: {shell: true}"),
        "4 subtasks[0].run.shell: must be text, but is the boolean `true`: put it in quotes",
    );
    told(&with("run: {python: \"a\\0b\"}"), "4 subtasks[0].run.python: contains a NUL byte: remove it");
    told(&with("run: {shell: }"), "4 subtasks[0].run.shell: `shell` is missing: add it");
    told(
        &with("undo: {shell: 'a', noop: {}}"),
        "5 subtasks[0].undo: has the keys `shell` and `noop`: keep one of them, or make several subtasks",
    );
    let code = |length: usize| with(&format!("run: {{shell: {}}}", "x".repeat(length)));
    told(
        &code((1 << 20) + 1),
        "4 subtasks[0].run.shell: the code is too long with 1048577 bytes: at most 1 MiB; keep it in a file",
    );
    super::good(&code(1 << 20));
}

#[test]
fn times() {
    told(&with("timeout: 0s"), "5 subtasks[0].timeout: must be longer than zero: leave the key out for no limit");
    told(&with("timeout: 0"), "5 subtasks[0].timeout: must be longer than zero: leave the key out for no limit");
    told(&with("timeout: 367days"), "5 subtasks[0].timeout: is too long: at most 366 days");
    told(
        &with("retry: {backoff: 1e30}"),
        "5 subtasks[0].retry.backoff: must be a duration such as `30s`, `2m 30s` or `1h`, or a number of seconds, but is the number 1e+30",
    );
    super::good(&with("timeout: 366days\nretry: {backoff: 0}"));
}

#[test]
fn retries_labels_and_limits() {
    told(
        &with("retry: {attempts: 0}"),
        "5 subtasks[0].retry.attempts: must be a whole number from 1 to 100, but is the number 0",
    );
    told(
        &with("retry: {attempts: 1.5}"),
        "5 subtasks[0].retry.attempts: must be a whole number from 1 to 100, but is the number 1.5",
    );
    told(
        &with("weight: .inf"),
        "5 subtasks[0].weight: must be a number above 0, up to 1000000, but is the text `.inf`",
    );
    told(
        &with("workers: ['a,b', linux, linux]"),
        "5 subtasks[0].workers[0]: `a,b` is no label: 1 to 64 characters without commas and blanks, such as `linux`\n5 subtasks[0].workers[2]: the label `linux` is here twice: name it once",
    );
    told(&with("onLost: ignore"), "5 subtasks[0].onLost: must be `retry` or `fail`, but is the text `ignore`");
    told(
        &with("runAs: a b"),
        "5 subtasks[0].runAs: `a b` is no user's name: 1 to 32 letters, digits, `_`, `-` and `.`",
    );
    told(
        "name: x\nsubtasks:\n- name: a\n  run: {noop: {}}\n  runAs: backup",
        "5 subtasks[0].runAs: is for `shell` and `python`: nothing else has processes",
    );
    told(
        &with("limits: {memory: 10, cpu: 0, processes: 0}"),
        "\
5 subtasks[0].limits.memory: must be a size of at least 1MiB, such as `256MiB` or `2GiB`, or a number of bytes, but is the number 10
5 subtasks[0].limits.cpu: must be a number above 0, up to 4096, but is the number 0
5 subtasks[0].limits.processes: must be a whole number from 1 to 1000000, but is the number 0",
    );
    told(
        &with("limits: {memory: 99999999999TiB}"),
        "5 subtasks[0].limits.memory: must be a size of at least 1MiB, such as `256MiB` or `2GiB`, or a number of bytes, but is the text `99999999999TiB`",
    );
}

#[test]
fn circles_show_their_way() {
    let graph = |edges: &[(&str, &str)]| {
        let subtasks: Vec<_> = edges
            .iter()
            .map(|(name, needs)| format!("  - {{name: {name}, needs: [{needs}], run: {{noop: {{}}}}}}\n"))
            .collect();
        format!("name: d\nsubtasks:\n{}", subtasks.concat())
    };
    told(
        &graph(&[("a", "b"), ("b", "a")]),
        "3 subtasks[0].needs[0]: the needs go round in a circle: a -> b -> a; remove one of them",
    );
    // d comes after the circle and is no part of it; e and f are a circle of their own.
    told(
        &graph(&[("a", ""), ("b", "a, x"), ("c", "b"), ("x", "c"), ("d", "x"), ("e", "f"), ("f", "d, e")]),
        "\
4 subtasks[1].needs[1]: the needs go round in a circle: b -> c -> x -> b; remove one of them
8 subtasks[5].needs[0]: the needs go round in a circle: e -> f -> e; remove one of them",
    );
    told(&graph(&[("a", "a")]), "3 subtasks[0].needs[0]: a subtask cannot need itself: remove this need");
}

#[test]
fn keys_twice() {
    told(
        "name: d\nname: e\nsubtasks:\n  - name: a\n    run: {shell: 'true', shell: 'false'}\nparameters:\n  type: object\n  type: object\n",
        "\
2 name: the key `name` is here twice, first on line 1: keep one
5 subtasks[0].run.shell: the key `shell` is here twice, first on line 5: keep one
8 parameters.type: the key `type` is here twice, first on line 7: keep one",
    );
}

#[test]
fn documents() {
    told("", "- : the document is empty: write a mapping with `name` and `subtasks`");
    told("# nothing\n", "- : the document is empty: write a mapping with `name` and `subtasks`");
    told("name: d\n---\nname: e\n", "2 : a second document begins here: send one document at a time");
    told("name: !secret d\n", "1 : tags are not read here: remove `!secret`, and put text in quotes");
    told(
        "<<: {name: d}\n",
        "1 : merge keys (`<<`) are not read here: write the keys out, or repeat a whole value by an alias",
    );
    told("name: *d\n", "1 : not valid YAML or JSON: while parsing node, found unknown anchor");
    told("name: d\n? [a]\n: b\n", "2 : a key must be text, not a list or mapping");
    told("&a [*a]\n", "1 : an alias stands inside the value that it repeats: that would never end");
    assert!(
        bad("name: [d\nsubtasks: {").starts_with("2 : not valid YAML or JSON: "),
        "{}",
        bad("name: [d\nsubtasks: {")
    );
    told("name: d\ndescription: a\0b\n", "2 : contains a NUL byte: remove it");
}
