//! Steps that ask databases and servers, and the secrets that steps name.

use super::{bad, good, with};

fn told(lines: &str, wanted: &str) {
    assert_eq!(bad(&with(lines)), wanted, "\n{lines}");
}

#[test]
fn statements_name_their_source() {
    let definition = good(&with("run: {sql: select 1, source: reports}"));
    let json = serde_json::to_string(&definition.subtasks[0].run).unwrap();
    assert_eq!(json, r#"{"sql":"select 1","source":"reports"}"#);
    told("run: {sql: select 1}", "4 subtasks[0].run.source: `source` is missing: add it");
    told("run: {sql: ' ', source: a}", "4 subtasks[0].run.sql: the code is empty: write some, or use `noop: {}`");
    told(
        "run: {shell: 'true', source: a}",
        "4 subtasks[0].run.source: belongs to `sql`: write `{sql: '…', source: name}`",
    );
    told(
        "run: {shell: 'true', sql: select 1, source: a}",
        "4 subtasks[0].run.source: belongs to `sql`: write `{sql: '…', source: name}`\n\
         4 subtasks[0].run: has the keys `shell` and `sql`: keep one of them, or make several subtasks",
    );
}

#[test]
fn requests_are_checked_before_they_are_sent() {
    good(&with("run: {http: {url: 'https://example.org/${param.a}'}}"));
    told("run: {http: {}}", "4 subtasks[0].run.http.url: `url` is missing: add it");
    let address = "must be an address that begins with `http://` or `https://`, without blanks";
    for url in ["ftp://example.org", "example.org", "'https://a b'"] {
        told(&format!("run: {{http: {{url: {url}}}}}"), &format!("4 subtasks[0].run.http.url: {address}"));
    }
    told(
        "run: {http: {url: 'http://a', method: FETCH}}",
        "4 subtasks[0].run.http.method: must be one of `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` and `OPTIONS`, \
         but is the text `FETCH`",
    );
    told(
        "run: {http: {url: 'http://a', headers: {'a b': x, Host: x, A: x, a: x}}}",
        "4 subtasks[0].run.http.headers[\"a b\"]: `a b` is no name of a header\n\
         4 subtasks[0].run.http.headers.Host: the header `Host` is set by itself: remove it\n\
         4 subtasks[0].run.http.headers.a: the header `a` is here twice: keep one",
    );
    told(
        "run: {http: {url: 'http://a', headers: {A: \"x\\ny\"}}}",
        "4 subtasks[0].run.http.headers.A: must be one line of at most 8 KiB",
    );
    told(
        "run: {http: {url: 'http://a', expect: [99], retries: 11}}",
        "4 subtasks[0].run.http.expect[0]: must be a whole number from 100 to 599, but is the number 99\n\
         4 subtasks[0].run.http.retries: must be a whole number from 0 to 10, but is the number 11",
    );
}

#[test]
fn a_template_names_what_the_step_is_given() {
    let body = "run: {http: {url: 'http://a', body: {x: ['${secret.token}']}}}";
    told(body, "4 subtasks[0].run.http.body.x[0]: needs the secret `token`: name it in `secrets` of the subtask");
    good(&with(&format!("{body}\nsecrets: [token]")));
    told(
        "run: {http: {url: 'http://a/${env.HOME}'}}",
        "4 subtasks[0].run.http.url: `${env.HOME}` is unknown: write `${param.name}`, `${secret.name}`, or `$${` for the text",
    );
    told(
        "secrets: [a, a, KEY, 1a]",
        "5 subtasks[0].secrets[1]: the secret `a` is here twice: name it once\n\
         5 subtasks[0].secrets[2]: `KEY` is no name of a secret: a name of a secret is a letter or `_`, then letters, digits \
         and `_`, at most 64 in all, but not `KEY`\n\
         5 subtasks[0].secrets[3]: `1a` is no name of a secret: a name of a secret is a letter or `_`, then letters, digits \
         and `_`, at most 64 in all, but not `KEY`",
    );
}

fn vsphere(inner: &str) -> String {
    format!("run: {{vsphere: {inner}}}")
}

#[test]
fn work_for_a_vcenter_is_one_operation() {
    let definition = good(&with(&vsphere("{vcenter: lab, snapshot: {vm: '${param.vm}', name: a, memory: true}}")));
    let json = serde_json::to_string(&definition.subtasks[0].run).unwrap();
    assert_eq!(json, r#"{"vsphere":{"vcenter":"lab","snapshot":{"vm":"${param.vm}","name":"a","memory":true}}}"#);
    for (inner, wanted) in [
        ("{powerOn: {vm: a}}", "4 subtasks[0].run.vsphere.vcenter: `vcenter` is missing: add it"),
        (
            "{vcenter: lab, poweron: {vm: a}}",
            "4 subtasks[0].run.vsphere.poweron: unknown key `poweron`: did you mean `powerOn`?",
        ),
        (
            "{vcenter: lab}",
            "4 subtasks[0].run.vsphere: does not say what to do: write one of `powerOn`, `powerOff`, `reset`, `suspend`, \
             `snapshot`, `revert`, `removeSnapshot`, `reconfigure`, `clone` and `destroy`",
        ),
        (
            "{vcenter: lab, reset: {vm: a}, revert: {vm: a}}",
            "4 subtasks[0].run.vsphere: has the keys `reset` and `revert`: keep one of them, or make several subtasks",
        ),
        ("{vcenter: lab, powerOn: }", "4 subtasks[0].run.vsphere.powerOn: `powerOn` is missing: add it"),
        (
            "{vcenter: lab, powerOn: web-01}",
            "4 subtasks[0].run.vsphere.powerOn: must be a mapping with the keys `vm`, but is the text `web-01`",
        ),
    ] {
        told(&vsphere(inner), wanted);
    }
}

#[test]
fn what_belongs_to_an_operation_is_checked() {
    let at = "4 subtasks[0].run.vsphere";
    for (inner, wanted) in [
        (
            "snapshot: {vm: ' '}",
            format!("{at}.snapshot.vm: must not be blank\n{at}.snapshot.name: `name` is missing: add it"),
        ),
        (
            "snapshot: {vm: a, name: b, quiese: true}",
            format!("{at}.snapshot.quiese: unknown key `quiese`: did you mean `quiesce`?"),
        ),
        (
            "reconfigure: {vm: a}",
            format!(
                "{at}.reconfigure.vm: nothing of it is to change: give one of `cpus`, `memoryMb`, `name` and `annotation`"
            ),
        ),
        (
            "reconfigure: {vm: a, cpus: 0, memoryMb: 1023}",
            format!(
                "{at}.reconfigure.cpus: must be a whole number from 1 to 4096, but is the number 0\n\
                 {at}.reconfigure.memoryMb: must be a multiple of 4, but is 1023"
            ),
        ),
        (
            "clone: {vm: a, name: b, powerOn: true, template: true}",
            format!("{at}.clone.powerOn: a template cannot be powered on: keep one of `powerOn` and `template`"),
        ),
        (
            "destroy: {vm: '${secret.x}'}",
            format!("{at}.destroy.vm: needs the secret `x`: name it in `secrets` of the subtask"),
        ),
        (
            "revert: {vm: \"a\\nb\"}",
            format!("{at}.revert.vm: must be one line of at most 8 KiB, without control characters"),
        ),
    ] {
        told(&vsphere(&format!("{{vcenter: lab, {inner}}}")), &wanted);
    }
    good(&with(&vsphere("{vcenter: lab, reconfigure: {vm: a, annotation: \"two\\nlines\"}}")));
}
