//! What a subtask runs: exactly one kind, with what belongs to it.

use std::collections::HashSet;

use super::super::subtask::{Http, Run, Sql};
use super::super::template::{self, Piece};
use super::vsphere;
use crate::document::place::{Faults, Fields, Place};
use crate::document::tree::Content;
use crate::document::{value, word};

const KINDS: [&str; 6] = ["shell", "python", "noop", "sql", "http", "vsphere"];
/// The kinds, and what stands beside one of them.
const KEYS: [&str; 7] = ["shell", "python", "noop", "sql", "source", "http", "vsphere"];
const HTTP: [&str; 6] = ["method", "url", "headers", "body", "expect", "retries"];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The longest script, in bytes.
const CODE: usize = 1 << 20;
/// The longest address and the longest header, in bytes.
pub(super) const LINE: usize = 8 << 10;

/// Reads `run` or `undo` of a subtask that is given these secrets.
pub(super) fn read(place: &Place<'_>, secrets: &[String], faults: &mut Faults) -> Option<Run> {
    if matches!(place.node.content, Content::Text(_)) {
        faults.add(place, "must say what runs it: write `{shell: '…'}` or `{python: '…'}`");
        return None;
    }
    let fields = Fields::open(place.clone(), &KEYS, faults)?;
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| place.node.find(kind).is_some()).collect();
    if kinds[..] != ["sql"]
        && let Some(source) = fields.find("source")
    {
        faults.add(&source, "belongs to `sql`: write `{sql: '…', source: name}`");
    }
    match kinds[..] {
        ["shell"] => code(&fields, "shell", faults).map(Run::Shell),
        ["python"] => code(&fields, "python", faults).map(Run::Python),
        ["noop"] => noop(&fields, faults),
        ["sql"] => {
            let sql = code(&fields, "sql", faults);
            let source = fields.get("source", faults).and_then(|place| value::name(&place, faults).map(str::to_owned));
            Some(Run::Sql(Sql { sql: sql?, source: source? }))
        }
        ["vsphere"] => vsphere::read(&fields.get("vsphere", faults)?, secrets, faults).map(Run::Vsphere),
        ["http"] => http(fields.get("http", faults)?, secrets, faults).map(Run::Http),
        [] => {
            // A key that was mistyped has already been told of.
            if place.entries().is_empty() {
                faults.add(place, format!("is empty: write one of {}", word::list(&KINDS)));
            }
            None
        }
        _ => {
            let kinds = word::list(&kinds);
            faults.add(place, format!("has the keys {kinds}: keep one of them, or make several subtasks"));
            None
        }
    }
}

fn code(fields: &Fields<'_>, kind: &str, faults: &mut Faults) -> Option<String> {
    let place = fields.get(kind, faults)?;
    let code = value::text(&place, faults)?;
    if code.trim().is_empty() {
        faults.add(&place, "the code is empty: write some, or use `noop: {}`");
        return None;
    }
    if code.len() > CODE {
        let length = code.len();
        faults.add(&place, format!("the code is too long with {length} bytes: at most 1 MiB; keep it in a file"));
        return None;
    }
    Some(code.to_owned())
}

fn noop(fields: &Fields<'_>, faults: &mut Faults) -> Option<Run> {
    // `noop:` with nothing behind it is `noop: {}`.
    let Some(place) = fields.find("noop") else { return Some(Run::Noop { sleep: None }) };
    let fields = Fields::open(place, &["sleep"], faults)?;
    let sleep = fields.find("sleep").and_then(|place| value::duration(&place, faults));
    Some(Run::Noop { sleep })
}

