//! What a query costs the database does not grow with what it finds.

use serde_json::Value;
use taskloom::auth::Principal;
use taskloom::graphql::loader::{SharedLoaders, SubtasksOf};
use taskloom::resolver::Request;
use taskloom::slow_lane;
use taskloom_entity::{Role, TaskId, TenantId, UserId};

use super::lab::Lab;
use super::step::noop;

// On one thread the clock cannot cut the gathering of keys in two: what is counted is how the graph reads.
#[tokio::test]
async fn a_deep_query_takes_the_same_statements_for_many_tasks_on_sqlite() {
    a_deep_query_takes_the_same_statements_for_many_tasks(Lab::sqlite().await).await;
}

#[tokio::test]
async fn a_deep_query_takes_the_same_statements_for_many_tasks_on_postgres() {
    a_deep_query_takes_the_same_statements_for_many_tasks(Lab::postgres().await).await;
}

const DEEP: &str = "{ tasks(first: 20) { nodes { name subtasks { name availableOperations upstreams { name }
    attempts { number } } } } }";

#[tokio::test]
async fn documents_take_the_same_statements_for_many_tasks_on_sqlite() {
    documents_take_the_same_statements_for_many_tasks(Lab::sqlite().await).await;
}

#[tokio::test]
async fn documents_take_the_same_statements_for_many_tasks_on_postgres() {
    documents_take_the_same_statements_for_many_tasks(Lab::postgres().await).await;
}

const WIDE: &str = "{ tasks(first: 20) { nodes { name spec parameters submission subtasks { name spec output } } } }";

/// A thousand subscribers of a task are told at the same moment, and want the same.
#[tokio::test]
async fn what_operations_want_at_the_same_moment_is_one_statement() {
    let lab = Lab::sqlite().await;
    lab.submit("t", &[noop("a")]).await;
    lab.submit("u", &[noop("a"), noop("b")]).await;
    let (loaders, request) = (SharedLoaders::default(), lab.door().0);
    let (one, other) = (loaders.begin(request.clone()), loaders.begin(request.clone()));
    let before = lab.statements();
    let found = tokio::join!(one.one(SubtasksOf(TaskId(1))), other.one(SubtasksOf(TaskId(2))));
    let found = (found.0.unwrap().unwrap().unwrap(), found.1.unwrap().unwrap().unwrap());
    assert_eq!((found.0.len(), found.1.len()), (1, 2));
    assert_eq!(lab.statements() - before, 1);
    // What is long has a batch of its own: nobody else waits for it.
    let long = one.clone();
    let long = slow_lane::spawn(async move { long.one(SubtasksOf(TaskId(1))).await });
    let (long, short) = tokio::join!(long, other.one(SubtasksOf(TaskId(2))));
    assert_eq!((long.unwrap().unwrap().is_some(), short.unwrap().is_some()), (true, true));
    assert_eq!(lab.statements() - before, 3);
    // Nor is anything asked for together with those who see something else.
    let eve = Principal::user(UserId(7), "eve", Role::Viewer, vec![TenantId(2)]);
    let foreign = loaders.begin(Request { principal: eve, ..request.clone() });
    let found = tokio::join!(one.one(SubtasksOf(TaskId(1))), foreign.one(SubtasksOf(TaskId(1))));
    assert_eq!((found.0.unwrap().is_some(), found.1.unwrap().is_some()), (true, false));
    assert_eq!(lab.statements() - before, 5);
}

async fn documents_take_the_same_statements_for_many_tasks(lab: Lab) {
    lab.submit("t", &[noop("a"), noop("b").needs("a")]).await;
    let (_, one) = lab.ask(WIDE).await;
    for _ in 1..20 {
        lab.submit("t", &[noop("a"), noop("b").needs("a")]).await;
    }
    let (found, twenty) = lab.ask(WIDE).await;
    assert_eq!(found["tasks"]["nodes"][19]["subtasks"][1]["spec"]["name"], "b");
    assert!((1..=12).contains(&one), "tasks, subtasks, and for each document its length and its text, not {one}");
    assert_eq!(one, twenty);
}

async fn a_deep_query_takes_the_same_statements_for_many_tasks(lab: Lab) {
    let steps = [noop("a"), noop("b").needs("a"), noop("c").needs("a"), noop("d").needs("b c")];
    lab.submit("t", &steps).await;
    let (_, one) = lab.ask(DEEP).await;
    for _ in 1..20 {
        lab.submit("t", &steps).await;
    }
    let (found, twenty) = lab.ask(DEEP).await;
    assert_eq!(found["tasks"]["nodes"].as_array().map(Vec::len), Some(20));
    let d = found.pointer("/tasks/nodes/19/subtasks/3/upstreams").and_then(Value::as_array).map(Vec::len);
    assert_eq!(d, Some(2));
    assert!((1..=8).contains(&one), "a statement for each kind of thing, not {one}");
    assert_eq!(one, twenty);
}
