//! What is lost on the way: sessions, connections, the whole vCenter.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use taskloom::vsphere::{Client, Error, Filter, Limits, Reference};

use crate::vsphere::simulator::{PASSWORD, Simulator, USER, within};

#[tokio::test]
async fn a_session_that_ends_in_the_middle_of_a_wait() {
    let vcenter = Simulator::start(&[]).await;
    let session = vcenter.session().await;
    let mut follow = session.follow(100).await.unwrap();
    follow.wait(Duration::ZERO).await.unwrap();
    let waiting = tokio::spawn(async move { follow.wait(Duration::from_secs(300)).await });
    vcenter.called("WaitForUpdatesEx", 2).await;
    assert_eq!(vcenter.post("/sessions/terminate", json!({})).await["count"], 1);
    let lost = within(waiting).await.unwrap().unwrap_err();
    assert!(lost.is_session_lost() && lost.is_passing(), "{lost}");
    assert!(!session.alive().await.unwrap());
    assert!(session.recent_tasks().await.unwrap_err().is_session_lost());
    assert!(session.follow(100).await.unwrap_err().is_session_lost());
    vcenter.session().await.follow(100).await.unwrap();
}

#[tokio::test]
async fn a_wait_that_is_cut_goes_on() {
    let vcenter = Simulator::start(&[]).await;
    let mut follow = vcenter.session().await.follow(100).await.unwrap();
    follow.wait(Duration::ZERO).await.unwrap();
    vcenter.fail("WaitForUpdatesEx", 0).await;
    let key = vcenter.task(json!({"seconds": 0})).await;
    let cut = follow.wait(Duration::from_secs(10)).await.unwrap_err();
    assert!(matches!(cut, Error::Unreachable(..)) && cut.is_passing(), "{cut}");
    super::follow::until(&mut follow, &key, |info| info.state.is_final()).await;
}

#[tokio::test]
async fn a_vcenter_that_starts_again() {
    let directory = std::env::temp_dir().join(format!("taskloom-vsphere-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (state, cert) = (directory.join("state"), directory.join("cert.pem"));
    let kept = ["-state", state.to_str().unwrap(), "-cert", cert.to_str().unwrap()];
    let vcenter = Simulator::start(&[&kept[..], &["-history", "30"]].concat()).await;
    let (address, trust, instance) = (vcenter.address(), vcenter.trust(), vcenter.instance.clone());
    let session = vcenter.session().await;
    let mut follow = session.follow(100).await.unwrap();
    let running = Reference::task(vcenter.task(json!({"seconds": 60, "queued": 0})).await);
    follow.watch(std::slice::from_ref(&running), &[]).await.unwrap();
    follow.wait(Duration::ZERO).await.unwrap();
    let host = vcenter.url.replace("https://", "").replace("/sdk", "");
    vcenter.kill().await;
    let down = follow.wait(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(down, Error::Unreachable(..)) && down.is_passing(), "{down}");
    let refused = Client::connect(&address, &trust, Limits::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Unreachable(..)), "{refused}");
    let vcenter = Simulator::start(&[&kept[..], &["-listen", &host]].concat()).await;
    assert!(follow.wait(Duration::from_secs(1)).await.unwrap_err().is_session_lost());
    let client = Client::connect(&address, &trust, Limits::default()).await.unwrap();
    assert_eq!(client.about().instance_uuid, instance);
    let session = client.sign_in(USER, PASSWORD, "zh_CN").await.unwrap();
    let mut history = session.history(&Filter::default()).await.unwrap();
    let tasks = history.next(1000).await.unwrap();
    assert_eq!((tasks.len() as u64, vcenter.count().await), (31, 31));
    assert_eq!(tasks.iter().map(|task| &task.key).collect::<HashSet<_>>().len(), 31);
    let ended = tasks.iter().find(|task| task.task == running).unwrap();
    assert!(ended.state.is_final());
    // References do not outlive a restart.
    let gone = session.task(&running).await.unwrap_err();
    assert!(matches!(gone, Error::ManagedObjectNotFound { reference } if reference == running));
    let mut follow = session.follow(100).await.unwrap();
    assert_eq!(follow.watch(std::slice::from_ref(&running), &[]).await.unwrap(), [running]);
    std::fs::remove_dir_all(directory).unwrap();
}
