//! Puts a change of a part of a task into what is known of it.

use super::instant;
use super::task::{TaskInfo, TaskState};
use super::typed::Typed;
use super::value::Value;

/// What the task is with the change; nothing if the change is not understood, and the task is to be read anew.
///
/// A vCenter that is asked for `info` sends it whole; the API allows it to send parts. (PropertyChange.name.)
pub(super) fn apply(mut info: TaskInfo, path: &str, value: Option<Typed>) -> Option<TaskInfo> {
    match (path, value) {
        (path, None) => unset(&mut info, path)?,
        ("info.error", Some(Typed::Fault(fault))) => info.error = Some(fault),
        ("info.description", Some(Typed::Message(message))) => info.description = Some(message),
        ("info.reason", Some(Typed::Reason(reason))) => info.reason = reason,
        ("info.result", Some(Typed::Value(result))) => info.result = Some(result),
        ("info.progress", Some(Typed::Value(Value::Int(progress)))) => {
            info.progress = Some(progress.clamp(0, 100) as i32);
        }
        ("info.cancelled", Some(Typed::Value(Value::Bool(cancelled)))) => info.cancelled = cancelled,
        ("info.cancelable", Some(Typed::Value(Value::Bool(cancelable)))) => info.cancelable = cancelable,
        (path, Some(Typed::Value(Value::Text(text)))) => set(&mut info, path, text)?,
        _ => return None,
    }
    Some(info)
}

fn set(info: &mut TaskInfo, path: &str, text: String) -> Option<()> {
    match path {
        "info.state" => info.state = TaskState::parse(&text)?,
        "info.startTime" => info.start_time = Some(instant::parse(&text)?),
        "info.completeTime" => info.complete_time = Some(instant::parse(&text)?),
        "info.entityName" => info.entity_name = Some(text),
        "info.changeTag" => info.change_tag = Some(text),
        _ => return None,
    }
    Some(())
}

fn unset(info: &mut TaskInfo, path: &str) -> Option<()> {
    match path {
        "info.error" => info.error = None,
        "info.description" => info.description = None,
        "info.result" => info.result = None,
        "info.progress" => info.progress = None,
        "info.startTime" => info.start_time = None,
        "info.completeTime" => info.complete_time = None,
        "info.entityName" => info.entity_name = None,
        "info.changeTag" => info.change_tag = None,
        _ => return None,
    }
    Some(())
}
