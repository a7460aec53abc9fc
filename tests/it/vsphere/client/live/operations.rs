//! Work on virtual machines, each followed to its end.

use serde_json::json;
use taskloom::vsphere::{CloneTo, Error, Reconfigure, Reference, Session, TaskInfo, TaskState, Value};

use super::follow::until;
use crate::vsphere::simulator::Simulator;

/// The task when it has ended.
async fn ended(session: &Session, task: Result<Reference, Error>) -> TaskInfo {
    let task = task.unwrap();
    let mut follow = session.follow(100).await.unwrap();
    follow.watch(std::slice::from_ref(&task), &[]).await.unwrap();
    let info = until(&mut follow, &task.value, |info| info.state.is_final()).await;
    follow.close().await;
    info
}

async fn succeeded(session: &Session, task: Result<Reference, Error>) -> TaskInfo {
    let info = ended(session, task).await;
    assert_eq!((info.state, &info.error), (TaskState::Success, &None));
    info
}

fn made(info: &TaskInfo) -> Reference {
    match &info.result {
        Some(Value::Reference(made)) => made.clone(),
        other => panic!("{other:?}"),
    }
}

async fn ready() -> (Simulator, Session, Reference) {
    let vcenter = Simulator::start(&[]).await;
    let session = vcenter.session().await;
    let vm = session.find_vm("DC0_H0_VM0").await.unwrap().unwrap().reference;
    (vcenter, session, vm)
}

#[tokio::test]
async fn power() {
    let (_vcenter, session, vm) = ready().await;
    succeeded(&session, session.power_off(&vm).await).await;
    let refused = ended(&session, session.power_off(&vm).await).await;
    let fault = refused.error.unwrap();
    assert_eq!((refused.state, fault.kind.as_str()), (TaskState::Error, "InvalidPowerState"));
    assert_eq!(fault.detail("existingState"), Some(&Value::Text("poweredOff".into())));
    succeeded(&session, session.power_on(&vm).await).await;
    succeeded(&session, session.suspend(&vm).await).await;
    succeeded(&session, session.power_on(&vm).await).await;
    succeeded(&session, session.reset(&vm).await).await;
}

#[tokio::test]
async fn snapshots() {
    let (_vcenter, session, vm) = ready().await;
    assert_eq!(session.snapshots(&vm).await.unwrap(), []);
    let name = "before <it> & \"all\"";
    let info = succeeded(&session, session.create_snapshot(&vm, name, "why", false, false).await).await;
    succeeded(&session, session.create_snapshot(&vm, "after", "", false, false).await).await;
    let all = session.snapshots(&vm).await.unwrap();
    let [before, after] = &all[..] else { panic!("{all:?}") };
    assert_eq!((before.name.as_str(), before.description.as_str(), before.is_current), (name, "why", false));
    assert_eq!((after.parent.as_ref(), after.is_current), (Some(&before.reference), true));
    assert_eq!(before.reference, made(&info));
    succeeded(&session, session.revert_to_current_snapshot(&vm).await).await;
    succeeded(&session, session.revert(&before.reference).await).await;
    assert!(session.find_snapshot(&vm, name).await.unwrap().unwrap().is_current);
    succeeded(&session, session.remove_snapshot(&before.reference, true).await).await;
    assert_eq!(session.snapshots(&vm).await.unwrap(), []);
}

#[tokio::test]
async fn a_machine_from_its_copy_to_its_end() {
    let (_vcenter, session, vm) = ready().await;
    let folder = session.find_entity(&vm).await.unwrap().unwrap().parent.unwrap();
    let info = succeeded(&session, session.clone_vm(&vm, &folder, "copy 副本", &CloneTo::default()).await).await;
    let copy = made(&info);
    assert_eq!(session.find_vm("copy 副本").await.unwrap().unwrap().reference, copy);
    let change = Reconfigure { cpus: Some(2), memory_mb: Some(512), ..Reconfigure::default() };
    succeeded(&session, session.reconfigure(&copy, &change).await).await;
    let change = Reconfigure { name: Some("renamed".into()), ..Reconfigure::default() };
    succeeded(&session, session.reconfigure(&copy, &change).await).await;
    assert_eq!(session.find_vm(&copy.to_string()).await.unwrap().unwrap().name, "renamed");
    succeeded(&session, session.destroy(&copy).await).await;
    assert_eq!(session.find_vm(&copy.to_string()).await.unwrap(), None);
    let gone = session.power_on(&copy).await.unwrap_err();
    assert!(matches!(gone, Error::ManagedObjectNotFound { reference } if reference == copy));
}

#[tokio::test]
async fn a_task_is_cancelled() {
    let (vcenter, session, _) = ready().await;
    let order = json!({"seconds": 60, "queued": 0, "cancelable": true});
    let task = Reference::task(vcenter.task(order).await);
    session.cancel(&task).await.unwrap();
    let info = ended(&session, Ok(task.clone())).await;
    assert_eq!((info.state, info.cancelled), (TaskState::Error, true));
    assert_eq!(info.error.unwrap().kind, "RequestCanceled");
    assert!(matches!(session.cancel(&task).await, Err(Error::Fault { kind, .. }) if kind == "InvalidState"));
    let stubborn = Reference::task(vcenter.task(json!({"seconds": 60, "queued": 0})).await);
    assert!(matches!(session.cancel(&stubborn).await, Err(Error::Fault { kind, .. }) if kind == "NotSupported"));
}
