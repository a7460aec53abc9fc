//! One subtask of a definition.

use std::collections::HashSet;

use taskloom_entity::OnLost;

use super::super::place::{Faults, Fields, Place};
use super::super::subtask::{Limits, Retry, Run, Subtask};
use super::super::tree::Content;
use super::super::{value, word};

pub(super) const KEYS: [&str; 12] = [
    "name",
    "description",
    "needs",
    "run",
    "undo",
    "timeout",
    "retry",
    "weight",
    "workers",
    "onLost",
    "prohibitRollback",
    "limits",
];

const KINDS: [&str; 3] = ["shell", "python", "noop"];

/// The longest script, in bytes.
const CODE: usize = 1 << 20;

/// Reads a subtask; nothing when something without which there is none was missing or wrong.
pub(super) fn read(place: Place<'_>, faults: &mut Faults) -> Option<Subtask> {
    let fields = Fields::open(place, &KEYS, faults)?;
    let name = fields.get("name", faults).and_then(|place| value::name(&place, faults)).map(str::to_owned);
    let description = fields.find("description").and_then(|place| value::description(&place, faults));
    let needs = fields.find("needs").map(|place| needs(&place, faults)).unwrap_or_default();
    let code = fields.get("run", faults).and_then(|place| run(&place, faults));
    let undo = fields.find("undo").and_then(|place| run(&place, faults));
    let timeout = fields.find("timeout").and_then(|place| value::time_limit(&place, faults));
    let retry = fields.find("retry").map(|place| retry(place, faults)).unwrap_or_default();
    let weight = fields.find("weight").and_then(|place| value::positive(&place, 1_000_000, faults));
    let workers = fields.find("workers").map(|place| workers(&place, faults)).unwrap_or_default();
    let on_lost = fields.find("onLost").and_then(|place| on_lost(&place, faults));
    let prohibited = fields.find("prohibitRollback").and_then(|place| value::flag(&place, faults));
    let limits = fields.find("limits").map(|place| limits(place, faults)).unwrap_or_default();
    let name = name?;
    Some(Subtask {
        description: description.unwrap_or_else(|| name.clone()),
        name,
        needs,
        run: code?,
        undo,
        timeout,
        retry,
        weight: weight.unwrap_or(1.0),
        workers,
        on_lost: on_lost.unwrap_or(OnLost::Retry),
        prohibit_rollback: prohibited.unwrap_or_default(),
        limits,
    })
}

/// The needs' texts; what they point at is checked with all subtasks in view.
fn needs(place: &Place<'_>, faults: &mut Faults) -> Vec<String> {
    let places: Vec<_> = value::list(place, faults).collect();
    places.iter().filter_map(|place| value::text(place, faults)).map(str::to_owned).collect()
}

/// Exactly one of `shell`, `python`, `noop`.
fn run(place: &Place<'_>, faults: &mut Faults) -> Option<Run> {
    if matches!(place.node.content, Content::Text(_)) {
        faults.add(place, "must say what runs it: write `{shell: '…'}` or `{python: '…'}`");
        return None;
    }
    let fields = Fields::open(place.clone(), &KINDS, faults)?;
    let kinds: Vec<_> = KINDS.into_iter().filter(|kind| place.node.find(kind).is_some()).collect();
    match kinds[..] {
        ["shell"] => code(&fields, "shell", faults).map(Run::Shell),
        ["python"] => code(&fields, "python", faults).map(Run::Python),
        ["noop"] => noop(&fields, faults),
        [] => {
            // A key that was mistyped has already been told of.
            if place.entries().is_empty() {
                faults.add(place, "is empty: write one of `shell`, `python` and `noop`");
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

fn retry(place: Place<'_>, faults: &mut Faults) -> Retry {
    let standard = Retry::default();
    let Some(fields) = Fields::open(place, &["attempts", "backoff"], faults) else { return standard };
    let attempts = fields.find("attempts").and_then(|place| value::count(&place, 1..=100, faults));
    let backoff = fields.find("backoff").and_then(|place| value::duration(&place, faults));
    Retry { attempts: attempts.unwrap_or(standard.attempts), backoff: backoff.unwrap_or(standard.backoff) }
}

fn workers(place: &Place<'_>, faults: &mut Faults) -> Vec<String> {
    let mut labels = vec![];
    let mut seen = HashSet::new();
    for place in value::list(place, faults).collect::<Vec<_>>() {
        let Some(label) = value::label(&place, faults) else { continue };
        if seen.insert(label.clone()) {
            labels.push(label);
        } else {
            faults.add(&place, format!("the label {} is here twice: name it once", word::quote(&label)));
        }
    }
    if labels.len() > 32 {
        faults.add(place, format!("there are {} labels: at most 32", labels.len()));
    }
    labels
}

/// In lower case as in documents, or in upper case as GraphQL writes it.
fn on_lost(place: &Place<'_>, faults: &mut Faults) -> Option<OnLost> {
    let found = match &place.node.content {
        Content::Text(word) => OnLost::all().find(|one| *word == one.name() || *word == one.name().to_lowercase()),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::List(_) | Content::Map(_) => None,
    };
    if found.is_none() {
        faults.add(place, format!("must be `retry` or `fail`, but is {}", place.describe()));
    }
    found
}

fn limits(place: Place<'_>, faults: &mut Faults) -> Limits {
    let Some(fields) = Fields::open(place, &["memory", "cpu", "processes"], faults) else { return Limits::default() };
    Limits {
        memory: fields.find("memory").and_then(|place| value::size(&place, faults)),
        cpu: fields.find("cpu").and_then(|place| value::positive(&place, 4096, faults)),
        processes: fields.find("processes").and_then(|place| value::count(&place, 1..=1_000_000, faults)),
    }
}
