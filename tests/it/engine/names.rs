//! Names are found in any case of any script, by lists and by those who follow, on both databases; in rows of a former
//! version, too.

use sea_orm_migration::MigratorTrait;
use serde_json::{Value, json};
use taskloom::graphql::event::EVENTS;
use taskloom::store::migrate;
use taskloom_migration::Migrator;

use super::bench::{Bench, SUBMIT, within};
use super::lab::Lab;
use super::step::{noop, spec};

stories!(names_are_found_in_any_case, who_follows_a_name_is_told_in_any_case);

const NAMES: [&str; 5] = ["Ärzte prüfen", "a\u{308}rzte", "Hauptstraße 7", "ΌΣΟΣ", "100% Übung_1"];

/// What is looked for, and which of the names have it.
const SOUGHT: [(&str, &[usize]); 8] = [
    ("ÄRZTE", &[0, 1]),
    ("A\u{308}rzte P", &[0]),
    ("STRASSE", &[2]),
    ("όσος", &[3]),
    ("% ÜB", &[4]),
    ("G_1", &[4]),
    ("arzte", &[]),
    ("_", &[4]),
];

async fn names_are_found_in_any_case(bench: Bench) {
    for name in NAMES {
        let input = json!({"spec": spec("n", &[noop("a")]), "name": name, "target": {"cluster": name}});
        bench.admin.get(SUBMIT, json!({"input": input}), "").await;
        let user = "mutation($name: String!) { createUser(input: {name: $name, role: VIEWER}) { user { name } } }";
        // A mark of its own is no letter, and in no user's name.
        if !name.contains('\u{308}') {
            bench.admin.get(user, json!({"name": name.replace([' ', '%'], ".")}), "").await;
        }
    }
    let tasks = "query($filter: TaskFilter) { tasks(first: 10, filter: $filter) { nodes { name } } }";
    for (sought, of) in SOUGHT {
        let mut wanted: Vec<&str> = of.iter().map(|at| NAMES[*at]).collect();
        wanted.sort_unstable();
        for key in ["name", "clusterContains"] {
            let found = bench.admin.get(tasks, json!({"filter": {key: sought}}), "/tasks/nodes").await;
            let mut found: Vec<&str> =
                found.as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect();
            found.sort_unstable();
            assert_eq!(found, wanted, "{key} {sought}");
        }
    }
    let users = "query($name: String) { users(first: 10, filter: {name: $name}) { totalCount } }";
    for (sought, count) in [("ÄRZTE", 1), ("STRASSE", 1), ("όσος", 1), ("arzte", 0)] {
        let found = bench.admin.get(users, json!({"name": sought}), "/users/totalCount").await;
        assert_eq!(found, json!(count), "{sought}");
    }
}

async fn who_follows_a_name_is_told_in_any_case(bench: Bench) {
    let document = "subscription($name: String!, $after: String) {
        taskChanged(filter: {tasks: {name: $name}, tasksOnly: true}, after: $after) { task { name } event { taskState } } }";
    for name in NAMES {
        let input = json!({"spec": spec("n", &[noop("a")]), "name": name});
        let task = bench.admin.get(SUBMIT, json!({"input": input}), "/submitTask/task/id").await;
        bench.admin.wait(task.as_str().unwrap(), "SUCCESSFUL").await;
    }
    for (sought, name) in [("ÄRZTE P", NAMES[0]), ("hauptSTRASSE", NAMES[2]), ("όσος", NAMES[3])] {
        let ends = |data: &Value| data["taskChanged"]["event"]["taskState"] == "SUCCESSFUL";
        // The cursor before every event.
        let variables = json!({"name": sought, "after": EVENTS.cursor(0)});
        let seen = within("its changes", bench.admin.follow(document, variables, ends)).await;
        assert!(seen.iter().all(|data| data["taskChanged"]["task"]["name"] == name), "{sought}: {seen:?}");
    }
}

#[tokio::test]
async fn rows_of_a_former_version_are_filled_on_the_way_up() {
    for lab in [Lab::sqlite().await, Lab::postgres().await] {
        for name in NAMES {
            lab.submit(name, &[noop("a")]).await;
        }
        let all = Migrator::migrations();
        let steps = all.iter().rev().position(|step| step.name() == "m0017_folded").unwrap() + 1;
        migrate::down(lab.store(), Some(u32::try_from(steps).unwrap())).await.unwrap();
        migrate::up(lab.store()).await.unwrap();
        let count = async |name: &str| {
            let (found, _) = lab.ask(&format!("{{ tasks(filter: {{name: {name:?}}}) {{ totalCount }} }}")).await;
            found["tasks"]["totalCount"].as_i64().unwrap()
        };
        assert_eq!((count("ÄRZTE").await, count("STRASSE").await, count("arzte").await), (2, 1, 0));
        // A server of the former version has written one meanwhile: it is found as it was by that.
        lab.execute("UPDATE task SET name_folded = NULL WHERE name LIKE 'Haupt%'").await;
        assert_eq!((count("HAUPT").await, count("STRASSE").await), (1, 0));
        // Broken off in the middle, it goes on where it stood.
        lab.execute("UPDATE task SET name_folded = NULL").await;
        lab.execute("DELETE FROM seaql_migrations WHERE version = 'm0017_folded'").await;
        migrate::up(lab.store()).await.unwrap();
        assert_eq!((count("ÄRZTE").await, count("STRASSE").await), (2, 1));
    }
}
