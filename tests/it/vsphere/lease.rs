//! Leases of collectors on servers whose clocks differ, and the deletion of a vCenter with a long history.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use taskloom::clock::HeldClock;
use taskloom::error::code;
use taskloom::resolver::vsphere::collect::{self, Leases, Report, ReportSource, Seen};
use taskloom::resolver::vsphere::task::{VsphereTaskFilter, count};
use taskloom::resolver::{Request, retention, vcenter};
use taskloom::store::open::{DatabasePlace, FolderGuard, Pools, open};
use taskloom::store::{Store, migrate, removal};
use taskloom_entity::{Timestamp, VcenterId};

use super::rows;
use crate::harness::postgres;

const LEASE: Duration = Duration::from_secs(15);
const OVER: Duration = Duration::from_secs(16);
const HOUR: Duration = Duration::from_secs(3600);
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// A server: its part of the database, its clock, and what it has seen of leases.
struct Server {
    name: &'static str,
    request: Request,
    clock: Arc<HeldClock>,
    leases: Leases,
}

impl Server {
    async fn new(name: &'static str, store: &Store, at: Timestamp) -> Self {
        let clock = HeldClock::at(at);
        let request = rows::system(store.clone(), clock.clone()).await;
        Self { name, request, clock, leases: Leases::default() }
    }

    /// The lease that a look gives it.
    async fn look(&mut self) -> Option<collect::Lease> {
        let claimed = collect::claim(&self.request, (self.name, &mut self.leases), LEASE).await.unwrap();
        claimed.into_iter().next().map(|(_, lease, _)| lease)
    }

    async fn renew(&self, lease: &collect::Lease) -> bool {
        collect::renew(&self.request, lease, LEASE).await.unwrap()
    }

    async fn register(&self, name: &str) -> VcenterId {
        let tenant = match taskloom::store::tenant::find_by_name(self.request.store.read(), "home").await.unwrap() {
            Some(tenant) => tenant.id,
            None => taskloom::resolver::tenant::create(&self.request, "home").await.unwrap().id,
        };
        let new = rows::vcenter(tenant, name, None);
        vcenter::put(&self.request, new, false).await.unwrap().vcenter.unwrap().id
    }
}

async fn on_both(story: impl AsyncFn(Store)) {
    let folder = tempfile::tempdir().unwrap();
    let (store, _guard) = opened(&DatabasePlace::Folder(folder.path().into())).await;
    story(store).await;
    let database = postgres::database().await;
    let (store, _guard) = opened(&DatabasePlace::Postgres(database.url.clone())).await;
    story(store.clone()).await;
    store.close().await;
}

async fn opened(place: &DatabasePlace) -> (Store, FolderGuard) {
    let (store, guard) =
        open(place, Pools { connections: 8, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) })
            .await
            .unwrap();
    migrate::up(&store).await.unwrap();
    (store, guard)
}

#[tokio::test]
async fn servers_whose_clocks_differ_take_no_lease_from_each_other() {
    on_both(async |store| {
        for (round, theirs) in [NOW.after(HOUR), NOW.before(HOUR)].into_iter().enumerate() {
            let mut here = Server::new("here", &store, NOW).await;
            let mut there = Server::new("there", &store, theirs).await;
            let id = here.register(&format!("v{round}")).await;
            let lease = here.look().await.unwrap();
            for _ in 0..12 {
                assert_eq!(there.look().await, None);
                here.clock.advance(Duration::from_secs(5));
                there.clock.advance(Duration::from_secs(5));
                assert!(here.renew(&lease).await);
            }
            // Nor does it help to set one.
            here.clock.set(NOW.after(HOUR * 2));
            assert_eq!((here.look().await, there.look().await), (None, None));
            assert!(here.renew(&lease).await);
            // It dies: the other one has to see it silent first.
            assert_eq!(there.look().await, None);
            there.clock.advance(LEASE);
            assert_eq!(there.look().await, None);
            there.clock.advance(OVER - LEASE);
            let next = there.look().await.unwrap();
            assert_eq!((next.vcenter_id, next.epoch), (id, lease.epoch + 1));
            assert!(!here.renew(&lease).await, "who comes back has lost it");
            assert_eq!(here.look().await, None, "and has seen nothing of the new one yet");
            // A good-bye hands over at once.
            collect::release(&there.request, &next).await.unwrap();
            let last = here.look().await.unwrap();
            assert_eq!(last.epoch, next.epoch + 1);
            vcenter::delete(&here.request, id, false).await.unwrap();
            assert!(!here.renew(&last).await, "what is deleted is not collected");
            assert_eq!((here.look().await, there.look().await), (None, None));
        }
    })
    .await;
}

