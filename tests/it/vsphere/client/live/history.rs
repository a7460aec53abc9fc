//! The history, page by page; its filters; how many may be open.

use std::collections::HashSet;

use chrono::{Duration, Utc};
use serde_json::json;
use taskloom::vsphere::{Error, Filter, Session, TaskInfo, TaskState};

use crate::vsphere::simulator::Simulator;

async fn all(session: &Session, filter: &Filter) -> Vec<TaskInfo> {
    let (mut history, mut all) = (session.history(filter).await.unwrap(), Vec::new());
    loop {
        match history.next(1000).await.unwrap() {
            page if page.is_empty() => break,
            page => all.extend(page),
        }
    }
    history.close().await;
    all
}

#[tokio::test]
async fn every_task_once_and_the_oldest_first() {
    let vcenter = Simulator::start(&["-history", "2500"]).await;
    let session = vcenter.session().await;
    let mut history = session.history(&Filter::default()).await.unwrap();
    let mut sizes = Vec::new();
    let mut tasks = Vec::new();
    while sizes.last() != Some(&0) {
        let page = history.next(5000).await.unwrap();
        sizes.push(page.len());
        tasks.extend(page);
    }
    assert_eq!(sizes, [1000, 1000, 500, 0]);
    assert_eq!(vcenter.count().await, 2500);
    assert_eq!(tasks.iter().map(|task| &task.key).collect::<HashSet<_>>().len(), 2500);
    assert!(tasks.is_sorted_by_key(|task| task.queue_time));
    assert!(tasks.iter().all(|task| task.state.is_final() && task.complete_time.is_some()));
    assert!(tasks.iter().any(|task| task.error.as_ref().is_some_and(|fault| !fault.message().is_empty())));
    history.close().await;
    assert_eq!(vcenter.get("/collectors").await["history"], 0);
}

#[tokio::test]
async fn a_gap_is_read_by_time_and_by_state() {
    let vcenter = Simulator::start(&["-history", "300"]).await;
    let session = vcenter.session().await;
    let key = vcenter.task(json!({"seconds": 60, "queued": 0})).await;
    let unfinished = Filter { states: vec![TaskState::Queued, TaskState::Running], ..Filter::default() };
    let running = all(&session, &unfinished).await;
    assert_eq!(running.iter().map(|task| task.key.as_str()).collect::<Vec<_>>(), [key.as_str()]);
    let since = Utc::now() - Duration::days(10);
    let ended = all(&session, &Filter { completed_since: Some(since), ..Filter::default() }).await;
    let mut expected = all(&session, &Filter::default()).await;
    expected.retain(|task| task.complete_time.is_some_and(|time| time >= since));
    assert!(!ended.is_empty() && ended.len() < 300);
    assert_eq!(ended, expected);
    let chains = ended[..2].iter().map(|task| task.event_chain_id).collect::<Vec<_>>();
    assert_eq!(all(&session, &Filter { event_chain_ids: chains, ..Filter::default() }).await, ended[..2]);
}

#[tokio::test]
async fn too_many_open_histories_are_told_as_that() {
    let vcenter = Simulator::start(&[]).await;
    let session = vcenter.session().await;
    let mut open = Vec::new();
    let refused = loop {
        match session.history(&Filter::default()).await {
            Ok(history) => open.push(history),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::TooManyCollectors) && open.len() == 32, "{refused} {}", open.len());
    assert!(matches!(session.follow(100).await, Err(Error::TooManyCollectors)));
    let left = vcenter.get("/collectors").await;
    assert_eq!((left["property"].as_u64(), left["filters"].as_u64()), (Some(0), Some(0)), "{left}");
    open.pop().unwrap().close().await;
    session.follow(100).await.unwrap().close().await;
}
