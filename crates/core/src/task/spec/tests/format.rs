//! What the format can say, and that it survives being stored.

use std::time::Duration;

use serde_json::json;

use super::super::{Definition, Limits, Retry, Run, Subtask, read, restore};
use super::{good, with};
use crate::{ExecutorKind, OnLost};

const FULL: &str = r#"
name: prepare-host
description: Prepares a host.
prohibitRollback: true
parameters: {type: object, required: [host], properties: {host: {type: string}}}
subtasks:
  - name: install
    needs: [check]
    run: {python: "print('::progress 0.5')"}
    undo: {shell: "rm -rf /opt/agent"}
    timeout: 2m 30s
    retry: {attempts: 3, backoff: 0.25}
    weight: 2.5
    workers: [linux, x86]
    onLost: fail
    prohibitRollback: true
    runAs: backup
    limits: {memory: 256MiB, cpu: 1.5, processes: 64, fileSize: 2GiB}
  - name: check
    description: Looks at it.
    run:
      shell: |
        ping -c 1 "$TASKLOOM_PARAM_host"
  - name: gate
    run: {noop: {sleep: 200ms}}
"#;

#[test]
fn every_key_is_read() {
    let definition = good(FULL);
    assert_eq!(definition.name, "prepare-host");
    assert_eq!(definition.description, "Prepares a host.");
    assert!(definition.prohibit_rollback);
    assert_eq!(definition.parameters.as_ref().expect("a schema")["required"], json!(["host"]));
    let names: Vec<_> = definition.subtasks.iter().map(|subtask| subtask.name.as_str()).collect();
    assert_eq!(names, ["check", "install", "gate"]);
    assert_eq!(definition.order(), [0, 1, 2]);
    assert_eq!(definition.upstreams(1), [0]);
    assert_eq!(
        definition.subtasks[1],
        Subtask {
            name: "install".to_owned(),
            description: "install".to_owned(),
            needs: vec!["check".to_owned()],
            run: Run::Python("print('::progress 0.5')".to_owned()),
            undo: Some(Run::Shell("rm -rf /opt/agent".to_owned())),
            timeout: Some(Duration::from_secs(150)),
            retry: Retry { attempts: 3, backoff: Duration::from_millis(250) },
            weight: 2.5,
            workers: vec!["linux".to_owned(), "x86".to_owned()],
            on_lost: OnLost::Fail,
            prohibit_rollback: true,
            limits: Limits { memory: Some(256 << 20), cpu: Some(1.5), processes: Some(64), file_size: Some(2 << 30) },
            secrets: vec![],
            run_as: Some("backup".to_owned()),
        }
    );
    assert_eq!(definition.subtasks[0].run, Run::Shell("ping -c 1 \"$TASKLOOM_PARAM_host\"\n".to_owned()));
    assert_eq!(definition.subtasks[0].description, "Looks at it.");
    assert_eq!(definition.subtasks[2].run, Run::Noop { sleep: Some(Duration::from_millis(200)) });
}

#[test]
fn what_is_left_out_has_its_default() {
    let definition = good("{name: 部署, subtasks: [{name: 检查, run: {noop: {}}}]}");
    assert_eq!(definition.name, "部署");
    assert_eq!(definition.description, "");
    assert_eq!(definition.parameters, None);
    assert!(!definition.prohibit_rollback);
    assert_eq!(
        definition.subtasks,
        [Subtask {
            name: "检查".to_owned(),
            description: "检查".to_owned(),
            needs: vec![],
            run: Run::Noop { sleep: None },
            undo: None,
            timeout: None,
            retry: Retry { attempts: 1, backoff: Duration::from_secs(1) },
            weight: 1.0,
            workers: vec![],
            on_lost: OnLost::Retry,
            prohibit_rollback: false,
            limits: Limits::default(),
            secrets: vec![],
            run_as: None,
        }]
    );
}

#[test]
fn empty_keys_are_like_absent_ones() {
    let empty = with("description:\nneeds: ~\nundo: null\ntimeout:\nretry:\nweight:\nworkers:\nonLost:\nlimits:");
    assert_eq!(good(&empty), good(&with("")));
    assert_eq!(good(&with("run: {noop: }")), good(&with("run: {noop: {sleep: }}")));
}

#[test]
fn yaml_json_and_values_mean_the_same() {
    let definition = good(FULL);
    let json = serde_json::to_string_pretty(&definition).unwrap();
    assert_eq!(good(&json), definition);
    assert_eq!(read(serde_json::from_str(&json).unwrap()), Ok(definition));
}

