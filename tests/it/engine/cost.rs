//! What a query costs the database does not grow with what it finds.

use serde_json::Value;

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
