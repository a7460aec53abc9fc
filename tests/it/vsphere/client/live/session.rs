//! Sign-in, trust, the catalogue, the inventory; errors of HTTP.

use chrono::Utc;
use taskloom::vsphere::{Client, Distrust, Error, Limits, Obstacle, Thumbprint, Trust, probe};

use crate::vsphere::simulator::{PASSWORD, Simulator, USER};

#[tokio::test]
async fn a_probe_tells_what_is_there() {
    let vcenter = Simulator::start(&[]).await;
    let seen = probe(&vcenter.address(), &Limits::default()).await.unwrap();
    assert_eq!(seen.thumbprint.unwrap().to_string(), vcenter.sha256);
    assert!(!seen.trusted && seen.distrust.is_some() && seen.not_after.unwrap() > Utc::now());
    assert_eq!(seen.about.instance_uuid, vcenter.instance);
    assert_eq!((seen.about.api_type.as_str(), seen.about.api_version.as_str()), ("VirtualCenter", "6.7.3"));
    assert_eq!(vcenter.get("/sessions").await["count"], 0);
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_is_not_trusted() {
    let vcenter = Simulator::start(&[]).await;
    let connect = async |trust| Client::connect(&vcenter.address(), &trust, Limits::default()).await.unwrap_err();
    let (found, expected) = (vcenter.sha256.parse::<Thumbprint>().unwrap(), Thumbprint::of(b"another"));
    let untrusted = connect(Trust::SystemRoots).await;
    assert!(
        matches!(untrusted, Error::Untrusted { thumbprint, why } if thumbprint == found && why != Distrust::Expired)
    );
    let wrong = connect(Trust::Thumbprint(expected)).await;
    assert!(matches!(wrong, Error::WrongThumbprint { expected: e, found: f } if e == expected && f == found));
    assert_eq!(vcenter.get("/calls").await, serde_json::json!({}));
}

#[tokio::test]
async fn signs_in_and_out() {
    let vcenter = Simulator::start(&[]).await;
    let client = vcenter.client().await;
    assert_eq!(client.about().instance_uuid, vcenter.instance);
    let wrong = client.sign_in(USER, "wrong", "zh_CN").await.unwrap_err();
    assert!(matches!(wrong, Error::InvalidLogin));
    let session = client.sign_in(USER, PASSWORD, "zh_CN").await.unwrap();
    assert!(session.alive().await.unwrap());
    let drift = (session.server_clock().await.unwrap() - Utc::now()).num_seconds();
    assert!(drift.abs() < 60, "{drift}");
    session.sign_out().await.unwrap();
    assert!(!session.alive().await.unwrap());
    assert!(session.server_clock().await.unwrap_err().is_session_lost());
    assert!(session.recent_tasks().await.unwrap_err().is_session_lost());
    session.sign_out().await.unwrap();
}

#[tokio::test]
async fn the_catalogue_is_in_the_sessions_language() {
    let vcenter = Simulator::start(&[]).await;
    let catalogue = vcenter.session().await.catalogue().await.unwrap();
    assert!(catalogue.len() > 100, "{}", catalogue.len());
    assert_eq!(catalogue.get("VirtualMachine.reconfigure").unwrap().label, "重新配置虚拟机");
    assert_eq!(catalogue.get("vm.Snapshot.revert").unwrap().label, "恢复快照");
    let english = vcenter.client().await.sign_in(USER, PASSWORD, "en").await.unwrap();
    assert_eq!(english.catalogue().await.unwrap().get("vm.Snapshot.revert").unwrap().label, "Revert snapshot");
}

#[tokio::test]
async fn a_large_inventory_comes_in_pages() {
    let vcenter = Simulator::start(&["-machines", "30", "-page", "7"]).await;
    let inventory = vcenter.session().await.inventory().await.unwrap();
    let truth = vcenter.get("/entities").await;
    let mut expected = truth
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}:{} {}", one["type"], one["value"], one["name"]).replace('"', ""))
        .collect::<Vec<_>>();
    let mut found = inventory.iter().map(|one| format!("{} {}", one.reference, one.name)).collect::<Vec<_>>();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let machines = inventory.iter().filter(|one| one.reference.kind == "VirtualMachine").collect::<Vec<_>>();
    assert_eq!(machines.len(), 60);
    assert!(machines.iter().all(|one| one.host.as_ref().is_some_and(|host| host.kind == "HostSystem")));
    assert!(machines.iter().all(|one| one.parent.is_some()));
    assert!(vcenter.get("/calls").await["ContinueRetrievePropertiesEx"].as_u64().unwrap() > 8);
}

#[tokio::test]
async fn a_server_that_is_not_ready_may_be_asked_again() {
    let vcenter = Simulator::start(&[]).await;
    let session = vcenter.session().await;
    vcenter.fail("CurrentTime", 503).await;
    let error = session.server_clock().await.unwrap_err();
    assert!(matches!(error, Error::Http(503)) && error.is_passing(), "{error}");
    vcenter.fail("CurrentTime", 0).await;
    let error = session.server_clock().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(Obstacle::Broken, _)) && error.is_passing(), "{error}");
    session.server_clock().await.unwrap();
}
