//! Properties of random definitions.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::super::vsphere::{Machine, NewClone, NewSnapshot, Operation, Reconfigure, RemoveSnapshot, Revert};
use super::super::{Definition, Http, Limits, Retry, Run, Sql, Subtask, Vsphere, graph, parse, read, restore};
use crate::OnLost;

fn run() -> impl Strategy<Value = Run> {
    prop_oneof![
        "[^\0]{0,20}[a-z]".prop_map(Run::Shell),
        "[^\0]{0,20}[a-z]".prop_map(Run::Python),
        proptest::option::of(span(0)).prop_map(|sleep| Run::Noop { sleep }),
        ("[^\0]{0,20}[a-z]", "[a-z]{1,8}").prop_map(|(sql, source)| Run::Sql(Sql { sql, source })),
        http().prop_map(Run::Http),
        ("[a-z]{1,8}", operation()).prop_map(|(vcenter, operation)| Run::Vsphere(Vsphere { vcenter, operation })),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    use proptest::option::of;
    let text = || "[a-z]{1,8}( \\$\\{param\\.x\\})?";
    let snapshot = (text(), text(), "([a-z]{1,9})?", any::<[bool; 2]>());
    let reconfigure = (text(), of(1..=8_u32), of((1..=64_u32).prop_map(|quads| quads * 4)), text(), of(text()));
    let clone = (text(), text(), [of(text()), of(text()), of(text()), of(text())], 0..3);
    prop_oneof![
        text().prop_map(|vm| Operation::PowerOn(Machine { vm })),
        text().prop_map(|vm| Operation::Destroy(Machine { vm })),
        snapshot.prop_map(|(vm, name, description, [memory, quiesce])| {
            Operation::Snapshot(NewSnapshot { vm, name, description, memory, quiesce })
        }),
        (text(), of(text())).prop_map(|(vm, snapshot)| Operation::Revert(Revert { vm, snapshot })),
        (text(), text(), any::<bool>())
            .prop_map(|(vm, snapshot, children)| Operation::RemoveSnapshot(RemoveSnapshot { vm, snapshot, children })),
        reconfigure.prop_map(|(vm, cpus, memory_mb, name, annotation)| {
            Operation::Reconfigure(Reconfigure { vm, cpus, memory_mb, name: Some(name), annotation })
        }),
        clone.prop_map(|(vm, name, [folder, pool, host, datastore], what)| {
            let (power_on, template) = (what == 1, what == 2);
            Operation::Clone(NewClone { vm, name, folder, pool, host, datastore, power_on, template })
        }),
    ]
}

fn http() -> impl Strategy<Value = Http> {
    let body = proptest::option::of(prop_oneof![Just(json!({"a": [1, "${param.x}"]})), Just(json!("text"))]);
    let headers = prop_oneof![Just(vec![]), Just(vec![("B".to_owned(), "$${b}".to_owned()), ("A".into(), "a".into())])];
    let expect = proptest::collection::vec(100_u16..600, 0..3);
    let method = prop_oneof![Just("GET"), Just("POST")];
    (method, headers, body, expect, 0..=10_u32).prop_map(|(method, headers, body, expect, retries)| Http {
        method: method.to_owned(),
        url: "https://example.org/${param.x}".to_owned(),
        headers,
        body,
        expect,
        retries,
    })
}

fn span(least: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![least..10_000, least..31_622_400_000].prop_map(Duration::from_millis)
}

fn limits() -> impl Strategy<Value = Limits> {
    use proptest::option::of;
    let all = (of(1u64 << 20..1 << 40), of(0.001..4096.0), of(1u32..1_000_000), of(1u64 << 20..1 << 40));
    all.prop_map(|(memory, cpu, processes, file_size)| Limits { memory, cpu, processes, file_size })
}

fn subtask() -> impl Strategy<Value = Subtask> {
    let conditions = (proptest::option::of(span(1)), 1u32..=100, span(0), 0.001..1_000_000.0, limits());
    let rest = ("\\PC{0,30}", run(), proptest::option::of(run()), any::<[bool; 3]>());
    (conditions, rest).prop_map(|((timeout, attempts, backoff, weight, limits), (description, run, undo, flags))| {
        let has_processes = run.has_processes() || undo.as_ref().is_some_and(Run::has_processes);
        Subtask {
            name: String::new(),
            description,
            needs: vec![],
            run,
            undo,
            timeout,
            retry: Retry { attempts, backoff },
            weight,
            workers: if flags[0] { vec!["linux".to_owned(), "gpu:2".to_owned()] } else { vec![] },
            on_lost: if flags[1] { OnLost::Fail } else { OnLost::Retry },
            prohibit_rollback: flags[2],
            limits,
            secrets: if flags[0] { vec!["db_password".to_owned()] } else { vec![] },
            run_as: (flags[1] && has_processes).then(|| "backup".to_owned()),
        }
    })
}

/// A document whose subtasks stand in any order, with edges that make no circle; names give the hidden order.
fn document() -> impl Strategy<Value = serde_json::Value> {
    (1usize..25)
        .prop_flat_map(|many| {
            let edges = proptest::collection::vec(any::<bool>(), many * many);
            let places = Just((0..many).collect::<Vec<_>>()).prop_shuffle();
            (proptest::collection::vec(subtask(), many), edges, places)
        })
        .prop_map(|(mut subtasks, edges, places)| {
            let many = subtasks.len();
            for (index, subtask) in subtasks.iter_mut().enumerate() {
                subtask.name = format!("步骤 {index}");
                let upstreams = (0..index).filter(|other| edges[index * many + other]);
                subtask.needs = upstreams.map(|other| format!("步骤 {other}")).collect();
            }
            let shuffled: Vec<_> = places.iter().map(|&place| &subtasks[place]).collect();
            json!({"name": "random", "subtasks": shuffled, "prohibitRollback": many % 2 == 0})
        })
}

fn check(definition: &Definition) {
    for index in definition.order() {
        let names: Vec<_> = definition.upstreams(index).iter().map(|&up| &definition.subtasks[up].name).collect();
        assert_eq!(names, definition.subtasks[index].needs.iter().collect::<Vec<_>>());
        assert!(definition.upstreams(index).iter().all(|&upstream| upstream < index));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_definitions_are_ordered_and_survive(document in document()) {
        let definition = read(document.clone()).unwrap();
        check(&definition);
        prop_assert_eq!(definition.subtasks.len(), document["subtasks"].as_array().unwrap().len());
        for written in document["subtasks"].as_array().unwrap() {
            let subtask: Subtask = serde_json::from_value(written.clone()).unwrap();
            let kept = definition.subtasks.iter().find(|kept| kept.name == subtask.name);
            prop_assert_eq!(kept, Some(&subtask));
        }
        let stored = serde_json::to_string(&definition).unwrap();
        prop_assert_eq!(&restore(&stored).unwrap(), &definition);
        prop_assert_eq!(&parse(&stored).unwrap(), &definition);
    }

    #[test]
    fn random_graphs_are_ordered_or_have_circles(edges in proptest::collection::vec(proptest::collection::vec(0usize..12, 0..4), 12)) {
        let order = graph::order(&edges);
        let place = |node: usize| order.iter().position(|&other| other == node);
        for &node in &order {
            prop_assert!(edges[node].iter().all(|&need| place(need) < place(node) && place(need).is_some()));
        }
        let cycles = graph::cycles(&edges);
        prop_assert_eq!(cycles.is_empty(), order.len() == edges.len());
        for cycle in cycles {
            for (index, node) in cycle.iter().enumerate() {
                prop_assert!(edges[*node].contains(&cycle[(index + 1) % cycle.len()]));
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([a-z:\\-\\[\\]{}&*!|>'\"#? \n\t]|name: |subtasks:|\n  - |run: |\\PC){0,60}") {
        let outcome = parse(&text);
        prop_assert!(outcome.is_ok() || !outcome.unwrap_err().is_empty());
    }
}
