//! Tasks as they come in answers: every element, every reason, every type that nobody knows.

use taskloom::vsphere::{Error, Filter, Reason, Reference, TaskInfo, TaskState, Value};

use super::fixture;
use super::vcenter::{session, start};

/// The one task of an answer that retrieves properties.
async fn task(text: &'static str) -> TaskInfo {
    let server = start(move |request| (request.method() == "RetrievePropertiesEx").then(|| text.to_owned()));
    session(&server).await.task(&Reference::task("any")).await.unwrap()
}

/// A page of a history.
async fn page(text: impl Into<String>) -> Result<Vec<TaskInfo>, Error> {
    let text = text.into();
    let server = start(move |request| match request.method() {
        "CreateCollectorForTasks" => Some(fixture!("recorded/401-create-collector-unfiltered").into()),
        "ReadNextTasks" => Some(text.clone()),
        _ => None,
    });
    session(&server).await.history(&Filter::default()).await.unwrap().next(1000).await
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn micros(time: Option<chrono::DateTime<chrono::Utc>>) -> String {
    time.map(|time| time.format("%F %T%.6f").to_string()).unwrap_or_default()
}

fn machine(value: &str) -> Option<Reference> {
    Some(Reference::new("VirtualMachine", value))
}

#[tokio::test]
async fn running_with_everything() {
    let info = task(fixture!("definition/02-task-running-with-progress")).await;
    assert_eq!((info.key.as_str(), info.task.to_string().as_str()), ("task-3251", "Task:task-3251"));
    assert_eq!((info.state, info.progress), (TaskState::Running, Some(37)));
    assert_eq!((info.cancelled, info.cancelable), (false, true));
    assert_eq!(info.name.as_deref(), Some("CloneVM_Task"));
    assert_eq!(info.description_id, "VirtualMachine.clone");
    assert_eq!((info.entity, info.entity_name.as_deref()), (machine("vm-120"), Some("windowsserver2008R2")));
    assert_eq!(info.locked, [Reference::new("VirtualMachine", "vm-120"), Reference::new("Datastore", "datastore-15")]);
    assert_eq!(info.reason, Reason::User { user_name: "VSPHERE.LOCAL\\Administrator".into() });
    assert_eq!(micros(Some(info.queue_time)), "2026-03-02 08:15:04.113000");
    assert_eq!(micros(info.start_time), "2026-03-02 08:15:04.130274");
    assert_eq!((info.complete_time, info.event_chain_id), (None, 258_101));
    let description = info.description.unwrap();
    assert_eq!(description.key, "com.vmware.vim.vpxd.vmprov.copyingFiles");
    assert_eq!(description.message.as_deref(), Some("正在复制虚拟机文件"));
    let args = [("1".to_owned(), text("windowsserver2008R2")), ("2".to_owned(), Value::Int(2))];
    assert_eq!(description.args, args);
}

#[tokio::test]
async fn running_without_progress_or_with_details() {
    let info = task(fixture!("definition/03-task-running-progress-not-reported")).await;
    assert_eq!((info.progress, info.progress_details.len(), info.description), (None, 0, None));
    let info = task(fixture!("definition/04-task-running-progress-details-since-8.0.1.0")).await;
    assert_eq!((info.progress, info.progress_details[0].0.as_str()), (Some(5), "copiedBytes"));
    assert_eq!(info.progress_details[0].1, Value::Int(536_870_912));
}

#[tokio::test]
async fn queued_with_a_name_that_is_escaped() {
    let info = task(fixture!("definition/05-task-queued")).await;
    assert_eq!((info.state, info.start_time), (TaskState::Queued, None));
    assert_eq!(info.entity_name.as_deref(), Some("web & mail <old>"));
}

#[tokio::test]
async fn failed_with_the_fault_and_its_cause() {
    let info = task(fixture!("definition/06-task-error-with-fault")).await;
    assert_eq!((info.state, info.cancelled), (TaskState::Error, false));
    let fault = info.error.unwrap();
    assert_eq!(fault.kind, "InvalidPowerState");
    assert_eq!(fault.message(), "在当前状况(已关闭电源)下不允许执行尝试的操作。");
    assert_eq!(fault.detail("existingState"), Some(&text("poweredOff")));
    assert_eq!(fault.messages[0].message.as_deref(), Some("虚拟机已关闭电源"));
    let cause = fault.cause.unwrap();
    assert_eq!((cause.kind.as_str(), cause.message()), ("GenericVmConfigFault", "电源状况已更改"));
    assert_eq!(cause.detail("reason"), Some(&text("power state")));
}

#[tokio::test]
async fn cancelled() {
    let info = task(fixture!("definition/07-task-cancelled")).await;
    assert_eq!(
        (info.state, info.cancelled, info.error.unwrap().kind.as_str()),
        (TaskState::Error, true, "RequestCanceled")
    );
    assert_eq!(micros(info.complete_time), "2026-03-02 08:15:09.990000");
}

#[tokio::test]
async fn every_reason_in_a_page_of_the_history() {
    let page = page(fixture!("definition/08-read-next-tasks-every-reason")).await.unwrap();
    let keys = page.iter().map(|info| info.key.as_str()).collect::<Vec<_>>();
    assert_eq!(keys, ["3240", "3241", "3242", "3243", "3244", "3245", "3246", "3247"].map(|key| format!("task-{key}")));
    let [scheduled, by_alarm, by_system, tagged, activated, child, ..] = &page[..] else { panic!("{page:?}") };
    assert_eq!((&scheduled.name, &scheduled.entity, &scheduled.entity_name), (&None, &None, &None));
    let name = "VMware vSphere Update Manager Check Notification".into();
    let schedule = Reference::new("ScheduledTask", "schedule-2");
    assert_eq!(scheduled.reason, Reason::Schedule { name, scheduled_task: schedule });
    let (alarm, entity) = (Reference::new("Alarm", "alarm-6"), machine("vm-119").unwrap());
    let (alarm_name, entity_name) = ("Virtual machine CPU usage".into(), "centos7".into());
    assert_eq!(by_alarm.reason, Reason::Alarm { alarm_name, alarm, entity_name, entity });
    assert_eq!(by_system.reason, Reason::System);
    assert_eq!(by_system.result, Some(Value::Reference(Reference::new("HostSystem", "host-9"))));
    assert_eq!(tagged.change_tag.as_deref(), Some("nightly"));
    assert_eq!(activated.activation_id.as_deref(), Some("a-77f1"));
    let keys = (child.parent_task_key.as_deref(), child.root_task_key.as_deref());
    assert_eq!(keys, (Some("task-3244"), Some("task-3244")));
}

#[tokio::test]
async fn types_that_nobody_knows_are_named_and_skipped() {
    let page = page(fixture!("definition/10-task-with-types-this-client-does-not-know")).await.unwrap();
    let fault = page[0].error.as_ref().unwrap();
    assert_eq!((fault.kind.as_str(), fault.message()), ("VsanInventedFault", "vSAN: invented fault"));
    assert_eq!(page[0].result, Some(Value::Other { kind: "ArrayOfInventedType".into() }));
    assert_eq!(page[0].event_chain_id, 258_101);
}

#[tokio::test]
async fn the_end_of_a_history_is_an_empty_page() {
    assert_eq!(page(fixture!("definition/09-read-next-tasks-empty")).await.unwrap(), []);
    assert_eq!(page(fixture!("recorded/415-read-next-by-running-and-queued")).await.unwrap(), []);
}

#[tokio::test]
async fn recorded_pages() {
    let page = page(fixture!("recorded/403-read-next-by-queued-time")).await.unwrap();
    let keys = page.iter().map(|info| info.key.as_str()).collect::<Vec<_>>();
    assert_eq!(keys, ["task-8", "task-10", "task-12"]);
    assert!(
        page.iter().all(|info| info.reason == Reason::User { user_name: "vcsim".into() } && info.start_time.is_some())
    );
}

#[tokio::test]
async fn recorded_tasks_with_another_prefix_for_types() {
    for (text, kind, value) in [
        (fixture!("recorded/209-create-snapshot-info"), "VirtualMachineSnapshot", "snapshot-73"),
        (fixture!("recorded/215-clone-info"), "VirtualMachine", "vm-78"),
    ] {
        assert_eq!(task(text).await.result, Some(Value::Reference(Reference::new(kind, value))));
    }
    let info = task(fixture!("recorded/203-power-off-again-fails-info")).await;
    let fault = info.error.unwrap();
    assert_eq!((info.state, fault.kind.as_str()), (TaskState::Error, "InvalidPowerState"));
    assert_eq!(fault.detail("requestedState"), Some(&text("poweredOff")));
}

#[tokio::test]
async fn every_recorded_task() {
    for (text, key, description_id, state) in [
        (fixture!("recorded/201-power-off-info"), "task-68", "VirtualMachine.powerOff", TaskState::Success),
        (fixture!("recorded/205-power-on-info"), "task-70", "VirtualMachine.powerOn", TaskState::Success),
        (fixture!("recorded/207-reconfigure-info"), "task-71", "VirtualMachine.reconfigVm", TaskState::Success),
        (
            fixture!("recorded/211-revert-to-snapshot-info"),
            "task-74",
            "VirtualMachineSnapshot.revertToSnapshot",
            TaskState::Success,
        ),
        (
            fixture!("recorded/213-remove-snapshot-info"),
            "task-75",
            "VirtualMachineSnapshot.removeSnapshot",
            TaskState::Success,
        ),
        (fixture!("recorded/217-destroy-info"), "task-79", "VirtualMachine.destroy", TaskState::Success),
    ] {
        let info = task(text).await;
        assert_eq!((info.key.as_str(), info.description_id.as_str(), info.state), (key, description_id, state));
        assert!(info.complete_time >= info.start_time && info.start_time.is_some());
    }
}

#[tokio::test]
async fn every_recorded_page() {
    for (text, count) in [
        (fixture!("recorded/405-read-next-by-completed-time"), 3),
        (fixture!("recorded/407-read-next-by-entity-self"), 3),
        (fixture!("recorded/409-read-next-by-entity-children"), 3),
        (fixture!("recorded/411-read-next-by-entity-all"), 3),
        (fixture!("recorded/413-read-next-by-state"), 1),
        (fixture!("recorded/419-read-next-tasks-after-create"), 2),
        (fixture!("recorded/421-read-previous-tasks-after-reset"), 2),
        (fixture!("recorded/422-read-previous-tasks-again"), 2),
        (fixture!("recorded/424-read-next-tasks-after-rewind"), 2),
    ] {
        let tasks = page(text).await.unwrap();
        assert_eq!(tasks.len(), count);
        assert!(tasks.iter().all(|info| info.key == info.task.value && info.state.is_final()));
    }
}
