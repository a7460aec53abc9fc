//! Two vCenters. What the first one has is what the dialect's document shows as recent; the second one has the document's
//! other two tasks and one of every other kind.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskloom::auth::Principal;
use taskloom::error::{Language, Result};
use taskloom::resolver::vsphere::collect::{self, News, Object, Report, ReportSource};
use taskloom::resolver::vsphere::info;
use taskloom::resolver::{App, Request};
use taskloom::store;
use taskloom::vault::{Place, Sealed};
use taskloom::vsphere::{Fault, LocalizableMessage, Reason, Reference, TaskInfo, TaskState, Value};
use taskloom_entity::{CollectionState, TenantId, VcenterTrust};

/// As the document names its vCenter.
pub(in crate::compat) const FIRST: &str = "e0fd06e7-b891-4fca-ad56-e36981bee2a3";
/// The other.
pub(in crate::compat) const SECOND: &str = "5f2b9d1c-0a77-4c1e-9d52-1f6d1f1b7a10";

/// Registers both, and collects what they have.
pub(in crate::compat) async fn fill(app: &Arc<App>, tenant: TenantId) {
    let request = Request {
        app: app.clone(),
        principal: Principal::system("test"),
        language: Language::Zh,
        id: "0000000000000000".into(),
        address: None,
    };
    for (name, uuid) in [("first", FIRST), ("second", SECOND)] {
        let new = store::vcenter::NewVcenterRow {
            tenant_id: tenant,
            name: name.into(),
            uuid: uuid.into(),
            address: format!("https://{name}.example.com/sdk"),
            username: "reader".into(),
            trust: VcenterTrust::System,
            trusted: None,
            collect: true,
            keep_days: None,
        };
        let tx = app.store.begin().await.unwrap();
        let made = ("test".to_owned(), app.clock.now());
        store::vcenter::put(&tx, (new, None), made, None::<fn(Place) -> Result<Sealed>>).await.unwrap();
        tx.commit().await.unwrap();
    }
    let claimed =
        collect::claim(&request, ("test", &mut collect::Leases::default()), Duration::from_secs(15)).await.unwrap();
    for (vcenter, lease, _) in claimed {
        let instance = collect::meet(&request, &lease, &format!("instance of {}", vcenter.name)).await.unwrap();
        let state = Some((CollectionState::Following, None));
        let news = News { state, instance_id: Some(instance), clock_offset: Some(0), ..News::default() };
        assert!(collect::tell(&request, &lease, news).await.unwrap());
        collect::objects(&request, &lease, &objects()).await.unwrap();
        let words = [("Task.own", "自己的任务"), ("VirtualMachine.powerOn", "打开电源")];
        let words = words.map(|(id, label)| (id.to_owned(), label.to_owned())).to_vec();
        collect::labels(&request, &lease, "zh_CN", words).await.unwrap();
        let tasks = if vcenter.name == "first" { recent() } else { [others(), unfinished()].concat() };
        let tasks: Vec<_> = tasks.into_iter().map(info::seen).collect();
        let report = Report { lease: lease.clone(), instance, source: ReportSource::First, tasks };
        assert_eq!(collect::record(&request, &[report]).await.unwrap(), [true]);
        if vcenter.name == "second" {
            let open = collect::unfinished(&request, vcenter.id).await.unwrap();
            let lost = open.into_iter().filter(|task| task.key == "task-3290").map(collect::lost).collect();
            let report = Report { lease, instance, source: ReportSource::Live, tasks: lost };
            collect::record(&request, &[report]).await.unwrap();
        }
    }
}