#[test]
fn json_escapes_are_read() {
    let definition = good(r#"{"name":"a\/bé\ud83d\ude80","subtasks":[{"name":"a","run":{"shell":"a\tb\n\"c\""}}]}"#);
    assert_eq!(definition.name, "a/bé🚀");
    assert_eq!(definition.subtasks[0].run, Run::Shell("a\tb\n\"c\"".to_owned()));
}

#[test]
fn json_may_hold_what_yaml_does_not() {
    let code = "a\u{7f}\u{85}\u{9c}\u{2028}\u{feff}\u{ffff}";
    let text =
        format!("{{\n\t\"name\":\"d\",\n\t\"subtasks\":\t[{{\"name\":\"a\",\"run\":{{\"shell\":\"{code}\"}}}}]\n}}");
    assert_eq!(good(&text).subtasks[0].run, Run::Shell(code.to_owned()));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_read() {
    let text = format!("\u{feff}{}", with("timeout: 5s").replace('\n', "\r\n"));
    assert_eq!(good(&text), good(&with("timeout: 5s")));
}

#[test]
fn stored_definitions_come_back() {
    let definition = good(FULL);
    let stored = serde_json::to_string(&definition).unwrap();
    assert_eq!(restore(&stored).unwrap(), definition);
    assert_eq!(serde_json::from_str::<Definition>(&stored).unwrap().upstreams(1), [0]);
    for subtask in &definition.subtasks {
        let alone = serde_json::to_string(subtask).unwrap();
        assert_eq!(&serde_json::from_str::<Subtask>(&alone).unwrap(), subtask);
    }
}

#[test]
fn the_stored_form_is_short_and_readable() {
    let definition = good(&with("timeout: 90\nonLost: FAIL"));
    let stored = serde_json::to_string(&definition).unwrap();
    assert_eq!(
        stored,
        r#"{"name":"d","subtasks":[{"name":"a","description":"a","run":{"noop":{}},"timeout":"1m 30s","onLost":"fail"}]}"#
    );
}

#[test]
fn a_damaged_store_is_an_error() {
    let backwards = r#"{"name":"d","subtasks":[{"name":"a","description":"a","needs":["b"],"run":{"noop":{}}},
        {"name":"b","description":"b","run":{"noop":{}}}]}"#;
    let error = restore(backwards).unwrap_err().to_string();
    assert!(error.contains("subtask `a` needs `b`"), "{error}");
}

#[test]
fn durations_are_text_or_seconds() {
    for (written, millis) in [("30s", 30_000), ("2m 30s", 150_000), ("45", 45_000), ("1.5", 1_500), ("'1h'", 3_600_000)]
    {
        let definition = good(&with(&format!("timeout: {written}")));
        assert_eq!(definition.subtasks[0].timeout, Some(Duration::from_millis(millis)), "{written}");
    }
}

#[test]
fn sizes_are_text_or_bytes() {
    for (written, bytes) in [("256MiB", 256 << 20), ("2 GiB", 2 << 30), ("5MB", 5_000_000), ("1048576", 1 << 20)] {
        let definition = good(&with(&format!("limits: {{memory: {written}}}")));
        assert_eq!(definition.subtasks[0].limits.memory, Some(bytes), "{written}");
    }
}

#[test]
fn aliases_repeat_values() {
    let text = "name: d\nsubtasks:\n  - {name: a, run: &run {shell: 'true'}, retry: &r {attempts: 2}}\n  - {name: b, run: *run, retry: *r}";
    let definition = good(text);
    assert_eq!(definition.subtasks[0].run, definition.subtasks[1].run);
    assert_eq!(definition.subtasks[1].retry.attempts, 2);
}

#[test]
fn schemas_keep_their_values() {
    let text = "name: d\nparameters:\n  type: object\n  properties:\n    a: {default: yes, enum: [yes, 0x10, 1e3, -7, .5, 18446744073709551615, ~, true, 2024-01-01, '1']}\nsubtasks: [{name: a, run: {noop: {}}}]";
    let schema = good(text).parameters.unwrap();
    let wanted = json!(["yes", 16, 1e3, -7, 0.5, u64::MAX, null, true, "2024-01-01", "1"]);
    assert_eq!(schema["properties"]["a"]["enum"], wanted);
}

#[test]
fn each_kind_of_code_has_its_executor() {
    assert_eq!(Run::Shell(String::new()).kind(), ExecutorKind::Shell);
    assert_eq!(Run::Python(String::new()).kind(), ExecutorKind::Python);
    assert_eq!(Run::Noop { sleep: None }.kind(), ExecutorKind::Noop);
}
