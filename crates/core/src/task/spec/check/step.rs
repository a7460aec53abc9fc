//! One subtask of a definition.

use std::collections::HashSet;

use super::super::subtask::{Limits, Retry, Run, Subtask};
use super::super::{SECRET_NAME, is_secret_name};
use super::run;
use crate::OnLost;
use crate::document::place::{Faults, Fields, Place};
use crate::document::tree::Content;
use crate::document::{value, word};

pub(super) const KEYS: [&str; 14] = [
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
    "secrets",
    "runAs",
];

/// Reads a subtask; nothing when something without which there is none was missing or wrong.
pub(super) fn read(place: Place<'_>, faults: &mut Faults) -> Option<Subtask> {
    let fields = Fields::open(place, &KEYS, faults)?;
    let name = fields.get("name", faults).and_then(|place| value::name(&place, faults)).map(str::to_owned);
    let description = fields.find("description").and_then(|place| value::description(&place, faults));
    let needs = fields.find("needs").map(|place| needs(&place, faults)).unwrap_or_default();
    let secrets = fields.find("secrets").map(|place| secrets(&place, faults)).unwrap_or_default();
    let code = fields.get("run", faults).and_then(|place| run::read(&place, &secrets, faults));
    let undo = fields.find("undo").and_then(|place| run::read(&place, &secrets, faults));
    let timeout = fields.find("timeout").and_then(|place| value::time_limit(&place, faults));
    let retry = fields.find("retry").map(|place| retry(place, faults)).unwrap_or_default();
    let weight = fields.find("weight").and_then(|place| value::positive(&place, 1_000_000, faults));
    let workers = fields.find("workers").map(|place| workers(&place, faults)).unwrap_or_default();
    let on_lost = fields.find("onLost").and_then(|place| on_lost(&place, faults));
    let prohibited = fields.find("prohibitRollback").and_then(|place| value::flag(&place, faults));
    let limits = fields.find("limits").map(|place| limits(place, faults)).unwrap_or_default();
    let run_as = fields.find("runAs").and_then(|place| run_as(&place, faults));
    let mut runs = code.iter().chain(&undo);
    if let (Some(place), Some(_)) = (fields.find("runAs"), &run_as)
        && code.is_some()
        && !runs.any(Run::has_processes)
    {
        faults.add(&place, "is for `shell` and `python`: nothing else has processes");
    }
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
        secrets,
        run_as,
    })
}

/// The needs' texts; what they point at is checked with all subtasks in view.
fn needs(place: &Place<'_>, faults: &mut Faults) -> Vec<String> {
    let places: Vec<_> = value::list(place, faults).collect();
    places.iter().filter_map(|place| value::text(place, faults)).map(str::to_owned).collect()
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

fn secrets(place: &Place<'_>, faults: &mut Faults) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for place in value::list(place, faults).collect::<Vec<_>>() {
        let Some(name) = value::text(&place, faults) else { continue };
        if !is_secret_name(name) {
            faults.add(&place, format!("{} is no name of a secret: {SECRET_NAME}", word::quote(name)));
        } else if names.iter().any(|other| other == name) {
            faults.add(&place, format!("the secret {} is here twice: name it once", word::quote(name)));
        } else {
            names.push(name.to_owned());
        }
    }
    if names.len() > 32 {
        faults.add(place, format!("there are {} secrets: at most 32", names.len()));
    }
    names
}

/// As `useradd` accepts it; a worker knows whether there is one.
fn run_as(place: &Place<'_>, faults: &mut Faults) -> Option<String> {
    let name = value::text(place, faults)?;
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 32 || name.starts_with('-') || !name.chars().all(is_letter) {
        let name = word::quote(name);
        faults.add(place, format!("{name} is no user's name: 1 to 32 letters, digits, `_`, `-` and `.`"));
        return None;
    }
    Some(name.to_owned())
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
    let keys = ["memory", "cpu", "processes", "fileSize"];
    let Some(fields) = Fields::open(place, &keys, faults) else { return Limits::default() };
    Limits {
        memory: fields.find("memory").and_then(|place| value::size(&place, faults)),
        cpu: fields.find("cpu").and_then(|place| value::positive(&place, 4096, faults)),
        processes: fields.find("processes").and_then(|place| value::count(&place, 1..=1_000_000, faults)),
        file_size: fields.find("fileSize").and_then(|place| value::size(&place, faults)),
    }
}
