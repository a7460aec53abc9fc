//! The dialect's JSON: an item of a list, and within it the task as the vCenter tells it, its keys in upper camel case.

use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Map, Value, json};
use taskloom_entity::{Timestamp, VsphereTaskState, vsphere_task};
use utoipa::ToSchema;

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident: $data:ty),+ $(,)?) => {$(
        $(#[$doc])*
        #[expect(dead_code, reason = "the envelope around an answer, for the description")]
        #[derive(ToSchema)]
        pub struct $name {
            /// 0: it went well.
            #[schema(example = 0)]
            scode: u32,
            /// What went wrong in detail.
            #[schema(example = "")]
            desc: String,
            /// What went wrong, in English.
            #[schema(example = "success")]
            message: String,
            /// The same in Chinese.
            #[schema(example = "成功")]
            message_cn: String,
            /// Where: `host:…,module:…,code:…,func:…`.
            stack: Option<Vec<String>>,
            /// Null: it went wrong.
            data: Option<$data>,
        }
    )+};
}

answers! {
    /// The recent tasks, a bare list.
    RecentAnswer: Vec<Item>,
    /// A page of tasks.
    ListAnswer: VsphereTaskList,
}

/// A page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = List)]
pub struct VsphereTaskList {
    /// How many there are on all pages.
    pub total_count: u64,
    /// The newest first.
    pub list: Vec<Item>,
}

/// A task.
#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    /// The vCenter's key.
    #[schema(example = "task-3074")]
    key: String,
    /// `Task:` and the key.
    #[schema(example = "Task:task-3074")]
    task_reference: String,
    /// What the operation is called.
    #[schema(example = "重新配置虚拟机")]
    name: String,
    /// The object.
    #[schema(example = "VirtualMachine:vm-119")]
    entity: String,
    /// The object's name.
    #[schema(example = "ActiveDirectory")]
    target: String,
    /// `queued`, `running`, `success` or `error`.
    #[schema(example = "success")]
    status: &'static str,
    /// 0 to 100 while it runs, else 0.
    #[schema(minimum = 0, maximum = 100)]
    progress: i32,
    /// What it is doing.
    detail: String,
    /// Who began it.
    #[schema(example = "VSPHERE.LOCAL\\Administrator")]
    user: String,
    /// Unix seconds.
    create_time: i64,
    /// Unix seconds; 0: not yet.
    start_time: i64,
    /// Unix seconds; 0: not yet.
    finish_time: i64,
    /// What went wrong.
    message: String,
    /// As the vCenter tells it.
    task: VsphereTaskInfo,
}

/// The vCenter's `TaskInfo`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = Info)]
struct VsphereTaskInfo {
    key: String,
    task: Reference,
    #[schema(value_type = Option<Object>)]
    description: Value,
    name: String,
    description_id: String,
    entity: Option<Reference>,
    entity_name: String,
    locked: Option<Vec<Reference>>,
    state: &'static str,
    cancelled: bool,
    cancelable: bool,
    #[schema(value_type = Option<Object>)]
    error: Value,
    result: Value,
    progress: i32,
    #[schema(value_type = Object)]
    reason: Value,
    queue_time: String,
    start_time: Option<String>,
    complete_time: Option<String>,
    event_chain_id: i32,
    change_tag: String,
    parent_task_key: String,
    root_task_key: String,
    activation_id: String,
}

/// An object of the vCenter.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
struct Reference {
    #[schema(example = "VirtualMachine")]
    r#type: String,
    #[schema(example = "vm-119")]
    value: String,
}

