//! Graphs as strings: `a -> b, c -> d; e` is a diamond and a subtask beside it.

use std::time::Duration;

use crate::task::{Snapshot, SubtaskFacts, TaskFacts};
use crate::{Operation, SubtaskId, TaskId, TaskState, TenantId};

/// Reads chains, separated by `;`, of groups, separated by `->`, of names, separated by `,`: each name of a group
/// needs each of the group before. Subtasks are in topological order, otherwise in the order of their first mention.
pub(super) fn parse(text: &str) -> Snapshot {
    let mut names: Vec<&str> = vec![];
    let mut arrows: Vec<(&str, &str)> = vec![];
    for chain in text.split(';') {
        let mut before: Vec<&str> = vec![];
        for group in chain.split("->") {
            let group: Vec<&str> = group.split(',').map(str::trim).collect();
            for &name in &group {
                assert!(!name.is_empty(), "a name is missing in {text}");
                if !names.contains(&name) {
                    names.push(name);
                }
                arrows.extend(before.iter().map(|&up| (up, name)));
            }
            before = group;
        }
    }
    sorted(&names, &arrows)
}

fn sorted(names: &[&str], arrows: &[(&str, &str)]) -> Snapshot {
    let mut order: Vec<&str> = vec![];
    while order.len() < names.len() {
        let free = |name: &&&str| {
            !order.contains(*name) && arrows.iter().all(|(up, down)| down != *name || order.contains(up))
        };
        order.push(names.iter().find(free).expect("a graph without a cycle"));
    }
    let at = |name: &str| order.iter().position(|other| *other == name).unwrap();
    let needs = |name: &str| {
        let mut needs: Vec<usize> = arrows.iter().filter(|(_, down)| *down == name).map(|(up, _)| at(up)).collect();
        needs.sort_unstable();
        needs.dedup();
        needs
    };
    snapshot(order.iter().map(|name| ((*name).to_owned(), needs(name))).collect())
}

/// A task before it is submitted, of subtasks with their upstreams.
pub(super) fn snapshot(subtasks: Vec<(String, Vec<usize>)>) -> Snapshot {
    let facts = subtasks.into_iter().enumerate().map(|(index, (name, needs))| subtask(index, name, needs));
    Snapshot { task: task(), subtasks: facts.collect() }
}

fn task() -> TaskFacts {
    TaskFacts {
        id: TaskId(1),
        tenant_id: TenantId(1),
        state: TaskState::Pending,
        operation: Operation::Execute,
        backward: false,
        prohibit_rollback: false,
        progress: 0.0,
        message: None,
        started_at: None,
        finished_at: None,
    }
}

fn subtask(index: usize, name: String, needs: Vec<usize>) -> SubtaskFacts {
    let id = SubtaskId(101 + i64::try_from(index).unwrap());
    SubtaskFacts { id, backoff: Duration::ZERO, ..SubtaskFacts::new(name, needs) }
}

#[test]
fn a_string_is_a_graph() {
    let needs = |text| parse(text).subtasks.into_iter().map(|s| (s.name, s.needs)).collect::<Vec<_>>();
    let named =
        |list: &[(&str, &[usize])]| list.iter().map(|(n, up)| ((*n).to_owned(), up.to_vec())).collect::<Vec<_>>();
    assert_eq!(needs("a -> b, c -> d; e"), named(&[("a", &[]), ("b", &[0]), ("c", &[0]), ("d", &[1, 2]), ("e", &[])]));
    assert_eq!(needs("b -> c; a -> b"), named(&[("a", &[]), ("b", &[0]), ("c", &[1])]));
}