fn objects() -> Vec<Object> {
    let object = |reference: &str, name: &str, parent: Option<&str>, host: Option<&str>| Object {
        reference: reference.into(),
        name: name.into(),
        parent: parent.map(Into::into),
        host: host.map(Into::into),
    };
    vec![
        object("Folder:group-d1", "Datacenters", None, None),
        object("Datacenter:datacenter-2", "机房一", Some("Folder:group-d1"), None),
        object("Folder:group-v3", "vm", Some("Datacenter:datacenter-2"), None),
        object("HostSystem:host-10", "10.0.0.10", Some("Datacenter:datacenter-2"), None),
        object("VirtualMachine:vm-119", "ActiveDirectory", Some("Folder:group-v3"), Some("HostSystem:host-10")),
        object("VirtualMachine:vm-120", "windowsserver2008R2", Some("Folder:group-v3"), Some("HostSystem:host-10")),
        object("VirtualMachine:vm-664", "Stabilitywi10", Some("Folder:group-v3"), None),
        object("Datastore:datastore-7", "ds", Some("Datacenter:datacenter-2"), None),
    ]
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A task that ended well.
fn ended(number: u32, description_id: &str, entity: (&str, &str), times: [&str; 3], chain: i32) -> TaskInfo {
    let key = format!("task-{number}");
    TaskInfo {
        task: Reference::task(key.as_str()),
        key,
        description: None,
        name: None,
        description_id: description_id.into(),
        entity: Reference::parse(entity.0).ok(),
        entity_name: Some(entity.1.into()),
        locked: vec![],
        state: TaskState::Success,
        cancelled: false,
        cancelable: false,
        error: None,
        result: None,
        progress: None,
        progress_details: vec![],
        reason: Reason::User { user_name: "VSPHERE.LOCAL\\Administrator".into() },
        queue_time: at(times[0]),
        start_time: Some(at(times[1])),
        complete_time: Some(at(times[2])),
        event_chain_id: chain,
        change_tag: None,
        parent_task_key: None,
        root_task_key: None,
        activation_id: None,
        flaw: None,
    }
}

fn named(name: &str, info: TaskInfo) -> TaskInfo {
    TaskInfo { name: Some(name.into()), ..info }
}

/// The three tasks of the document's first example.
fn recent() -> Vec<TaskInfo> {
    let stability = ("VirtualMachine:vm-664", "Stabilitywi10");
    let reconfigured = ["2021-08-30T11:41:27.79623Z", "2021-08-30T11:41:27.799549Z", "2021-08-30T11:41:28.051857Z"];
    let reverted = ["2021-08-30T11:40:35.097611Z", "2021-08-30T11:40:35.101601Z", "2021-08-30T11:41:07.370567Z"];
    let removed = ["2021-08-30T11:40:34.765437Z", "2021-08-30T11:40:34.776468Z", "2021-08-30T11:41:03.668794Z"];
    let directory = ("VirtualMachine:vm-119", "ActiveDirectory");
    vec![
        named("RemoveSnapshot_Task", ended(3071, "vm.Snapshot.remove", stability, removed, 244_389)),
        named("RevertToSnapshot_Task", ended(3073, "vm.Snapshot.revert", stability, reverted, 244_399)),
        named("ReconfigVM_Task", ended(3074, "VirtualMachine.reconfigure", directory, reconfigured, 244_413)),
    ]
}

/// The tasks of the document's other two examples, and others.
fn others() -> Vec<TaskInfo> {
    let directory = ("VirtualMachine:vm-119", "ActiveDirectory");
    let host = ("HostSystem:host-10", "10.0.0.10");
    let windows = ("VirtualMachine:vm-120", "windowsserver2008R2");
    let reconfigured = ["2021-08-31T05:54:36.499Z", "2021-08-31T05:54:36.508Z", "2021-08-31T05:54:36.713999Z"];
    let checked = ["2021-08-31T08:15:01.673Z", "2021-08-31T08:15:02.710999Z", "2021-08-31T08:18:02.790999Z"];
    let scheduled = Reason::Schedule {
        name: "VMware vSphere Update Manager Check Notification".into(),
        scheduled_task: Reference::new("ScheduledTask", "schedule-2"),
    };
    let alarmed = Reason::Alarm {
        alarm_name: "cpu".into(),
        alarm: Reference::new("Alarm", "alarm-4"),
        entity_name: "10.0.0.10".into(),
        entity: Reference::new("HostSystem", "host-10"),
    };
    let fault = Fault {
        kind: "InvalidPowerState".into(),
        localized_message: Some("在当前状况下不允许执行此操作。".into()),
        messages: vec![],
        cause: None,
        details: vec![("existingState".into(), Value::Text("poweredOn".into()))],
    };
    let check = "com.vmware.vcIntegrity.CheckNotificationTask";
    vec![
        named("ReconfigVM_Task", ended(3247, "VirtualMachine.reconfigure", windows, reconfigured, 258_101)),
        TaskInfo {
            cancelable: true,
            reason: scheduled,
            ..ended(3276, check, ("Folder:group-d1", "Datacenters"), checked, 261_116)
        },
        TaskInfo {
            reason: Reason::System,
            result: Some(Value::Reference(Reference::new("VirtualMachine", "vm-120"))),
            change_tag: Some("tag".into()),
            activation_id: Some("activation".into()),
            ..named("CloneVM_Task", of(3280, "VirtualMachine.clone", windows, 9))
        },
        TaskInfo { reason: alarmed, ..named("PowerOnVM_Task", of(3281, "VirtualMachine.powerOn", directory, 10)) },
        TaskInfo {
            state: TaskState::Error,
            error: Some(fault),
            ..named("PowerOnVM_Task", of(3282, "VirtualMachine.powerOn", directory, 11))
        },
        TaskInfo {
            state: TaskState::Error,
            cancelled: true,
            ..named("EnterMaintenanceMode_Task", of(3283, "HostSystem.enterMaintenanceMode", host, 12))
        },
    ]
}

/// Those that have not ended.
fn unfinished() -> Vec<TaskInfo> {
    let directory = ("VirtualMachine:vm-119", "ActiveDirectory");
    let host = ("HostSystem:host-10", "10.0.0.10");
    let windows = ("VirtualMachine:vm-120", "windowsserver2008R2");
    let note = LocalizableMessage {
        key: "com.vmware.note".into(),
        args: vec![("disk".into(), Value::Int(2))],
        message: Some("正在复制磁盘 2".into()),
    };
    vec![
        TaskInfo {
            state: TaskState::Running,
            progress: Some(42),
            description: Some(note),
            complete_time: None,
            cancelable: true,
            locked: vec![Reference::new("VirtualMachine", "vm-119"), Reference::new("Datastore", "datastore-7")],
            parent_task_key: Some("task-3280".into()),
            root_task_key: Some("task-3280".into()),
            ..named("RelocateVM_Task", of(3284, "VirtualMachine.relocate", directory, 13))
        },
        TaskInfo {
            state: TaskState::Queued,
            start_time: None,
            complete_time: None,
            entity: None,
            entity_name: None,
            ..of(3285, "Task.own", host, 14)
        },
        TaskInfo { state: TaskState::Running, complete_time: None, ..of(3290, "Unknown.thing", windows, 15) },
    ]
}

/// A task of an hour.
fn of(number: u32, id: &str, entity: (&str, &str), hour: u32) -> TaskInfo {
    let at = |rest: &str| format!("2021-08-31T{hour:02}:00:{rest}Z");
    let times = [at("00"), at("01.5"), at("09.25")];
    ended(number, id, entity, [&times[0], &times[1], &times[2]], 261_200 + i32::try_from(number).unwrap())
}
