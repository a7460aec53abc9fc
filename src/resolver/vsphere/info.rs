//! What a vCenter tells of a task, as it is kept: what lists look for in columns, all else as one JSON document in the
//! form of the vSphere API's own JSON (its names, `_typeName` where a type is not plain).

use chrono::{DateTime, Utc};
use serde_json::{Map, Value as Json, json};
use taskloom_entity::{JsonText, Timestamp, VsphereReason, VsphereTaskState};

use crate::store::vsphere::task::Seen;
use crate::vsphere::{Fault, LocalizableMessage, Reason, Reference, TaskInfo, TaskState, Value};

/// The most that is kept of a task beside its columns, in bytes, and of each list in it.
const LARGEST: usize = 64 << 10;
const MANY: usize = 100;

/// A task as it is kept.
#[must_use]
pub fn seen(info: TaskInfo) -> Seen {
    let rest = rest(&info);
    let (reason, username) = match info.reason {
        Reason::User { user_name } => (VsphereReason::User, some(user_name)),
        Reason::Schedule { .. } => (VsphereReason::Schedule, None),
        Reason::Alarm { .. } => (VsphereReason::Alarm, None),
        Reason::System => (VsphereReason::System, None),
        Reason::Other(_) => (VsphereReason::Other, None),
    };
    Seen {
        key: info.key,
        state: state(info.state),
        is_lost: false,
        cancelled: info.cancelled,
        cancelable: info.cancelable,
        progress: info.progress.map(|progress| progress.clamp(0, 100)),
        name: info.name.and_then(some),
        description_id: info.description_id,
        entity: info.entity.map(|entity| entity.to_string()),
        entity_name: info.entity_name.and_then(some),
        reason,
        username,
        fault: info.error.as_ref().map(|fault| fault.kind.clone()),
        message: info.error.as_ref().and_then(|fault| some(fault.message().to_owned())),
        detail: info.description.and_then(|description| description.message).and_then(some),
        event_chain_id: info.event_chain_id,
        parent_key: info.parent_task_key.and_then(some),
        root_key: info.root_task_key.and_then(some),
        rest,
        queued_at: instant(info.queue_time),
        started_at: info.start_time.map(instant),
        completed_at: info.complete_time.map(instant),
    }
}

/// The state as it is kept.
#[must_use]
pub fn state(state: TaskState) -> VsphereTaskState {
    match state {
        TaskState::Queued => VsphereTaskState::Queued,
        TaskState::Running => VsphereTaskState::Running,
        TaskState::Success => VsphereTaskState::Success,
        TaskState::Error => VsphereTaskState::Error,
    }
}

fn instant(at: DateTime<Utc>) -> Timestamp {
    Timestamp(at.timestamp_micros())
}

/// A text that says something.
fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// What no column has. Nothing of it is the usual. What would make it too large is left out, the largest first, and named.
fn rest(info: &TaskInfo) -> Option<JsonText> {
    let mut rest = Map::new();
    let mut add = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            rest.insert(name.into(), value);
        }
    };
    add("description", info.description.as_ref().map(message));
    add("locked", (!info.locked.is_empty()).then(|| info.locked.iter().take(MANY).map(reference).collect()));
    add("error", info.error.as_ref().map(localized));
    add("result", info.result.as_ref().map(value));
    add("progressDetails", (!info.progress_details.is_empty()).then(|| pairs(&info.progress_details)));
    // A user's reason is in its column.
    add("reason", (!matches!(info.reason, Reason::User { .. } | Reason::System)).then(|| reason(&info.reason)));
    add("changeTag", text(&info.change_tag));
    add("activationId", text(&info.activation_id));
    bound(&mut rest);
    (!rest.is_empty()).then(|| JsonText::of(&rest))
}

fn bound(rest: &mut Map<String, Json>) {
    let mut sizes: Vec<(usize, String)> =
        rest.iter().map(|(name, value)| (value.to_string().len(), name.clone())).collect();
    let mut size: usize = sizes.iter().map(|(size, _)| size).sum();
    sizes.sort_unstable();
    let mut left_out = vec![];
    while size > LARGEST
        && let Some((large, name)) = sizes.pop()
    {
        size -= large;
        rest.remove(&name);
        left_out.push(Json::from(name));
    }
    if !left_out.is_empty() {
        rest.insert("_leftOut".into(), left_out.into());
    }
}

fn text(text: &Option<String>) -> Option<Json> {
    text.as_deref().filter(|text| !text.is_empty()).map(Json::from)
}

fn reference(reference: &Reference) -> Json {
    json!({"type": reference.kind, "value": reference.value})
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Bool(is) => (*is).into(),
        Value::Int(number) => (*number).into(),
        Value::Reference(other) => reference(other),
        Value::Other { kind } => json!({"_typeName": kind}),
    }
}

fn pairs(pairs: &[(String, Value)]) -> Json {
    pairs.iter().take(MANY).map(|(key, one)| json!({"key": key, "value": value(one)})).collect()
}

fn message(message: &LocalizableMessage) -> Json {
    let arg = if message.args.is_empty() { Json::Null } else { pairs(&message.args) };
    json!({"key": message.key, "arg": arg, "message": message.message.as_deref().unwrap_or_default()})
}

fn localized(fault: &Fault) -> Json {
    let mut inner = Map::new();
    inner.insert("_typeName".into(), fault.kind.as_str().into());
    inner.insert("faultCause".into(), fault.cause.as_deref().map(localized).into());
    let messages: Vec<Json> = fault.messages.iter().take(MANY).map(message).collect();
    inner.insert("faultMessage".into(), if messages.is_empty() { Json::Null } else { messages.into() });
    inner.extend(fault.details.iter().take(MANY).map(|(name, one)| (name.clone(), value(one))));
    json!({"fault": inner, "localizedMessage": fault.localized_message.as_deref().unwrap_or_default()})
}

fn reason(reason: &Reason) -> Json {
    match reason {
        Reason::User { user_name } => json!({"_typeName": "TaskReasonUser", "userName": user_name}),
        Reason::Schedule { name, scheduled_task } => {
            json!({"_typeName": "TaskReasonSchedule", "name": name, "scheduledTask": reference(scheduled_task)})
        }
        Reason::Alarm { alarm_name, alarm, entity_name, entity } => json!({
            "_typeName": "TaskReasonAlarm", "alarmName": alarm_name, "alarm": reference(alarm), "entityName": entity_name,
            "entity": reference(entity),
        }),
        Reason::System => json!({"_typeName": "TaskReasonSystem"}),
        Reason::Other(kind) => json!({"_typeName": kind}),
    }
}
