//! Following: creation, state and progress as they happen.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use taskloom::vsphere::{Feed, Follow, Reference, TaskInfo, TaskState, Update};

use crate::vsphere::simulator::{Simulator, within};

/// Waits until the task is as wanted.
pub(super) async fn until(follow: &mut Follow, key: &str, wanted: impl Fn(&TaskInfo) -> bool) -> TaskInfo {
    within(async {
        loop {
            for update in follow.wait(Duration::from_secs(10)).await.unwrap() {
                if let Update::Task(info) = update
                    && info.key == key
                    && wanted(&info)
                {
                    return *info;
                }
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_task_from_its_beginning_to_its_end() {
    let vcenter = Simulator::start(&["-history", "20"]).await;
    let mut follow = vcenter.session().await.follow(100).await.unwrap();
    assert_eq!(follow.feed(), Feed::LatestPage);
    assert!(!follow.wait(Duration::ZERO).await.unwrap().is_empty());
    let order = json!({"entity": "DC0_H0_VM0", "descriptionId": "vm.Snapshot.revert", "seconds": 2, "steps": 4,
                       "detail": "working", "cancelable": true});
    let key = vcenter.task(order).await;
    let task = Reference::task(&key);
    let (mut progress, mut states) = (Vec::new(), Vec::new());
    within(async {
        while states.last() != Some(&TaskState::Success) {
            for update in follow.wait(Duration::from_secs(10)).await.unwrap() {
                let Update::Task(info) = update else { panic!("{update:?}") };
                assert_eq!(info.key, key);
                if states.is_empty() {
                    assert!(follow.watch(std::slice::from_ref(&task), &[]).await.unwrap().is_empty());
                    assert_eq!((info.description_id.as_str(), info.cancelable), ("vm.Snapshot.revert", true));
                    assert_eq!(info.entity_name.as_deref(), Some("DC0_H0_VM0"));
                }
                states.push(info.state);
                progress.extend(info.progress);
            }
        }
    })
    .await;
    states.dedup();
    assert!(states.ends_with(&[TaskState::Running, TaskState::Success]), "{states:?}");
    progress.dedup();
    assert!(progress.len() >= 3 && progress.is_sorted(), "{progress:?}");
    assert!(follow.watch(&[], std::slice::from_ref(&task)).await.unwrap().is_empty());
    follow.close().await;
    let left = vcenter.get("/collectors").await;
    assert_eq!(left, json!({"history": 0, "property": 0, "filters": 0}));
}

#[tokio::test]
async fn many_tasks_in_cut_answers_each_to_its_end() {
    let vcenter = Simulator::start(&["-page", "3"]).await;
    let mut follow = vcenter.session().await.follow(1000).await.unwrap();
    follow.wait(Duration::ZERO).await.unwrap();
    let order = json!({"count": 40, "seconds": 1, "steps": 2});
    let keys = vcenter.post("/tasks", order).await["keys"].clone();
    let keys = keys.as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    follow.watch(&keys.iter().map(Reference::task).collect::<Vec<_>>(), &[]).await.unwrap();
    let mut states = HashMap::new();
    within(async {
        while states.values().filter(|state| **state == TaskState::Success).count() < keys.len() {
            for update in follow.wait(Duration::from_secs(10)).await.unwrap() {
                let Update::Task(info) = update else { panic!("{update:?}") };
                let before = states.insert(info.key.clone(), info.state);
                assert!(!before.is_some_and(TaskState::is_final), "{} went on after its end", info.key);
            }
        }
    })
    .await;
    assert_eq!(states.len(), keys.len());
}

#[tokio::test]
async fn nothing_new_is_no_update_and_strangers_are_not_watched() {
    let vcenter = Simulator::start(&[]).await;
    let mut follow = vcenter.session().await.follow(10).await.unwrap();
    let stranger = Reference::task("task-999999");
    assert_eq!(follow.watch(std::slice::from_ref(&stranger), &[]).await.unwrap(), [stranger]);
    assert!(follow.wait(Duration::ZERO).await.unwrap().is_empty());
    assert!(follow.wait(Duration::from_secs(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn recent_tasks_are_read_at_once() {
    let vcenter = Simulator::start(&["-history", "5"]).await;
    let session = vcenter.session().await;
    let running = vcenter.task(json!({"seconds": 60, "queued": 0})).await;
    let ended = vcenter.task(json!({"seconds": 0, "fault": "InvalidPowerState", "message": "off"})).await;
    let mut follow = session.follow(100).await.unwrap();
    until(&mut follow, &ended, |info| info.state == TaskState::Error).await;
    let recent = session.recent_tasks().await.unwrap();
    let state = |key: &str| recent.iter().find(|info| info.key == key).unwrap().state;
    assert_eq!((state(&running), state(&ended)), (TaskState::Running, TaskState::Error));
    let info = session.task(&Reference::task(&ended)).await.unwrap();
    assert_eq!(info.error.as_ref().map(|fault| fault.kind.as_str()), Some("InvalidPowerState"));
}