impl Reference {
    fn read(text: &str) -> Self {
        let (kind, value) = text.split_once(':').unwrap_or(("", text));
        Self { r#type: kind.to_owned(), value: value.to_owned() }
    }
}

impl Item {
    /// A task, with what its operation is called.
    #[must_use]
    pub fn of(task: vsphere_task::Model, name: String) -> Self {
        let info = VsphereTaskInfo::of(&task);
        Self {
            task_reference: format!("Task:{}", task.key),
            key: task.key,
            name,
            entity: task.entity.unwrap_or_default(),
            target: task.entity_name.unwrap_or_default(),
            status: word(task.state),
            progress: info.progress,
            detail: task.detail.unwrap_or_default(),
            user: task.username.unwrap_or_default(),
            create_time: seconds(Some(task.queued_at)),
            start_time: seconds(task.started_at),
            finish_time: seconds(task.completed_at),
            message: task.message.unwrap_or_default(),
            task: info,
        }
    }
}

impl VsphereTaskInfo {
    fn of(task: &vsphere_task::Model) -> Self {
        let mut rest = match task.rest.as_ref().map(|rest| raised(rest.value())) {
            Some(Value::Object(rest)) => rest,
            _ => Map::new(),
        };
        let mut take = |name: &str| rest.remove(name);
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
        let reference = |value: Value| {
            let part = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
            Reference { r#type: part("Type"), value: part("Value") }
        };
        let locked = take("Locked").and_then(|locked| match locked {
            Value::Array(locked) => Some(locked.into_iter().map(reference).collect()),
            _ => None,
        });
        Self {
            key: task.key.clone(),
            task: Reference { r#type: "Task".into(), value: task.key.clone() },
            description: take("Description").unwrap_or_default(),
            name: task.name.clone().unwrap_or_default(),
            description_id: task.description_id.clone(),
            entity: task.entity.as_deref().map(Reference::read),
            entity_name: task.entity_name.clone().unwrap_or_default(),
            locked,
            state: word(task.state),
            cancelled: task.cancelled,
            cancelable: task.cancelable,
            error: take("Error").unwrap_or_default(),
            result: take("Result").unwrap_or_default(),
            progress: match task.state {
                VsphereTaskState::Running => task.progress.unwrap_or_default(),
                VsphereTaskState::Queued | VsphereTaskState::Success | VsphereTaskState::Error => 0,
            },
            reason: match (take("Reason"), &task.username) {
                (Some(reason), _) => reason,
                (None, Some(user)) => json!({"UserName": user}),
                (None, None) => json!({}),
            },
            queue_time: instant(task.queued_at),
            start_time: task.started_at.map(instant),
            complete_time: task.completed_at.map(instant),
            event_chain_id: task.event_chain_id,
            change_tag: text(take("ChangeTag")),
            parent_task_key: task.parent_key.clone().unwrap_or_default(),
            root_task_key: task.root_key.clone().unwrap_or_default(),
            activation_id: text(take("ActivationId")),
        }
    }
}

/// The same with keys in upper camel case, and without the names of types.
fn raised(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let pairs = object.into_iter().filter(|(name, _)| name != "_typeName");
            pairs.map(|(name, value)| (upper(&name), raised(value))).collect::<Map<_, _>>().into()
        }
        Value::Array(list) => list.into_iter().map(raised).collect(),
        other => other,
    }
}

fn upper(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn word(state: VsphereTaskState) -> &'static str {
    match state {
        VsphereTaskState::Queued => "queued",
        VsphereTaskState::Running => "running",
        VsphereTaskState::Success => "success",
        VsphereTaskState::Error => "error",
    }
}

fn seconds(at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| at.0.div_euclid(1_000_000))
}

/// RFC 3339 in UTC, the zeros at the end of the fraction left out.
fn instant(at: Timestamp) -> String {
    let text = at.utc().to_rfc3339_opts(SecondsFormat::Micros, true);
    let text = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{text}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_has_no_zeros_at_its_end() {
        for (micros, written) in [
            (1_630_323_687_796_230, "2021-08-30T11:41:27.79623Z"),
            (1_630_389_276_499_000, "2021-08-31T05:54:36.499Z"),
            (1_630_389_270_000_000, "2021-08-31T05:54:30Z"),
        ] {
            assert_eq!(instant(Timestamp(micros)), written);
        }
        assert_eq!(seconds(Some(Timestamp(1_630_323_687_999_999))), 1_630_323_687);
    }
}
