//! Names and needs: each name once, each need a known name, no way round in a circle.

use std::collections::{HashMap, HashSet};

use super::super::graph;
use crate::document::place::{Faults, Place};
use crate::document::tree::Content;
use crate::document::word;

/// A need that points at a subtask: where it stands, and which one.
struct Edge<'t> {
    place: Place<'t>,
    upstream: usize,
}

/// Checks the names and needs of all subtasks. The topological order, unless there are faults among them.
pub(super) fn check(subtasks: &[Place<'_>], faults: &mut Faults) -> Option<Vec<usize>> {
    let names = index(subtasks, faults);
    let edges: Vec<Vec<Edge<'_>>> =
        subtasks.iter().enumerate().map(|(own, place)| resolve(place, own, &names, faults)).collect();
    let needs: Vec<Vec<usize>> = edges.iter().map(|edges| edges.iter().map(|edge| edge.upstream).collect()).collect();
    let order = graph::order(&needs);
    if order.len() == subtasks.len() {
        return Some(order);
    }
    for cycle in graph::cycles(&needs) {
        report(&cycle, subtasks, &edges, faults);
    }
    None
}

/// The first subtask of each name.
fn index<'t>(subtasks: &[Place<'t>], faults: &mut Faults) -> HashMap<&'t str, usize> {
    let mut names = HashMap::with_capacity(subtasks.len());
    for (index, place) in subtasks.iter().enumerate() {
        let Some(name) = name(place) else { continue };
        let first = *names.entry(name).or_insert(index);
        if first != index {
            let entry = place.node.find("name").map_or_else(|| place.clone(), |entry| place.entry(entry));
            let other = &subtasks[first];
            let line = other.line.map_or(String::new(), |line| format!(" on line {line}"));
            let name = word::quote(name);
            faults.add(&entry, format!("the name {name} is taken by {}{line}: give each its own", other.path));
        }
    }
    names
}

/// The name where it is text; what else is wrong with it is told by whoever reads the subtask.
fn name<'t>(place: &Place<'t>) -> Option<&'t str> {
    let node = place.node;
    match &node.find("name")?.node.content {
        Content::Text(name) => Some(name),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::List(_) | Content::Map(_) => None,
    }
}

/// The needs of subtask `own` that point somewhere; the others are faults.
fn resolve<'t>(subtask: &Place<'t>, own: usize, names: &HashMap<&'t str, usize>, faults: &mut Faults) -> Vec<Edge<'t>> {
    let node = subtask.node;
    let Some(entry) = node.find("needs") else { return vec![] };
    let mut seen = HashSet::new();
    let mut edges = vec![];
    for place in subtask.entry(entry).items() {
        let Content::Text(need) = &place.node.content else { continue };
        if !seen.insert(need) {
            faults.add(&place, format!("{} is needed twice: name it once", word::quote(need)));
            continue;
        }
        match names.get(need.as_str()) {
            Some(&upstream) if upstream == own => {
                faults.add(&place, "a subtask cannot need itself: remove this need");
            }
            Some(&upstream) => edges.push(Edge { place, upstream }),
            None => faults.add(&place, unknown(need, own, names, faults.is_full())),
        }
    }
    edges
}

fn unknown(need: &str, own: usize, names: &HashMap<&str, usize>, brief: bool) -> String {
    // In the order of the document, so that of two names that are equally near the first one is offered.
    let mut others: Vec<_> = names.iter().filter(|(_, index)| **index != own && !brief).collect();
    others.sort_by_key(|(_, index)| **index);
    let near = word::suggest(need, others.into_iter().map(|(name, _)| *name));
    let rest = near.unwrap_or_else(|| ": needs are names of subtasks of this definition".to_owned());
    format!("there is no subtask {}{rest}", word::quote(need))
}

/// Tells of a cycle at the need that closes it. Arrows lead from what runs first to what runs next.
fn report(cycle: &[usize], subtasks: &[Place<'_>], edges: &[Vec<Edge<'_>>], faults: &mut Faults) {
    const SHOWN: usize = 12;
    let (first, next) = (cycle[0], cycle[1 % cycle.len()]);
    let mut names: Vec<_> =
        cycle.iter().map(|&index| name(&subtasks[index]).map_or(String::new(), |name| word::short(name, 60))).collect();
    names.push(names[0].clone());
    names.reverse();
    if names.len() > SHOWN {
        names.splice(SHOWN / 2..names.len() - SHOWN / 2, ["…".to_owned()]);
    }
    let place = edges[first].iter().find(|edge| edge.upstream == next).map_or(&subtasks[first], |edge| &edge.place);
    faults.add(place, format!("the needs go round in a circle: {}; remove one of them", names.join(" -> ")));
}
