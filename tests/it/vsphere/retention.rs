//! Tasks are kept for as long as their vCenter says: for good, or for some days after their end.

use std::sync::Arc;
use std::time::Duration;

use taskloom::auth::{self, Principal};
use taskloom::clock::HeldClock;
use taskloom::error::Language;
use taskloom::resolver::vsphere::collect::{self, Report, Seen, Source};
use taskloom::resolver::vsphere::task::{Filter, page};
use taskloom::resolver::{App, Request, retention, vcenter};
use taskloom::store::migrate;
use taskloom::store::open::{Place, Pools, open};
use taskloom::vault::{Hidden, Vault};
use taskloom_entity::{Timestamp, VcenterTrust, VsphereReason, VsphereTaskState};

use crate::harness::postgres;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

#[tokio::test]
async fn what_is_old_goes_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    what_is_old_goes(Place::Folder(folder.path().into())).await;
}

#[tokio::test]
async fn what_is_old_goes_on_postgresql() {
    let database = postgres::database().await;
    what_is_old_goes(Place::Postgres(database.url.clone())).await;
}

async fn what_is_old_goes(place: Place) {
    let pools = Pools { connections: 2, acquire: Duration::from_secs(5) };
    let (store, _guard) = open(&place, pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    let clock = HeldClock::at(NOW.before(DAY * 30));
    let settings = auth::gate::Settings { session_idle: DAY, token_expiry: None };
    let app = App::open(store, clock.clone(), Vault::fleeting(), settings).await.unwrap();
    let request = Request {
        app: Arc::new(app),
        principal: Principal::system("test"),
        language: Language::En,
        id: "0000000000000000".into(),
        address: None,
    };
    let tenant = taskloom::resolver::tenant::create(&request, "home").await.unwrap().id;
    for (name, keep_days) in [("limited", Some(10)), ("unlimited", None)] {
        let new = vcenter::New {
            tenant: Some(tenant),
            name: name.into(),
            uuid: Some(name.into()),
            address: "127.0.0.1:1".into(),
            user: "reader".into(),
            password: Some(Hidden::new("secret".into())),
            trust: VcenterTrust::System,
            trusted: None,
            collect: true,
            keep_days,
        };
        vcenter::put(&request, new, false).await.unwrap();
    }
    for (_, lease, _) in collect::claim(&request, ("test", &mut collect::Leases::default()), DAY).await.unwrap() {
        let instance = collect::meet(&request, &lease, "instance").await.unwrap();
        let tasks = vec![
            ended("old", Some(NOW.before(DAY * 11))),
            ended("young", Some(NOW.before(DAY * 9))),
            ended("open", None),
            Seen { is_lost: true, state: VsphereTaskState::Error, ..ended("lost", None) },
        ];
        let report = Report { lease, instance, source: Source::Live, tasks };
        assert_eq!(collect::record(&request, &[report]).await.unwrap(), [true]);
    }
    clock.advance(DAY * 30);
    let round = retention::begin(&request).await.unwrap().unwrap();
    assert_eq!(round.vsphere(&request).await.unwrap(), 2);
    let kept = async |uuid: &str| {
        let id = vcenter::get_by_uuid(&request, uuid).await.unwrap().id;
        let filter = Filter { vcenter_id: Some(id), ..Filter::default() };
        let mut keys: Vec<String> =
            page(&request, &filter, (0, 10)).await.unwrap().into_iter().map(|task| task.key).collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(kept("limited").await, "open young");
    assert_eq!(kept("unlimited").await, "lost old open young");
}

fn ended(key: &str, completed_at: Option<Timestamp>) -> Seen {
    Seen {
        key: key.into(),
        state: if completed_at.is_some() { VsphereTaskState::Success } else { VsphereTaskState::Running },
        is_lost: false,
        cancelled: false,
        cancelable: false,
        progress: None,
        name: None,
        description_id: "VirtualMachine.powerOn".into(),
        entity: None,
        entity_name: None,
        reason: VsphereReason::System,
        username: None,
        fault: None,
        message: None,
        detail: None,
        event_chain_id: 1,
        parent_key: None,
        root_key: None,
        rest: None,
        queued_at: NOW.before(DAY * 12),
        started_at: None,
        completed_at,
    }
}