#[tokio::test]
async fn a_deleted_vcenter_is_gone_at_once_and_its_history_bite_by_bite() {
    on_both(async |store| {
        let mut server = Server::new("here", &store, NOW).await;
        let (gone, stays) = (server.register("gone").await, server.register("stays").await);
        let claimed = collect::claim(&server.request, ("here", &mut server.leases), LEASE).await.unwrap();
        let mut leases = vec![];
        for (_, lease, _) in claimed {
            let instance = collect::meet(&server.request, &lease, "instance").await.unwrap();
            let tasks = (0..2_500).map(|n| ended(&format!("task-{n}"))).collect();
            let report = Report { lease: lease.clone(), instance, source: ReportSource::Live, tasks };
            assert_eq!(collect::record(&server.request, &[report]).await.unwrap(), [true]);
            leases.push((lease, instance));
        }
        let request = &server.request;
        let refused = vcenter::delete(request, gone, false).await.unwrap_err();
        assert_eq!(refused.code(), &code::INVALID_INPUT);
        assert!(vcenter::get(request, gone).await.is_ok(), "what is refused changes nothing");

        assert_eq!(vcenter::delete(request, gone, true).await.unwrap().name, "gone");
        assert_eq!(vcenter::get(request, gone).await.unwrap_err().code(), &code::VCENTER_NOT_FOUND);
        assert_eq!(vcenter::delete(request, gone, true).await.unwrap_err().code(), &code::VCENTER_NOT_FOUND);
        assert_eq!(count(request, &VsphereTaskFilter::default()).await.unwrap(), 2_500, "its tasks are gone with it");
        assert_eq!(rows(&store, "vsphere_task").await, 5_000, "and are removed later");
        let (lease, instance) = leases.into_iter().find(|(lease, _)| lease.vcenter_id == gone).unwrap();
        let report = Report { lease, instance, source: ReportSource::Live, tasks: vec![ended("late")] };
        assert_eq!(collect::record(request, &[report]).await.unwrap(), [false], "its collector adds nothing");
        // Name and uuid are free at once.
        let again = server.register("gone").await;
        assert!(again != gone);

        // Whoever was to remove the history dies behind the first bite; another one goes on.
        let rests = removal::rests(store.read()).await.unwrap();
        assert_eq!(rests, [removal::RemovalRest::Vcenter(gone)]);
        let tx = store.begin().await.unwrap();
        assert_eq!(removal::bite(&tx, removal::Removable::Deleted(rests[0]), &mut 0).await.unwrap(), removal::BITE);
        tx.commit().await.unwrap();
        let other = Server::new("other", &store, NOW.before(HOUR)).await;
        let round = retention::begin(&other.request).await.unwrap().unwrap();
        assert!(round.deleted(&other.request).await.unwrap() > 500);
        let left = format!("vsphere_task WHERE vcenter_id <> {stays}");
        assert_eq!((rows(&store, &left).await, rows(&store, "removal").await), (0, 0));
        assert_eq!(rows(&store, "vsphere_event").await, rows(&store, "vsphere_task").await, "with their events");
        assert_eq!((rows(&store, "vcenter").await, rows(&store, "vsphere_task").await), (2, 2_500));
    })
    .await;
}

async fn rows(store: &Store, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) AS rows FROM {table}");
    let row = store.read().query_one_raw(sea_orm::Statement::from_string(store.backend(), sql)).await.unwrap();
    row.unwrap().try_get("", "rows").unwrap()
}

fn ended(key: &str) -> Seen {
    rows::ended(key, NOW, NOW)
}
