//! Tasks are kept for as long as their vCenter says: for good, or for some days after their end.

use std::time::Duration;

use taskloom::clock::HeldClock;
use taskloom::resolver::vsphere::collect::{self, Report, ReportSource, Seen};
use taskloom::resolver::vsphere::task::{VsphereTaskFilter, page};
use taskloom::resolver::{retention, vcenter};
use taskloom::store::migrate;
use taskloom::store::open::{DatabasePlace, Pools, open};
use taskloom_entity::{Timestamp, VsphereTaskState};

use super::rows;
use crate::harness::postgres;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

#[tokio::test]
async fn what_is_old_goes_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    what_is_old_goes(DatabasePlace::Folder(folder.path().into())).await;
}

#[tokio::test]
async fn what_is_old_goes_on_postgresql() {
    let database = postgres::database().await;
    what_is_old_goes(DatabasePlace::Postgres(database.url.clone())).await;
}

async fn what_is_old_goes(place: DatabasePlace) {
    let pools = Pools { connections: 2, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, _guard) = open(&place, pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    let clock = HeldClock::at(NOW.before(DAY * 30));
    let request = rows::system(store, clock.clone()).await;
    let tenant = taskloom::resolver::tenant::create(&request, "home").await.unwrap().id;
    for (name, keep_days) in [("limited", Some(10)), ("unlimited", None)] {
        let new = rows::vcenter(tenant, name, keep_days);
        vcenter::put(&request, new, false).await.unwrap();
    }
    for (_, lease, _) in collect::claim(&request, ("test", &mut collect::Leases::default()), DAY).await.unwrap() {
        let instance = collect::meet(&request, &lease, "instance").await.unwrap();
        let queued = NOW.before(DAY * 12);
        let tasks = vec![
            rows::ended("old", queued, NOW.before(DAY * 11)),
            rows::ended("young", queued, NOW.before(DAY * 9)),
            rows::running("open", queued),
            Seen { is_lost: true, state: VsphereTaskState::Error, ..rows::running("lost", queued) },
        ];
        let report = Report { lease, instance, source: ReportSource::Live, tasks };
        assert_eq!(collect::record(&request, &[report]).await.unwrap(), [true]);
    }
    clock.advance(DAY * 30);
    let round = retention::begin(&request).await.unwrap().unwrap();
    assert_eq!(round.vsphere(&request).await.unwrap(), 2);
    let kept = async |uuid: &str| {
        let id = vcenter::get_by_uuid(&request, uuid).await.unwrap().id;
        let filter = VsphereTaskFilter { vcenter_id: Some(id), ..VsphereTaskFilter::default() };
        let mut keys: Vec<String> =
            page(&request, &filter, (0, 10)).await.unwrap().into_iter().map(|task| task.key).collect();
        keys.sort();
        keys.join(" ")
    };
    assert_eq!(kept("limited").await, "open young");
    assert_eq!(kept("unlimited").await, "lost old open young");
}
