//! What is kept of what vCenters tell, whatever they tell: each task once, each object once, in both databases.

use std::sync::Arc;
use std::time::Duration;

use taskloom::clock::SystemClock;
use taskloom::resolver::vsphere::collect::{self, Lease, Leases, Object, Report, ReportSource, Seen};
use taskloom::resolver::vsphere::{info, task};
use taskloom::resolver::{Request, vcenter};
use taskloom::store::migrate;
use taskloom::store::open::FolderGuard;
use taskloom::vsphere::{Fault, LocalizableMessage, Reason, Reference, TaskInfo, TaskState, Value};
use taskloom_entity::{VsphereInstanceId, VsphereTaskState, vsphere_task};

use super::lab::{Ground, on_both};
use super::rows;

on_both!(an_object_that_is_named_twice_is_one, a_task_that_is_told_often_is_one, extremes_are_kept);

/// A collector's side.
struct Bench {
    request: Request,
    lease: Lease,
    instance: VsphereInstanceId,
    _held: FolderGuard,
}

impl Bench {
    async fn on(ground: &Ground) -> Self {
        let (store, held) = ground.store().await;
        migrate::up(&store).await.unwrap();
        let request = rows::system(store, Arc::new(SystemClock)).await;
        let tenant = taskloom::resolver::tenant::create(&request, "home").await.unwrap().id;
        let new = rows::vcenter(tenant, "lab", None);
        vcenter::put(&request, new, false).await.unwrap();
        let claimed =
            collect::claim(&request, ("test", &mut Leases::default()), Duration::from_secs(600)).await.unwrap();
        let lease = claimed.into_iter().next().unwrap().1;
        let instance = collect::meet(&request, &lease, "instance").await.unwrap();
        Self { request, lease, instance, _held: held }
    }

    async fn record(&self, tasks: Vec<TaskInfo>, source: ReportSource) {
        let report = self.report(tasks, source);
        assert_eq!(collect::record(&self.request, &[report]).await.unwrap(), [true]);
    }

    fn report(&self, tasks: Vec<TaskInfo>, source: ReportSource) -> Report {
        let tasks: Vec<Seen> = tasks.into_iter().map(info::seen).collect();
        Report { lease: self.lease.clone(), instance: self.instance, source, tasks }
    }

    async fn kept(&self) -> Vec<vsphere_task::Model> {
        task::page(&self.request, &task::VsphereTaskFilter::default(), (0, 100)).await.unwrap()
    }
}

fn task(key: &str, state: TaskState, queued: &str) -> TaskInfo {
    TaskInfo {
        key: key.into(),
        task: Reference::task(key),
        description: None,
        name: None,
        description_id: "VirtualMachine.powerOn".into(),
        entity: Some(Reference::new("VirtualMachine", "vm-1")),
        entity_name: None,
        locked: vec![],
        state,
        cancelled: false,
        cancelable: false,
        error: None,
        result: None,
        progress: None,
        progress_details: vec![],
        reason: Reason::System,
        queue_time: queued.parse().unwrap(),
        start_time: None,
        complete_time: None,
        event_chain_id: 7,
        change_tag: None,
        parent_task_key: None,
        root_task_key: None,
        activation_id: None,
        flaw: None,
    }
}

async fn an_object_that_is_named_twice_is_one(ground: Ground) {
    let bench = Bench::on(&ground).await;
    let object = |name: &str| Object {
        reference: "VirtualMachine:vm-1".into(),
        name: name.into(),
        parent: Some("Folder:group-1".into()),
        host: None,
    };
    let all = [object("old"), object("new")];
    collect::objects(&bench.request, &bench.lease, &all).await.unwrap();
    collect::objects(&bench.request, &bench.lease, &all).await.unwrap();
    let asked = vec!["VirtualMachine:vm-1".to_owned(), "VirtualMachine:vm-2".to_owned()];
    let strangers = collect::strangers(&bench.request, &bench.lease, asked).await.unwrap();
    assert_eq!(strangers, ["VirtualMachine:vm-2"]);
}