fn http(place: Place<'_>, secrets: &[String], faults: &mut Faults) -> Option<Http> {
    let fields = Fields::open(place, &HTTP, faults)?;
    let method = fields.find("method").map_or(Some("GET".to_owned()), |place| method(&place, faults));
    let url = fields.get("url", faults).and_then(|place| url(&place, secrets, faults));
    let headers = fields.find("headers").map(|place| headers(&place, secrets, faults)).unwrap_or_default();
    let body = fields.find("body");
    if let Some(body) = &body {
        templates(body, secrets, faults);
    }
    let body = body.map(|place| place.node.json());
    let expect = fields.find("expect").map(|place| expect(&place, faults)).unwrap_or_default();
    let retries = fields.find("retries").and_then(|place| value::count(&place, 0..=10, faults)).unwrap_or_default();
    Some(Http { method: method?, url: url?, headers, body, expect, retries })
}

fn method(place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let method = value::text(place, faults)?.to_uppercase();
    if METHODS.contains(&method.as_str()) {
        return Some(method);
    }
    faults.add(place, format!("must be one of {}, but is {}", word::list(&METHODS), place.describe()));
    None
}

fn url(place: &Place<'_>, secrets: &[String], faults: &mut Faults) -> Option<String> {
    let url = line(place, faults)?;
    if !(url.starts_with("http://") || url.starts_with("https://")) || url.contains(char::is_whitespace) {
        faults.add(place, "must be an address that begins with `http://` or `https://`, without blanks");
        return None;
    }
    template_of(place, &url, secrets, faults);
    Some(url)
}

fn headers(place: &Place<'_>, secrets: &[String], faults: &mut Faults) -> Vec<(String, String)> {
    if !matches!(place.node.content, Content::Map(_)) {
        faults.add(place, format!("must be a mapping such as `{{Accept: text/plain}}`, but is {}", place.describe()));
    }
    let mut found = vec![];
    let mut seen = HashSet::new();
    for entry in place.entries() {
        let here = place.entry(entry);
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if entry.key.is_empty() || entry.key.len() > 256 || !entry.key.bytes().all(is_letter) {
            faults.add(&here, format!("{} is no name of a header", word::quote(&entry.key)));
            continue;
        }
        if matches!(entry.key.to_lowercase().as_str(), "host" | "content-length" | "transfer-encoding" | "connection") {
            faults.add(&here, format!("the header {} is set by itself: remove it", word::quote(&entry.key)));
            continue;
        }
        if !seen.insert(entry.key.to_lowercase()) {
            faults.add(&here, format!("the header {} is here twice: keep one", word::quote(&entry.key)));
        }
        if let Some(text) = line(&here, faults) {
            template_of(&here, &text, secrets, faults);
            found.push((entry.key.clone(), text));
        }
    }
    if found.len() > 64 {
        faults.add(place, format!("there are {} headers: at most 64", found.len()));
    }
    found
}

/// A text of one line.
fn line(place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let text = value::text(place, faults)?;
    if text.len() > LINE || text.contains(|c: char| c.is_control()) {
        faults.add(place, "must be one line of at most 8 KiB");
        return None;
    }
    Some(text.to_owned())
}

fn expect(place: &Place<'_>, faults: &mut Faults) -> Vec<u16> {
    let places: Vec<_> = value::list(place, faults).collect();
    let status = |place: &Place<'_>| value::count(place, 100..=599, &mut *faults);
    let found = places.iter().filter_map(status);
    found.filter_map(|status| u16::try_from(status).ok()).collect()
}

/// Every text at and below `place` may be a template.
fn templates(place: &Place<'_>, secrets: &[String], faults: &mut Faults) {
    if let Content::Text(text) = &place.node.content {
        template_of(place, text, secrets, faults);
    }
    for item in place.items() {
        templates(&item, secrets, faults);
    }
    for entry in place.entries() {
        templates(&place.entry(entry), secrets, faults);
    }
}

pub(super) fn template_of(place: &Place<'_>, text: &str, secrets: &[String], faults: &mut Faults) {
    match template::pieces(text) {
        Err(wrong) => faults.add(place, wrong),
        Ok(pieces) => {
            for piece in pieces {
                if let Piece::Secret(name) = piece
                    && !secrets.iter().any(|secret| secret == name)
                {
                    let name = word::quote(name);
                    faults.add(place, format!("needs the secret {name}: name it in `secrets` of the subtask"));
                }
            }
        }
    }
}
