//! Tasks that are accepted within somebody else's transaction: all of them with it, or none.

use taskloom::resolver::task::submit::{self, Submission};
use taskloom::store::{self, Tx};

use super::lab::Lab as Bench;
use super::step::noop;

stories!(what_is_accepted_in_a_transaction_is_there_with_its_commit, a_key_that_is_taken_is_said_within_it);

async fn accept(lab: &Bench, tx: &Tx, new: &Submission) -> bool {
    let checked = submit::prepare(lab.request(), new).await.unwrap();
    submit::accept(tx, lab.request(), checked).await.unwrap().is_some()
}

async fn what_is_accepted_in_a_transaction_is_there_with_its_commit(lab: Bench) {
    let (first, second) = (lab.submission("first", &[noop("a")]), lab.submission("second", &[noop("a"), noop("b")]));
    for commits in [false, true] {
        let (tasks, events, audit) = (lab.count("task").await, lab.count("task_event").await, lab.count("audit").await);
        let tx = lab.request().store.begin().await.unwrap();
        assert!(accept(&lab, &tx, &first).await && accept(&lab, &tx, &second).await);
        if !commits {
            drop(tx);
        } else {
            store::commit(tx).await.unwrap();
            submit::committed(lab.request(), 2);
        }
        let new = if commits { 2 } else { 0 };
        assert_eq!(lab.count("task").await, tasks + new);
        assert_eq!(lab.count("task_event").await, events + new);
        assert_eq!(lab.count("audit").await, audit + new);
    }
    assert_eq!(lab.count("subtask").await, 3);
    let worker = lab.worker().await;
    assert_eq!(worker.take().await.number, 1, "whoever waits for work has been told");
}

async fn a_key_that_is_taken_is_said_within_it(lab: Bench) {
    let new = Submission { idempotency_key: Some("k".into()), ..lab.submission("t", &[noop("a")]) };
    for is_new in [true, false] {
        let tx = lab.request().store.begin().await.unwrap();
        assert_eq!(accept(&lab, &tx, &new).await, is_new);
        if is_new {
            store::commit(tx).await.unwrap();
        }
    }
    assert_eq!(lab.count("task").await, 1);
}