async fn a_task_that_is_told_often_is_one(ground: Ground) {
    let bench = Bench::on(&ground).await;
    let (exact, vague) = ("2026-03-02T08:15:04.713742Z", "2026-03-02T08:15:04.713999Z");
    let running = |at, progress| TaskInfo { progress, ..task("task-1", TaskState::Running, at) };
    // Within one page, and in what several bring at a time: the newest counts, an end is final, exactness is kept.
    let page = vec![running(vague, Some(99)), running(exact, Some(99)), running(vague, Some(99))];
    let read = bench.report(vec![running(vague, Some(10))], ReportSource::Read);
    let reports = [bench.report(page, ReportSource::Live), read];
    assert_eq!(collect::record(&bench.request, &reports).await.unwrap(), [true, true]);
    let all = bench.kept().await;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].progress, all[0].queued_at.to_string().as_str()), (Some(99), exact));
    let ended = TaskInfo {
        description_id: String::new(),
        entity: None,
        complete_time: Some("2026-03-02T08:15:09Z".parse().unwrap()),
        ..task("task-1", TaskState::Success, vague)
    };
    bench.record(vec![ended, running(exact, Some(50))], ReportSource::Live).await;
    let all = bench.kept().await;
    assert_eq!((all.len(), all[0].state), (1, VsphereTaskState::Success));
    assert_eq!(all[0].queued_at.to_string(), exact);
    assert_eq!(all[0].description_id, "VirtualMachine.powerOn", "what was known is not lost");
    assert_eq!(all[0].entity.as_deref(), Some("VirtualMachine:vm-1"));
    // A second apart it is another task that was given the key.
    bench.record(vec![task("task-1", TaskState::Queued, "2026-03-02T08:15:05.713742Z")], ReportSource::Live).await;
    assert_eq!(bench.kept().await.len(), 2);
}

/// Whatever passes the client's reader is kept, or kept in part; nothing of it fails a database.
async fn extremes_are_kept(ground: Ground) {
    let bench = Bench::on(&ground).await;
    let long = "升".repeat(1300);
    let fault = Fault {
        kind: "Timedout".into(),
        localized_message: Some(long.clone()),
        messages: vec![LocalizableMessage { key: "k".into(), args: vec![], message: Some(long.clone()) }; 3000],
        cause: None,
        details: (0..3000).map(|number| (format!("d{number}"), Value::Text(long.clone()))).collect(),
    };
    let tasks = vec![
        task("task-1", TaskState::Success, "0001-01-01T00:00:00Z"),
        task("task-2", TaskState::Success, "1969-12-31T23:59:59.999999Z"),
        task("task-3", TaskState::Running, "9999-12-31T23:59:59.999999Z"),
        TaskInfo {
            event_chain_id: i32::MIN + 1,
            progress: Some(i32::MAX),
            ..task("task-4", TaskState::Running, "2026-03-02T00:00:00Z")
        },
        TaskInfo {
            error: Some(fault),
            entity: Some(Reference::new("X".repeat(200), "y".repeat(200))),
            entity_name: Some(long.clone()),
            reason: Reason::Other(String::new()),
            locked: vec![Reference::new("VirtualMachine", "vm-404"); 5000],
            ..task(&"k".repeat(200), TaskState::Error, "2026-03-02T00:00:00Z")
        },
    ];
    bench.record(tasks.clone(), ReportSource::First).await;
    bench.record(tasks, ReportSource::Read).await;
    let all = bench.kept().await;
    assert_eq!(all.len(), 5);
    let of = |key: &str| all.iter().find(|task| task.key == key).unwrap();
    assert_eq!(of("task-1").queued_at.to_string(), "0001-01-01T00:00:00.000000Z");
    assert_eq!(of("task-3").queued_at.to_string(), "9999-12-31T23:59:59.999999Z");
    assert_eq!(of("task-4").progress, Some(100));
    let large = of(&"k".repeat(200));
    assert_eq!(large.message.as_deref(), Some(long.as_str()));
    let rest = large.rest.as_ref().unwrap();
    assert!(rest.as_str().len() < 70_000, "{}", rest.as_str().len());
    assert_eq!(rest.value()["_leftOut"], serde_json::json!(["error"]));
    assert_eq!(rest.value()["locked"].as_array().unwrap().len(), 100);
}
