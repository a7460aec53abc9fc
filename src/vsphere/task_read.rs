//! Reads a task from an answer.
//!
//! The invariant: a task comes out whole or not at all. What the API's definition requires must be there and readable;
//! what it does not know is skipped.

use chrono::{DateTime, Utc};

use super::fault::Fault;
use super::instant;
use super::message::{self, LocalizableMessage};
use super::reason::Reason;
use super::reference::Reference;
use super::task::{TaskInfo, TaskState};
use super::value::Value;
use super::xml::{Element, Malformed, Reader, flag};

/// A task half read: what it must have is still missing, the rest may stay so.
#[derive(Default)]
struct Draft {
    key: Option<String>,
    task: Option<Reference>,
    description_id: Option<String>,
    state: Option<TaskState>,
    cancelled: Option<bool>,
    cancelable: Option<bool>,
    reason: Option<Reason>,
    queue_time: Option<DateTime<Utc>>,
    event_chain_id: Option<i32>,
    optional: Optional,
}

#[derive(Default)]
struct Optional {
    description: Option<LocalizableMessage>,
    name: Option<String>,
    entity: Option<Reference>,
    entity_name: Option<String>,
    locked: Vec<Reference>,
    error: Option<Fault>,
    result: Option<Value>,
    progress: Option<i32>,
    progress_details: Vec<(String, Value)>,
    start_time: Option<DateTime<Utc>>,
    complete_time: Option<DateTime<Utc>>,
    change_tag: Option<String>,
    parent_task_key: Option<String>,
    root_task_key: Option<String>,
    activation_id: Option<String>,
}

impl TaskInfo {
    /// Reads the current element, whatever its name is.
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut draft = Draft::default();
        xml.children(|xml, element| draft.read(xml, element))?;
        draft.finish(|name| xml.missing(name))
    }
}

impl Draft {
    fn read(&mut self, xml: &mut Reader<'_>, element: &Element<'_>) -> Result<(), Malformed> {
        match element.name() {
            "key" => self.key = Some(xml.text()?.into_owned()),
            "task" => self.task = Some(Reference::read(xml, element)?),
            "descriptionId" => self.description_id = Some(xml.text()?.into_owned()),
            "state" => self.state = Some(xml.parse(TaskState::parse)?),
            "cancelled" => self.cancelled = Some(xml.parse(flag)?),
            "cancelable" => self.cancelable = Some(xml.parse(flag)?),
            "reason" => self.reason = Some(Reason::read(xml, element)?),
            "queueTime" => self.queue_time = Some(xml.parse(instant::parse)?),
            "eventChainId" => self.event_chain_id = Some(xml.parse(|text| text.trim().parse().ok())?),
            _ => self.optional.read(xml, element)?,
        }
        Ok(())
    }

    fn finish(self, missing: impl Fn(&'static str) -> Malformed) -> Result<TaskInfo, Malformed> {
        let optional = self.optional;
        Ok(TaskInfo {
            key: self.key.filter(|key| !key.is_empty()).ok_or_else(|| missing("key"))?,
            task: self.task.ok_or_else(|| missing("task"))?,
            description: optional.description,
            name: optional.name,
            description_id: self.description_id.ok_or_else(|| missing("descriptionId"))?,
            entity: optional.entity,
            entity_name: optional.entity_name,
            locked: optional.locked,
            state: self.state.ok_or_else(|| missing("state"))?,
            cancelled: self.cancelled.ok_or_else(|| missing("cancelled"))?,
            cancelable: self.cancelable.ok_or_else(|| missing("cancelable"))?,
            error: optional.error,
            result: optional.result,
            progress: optional.progress,
            progress_details: optional.progress_details,
            reason: self.reason.ok_or_else(|| missing("reason"))?,
            queue_time: self.queue_time.ok_or_else(|| missing("queueTime"))?,
            start_time: optional.start_time,
            complete_time: optional.complete_time,
            event_chain_id: self.event_chain_id.ok_or_else(|| missing("eventChainId"))?,
            change_tag: optional.change_tag,
            parent_task_key: optional.parent_task_key,
            root_task_key: optional.root_task_key,
            activation_id: optional.activation_id,
        })
    }
}

impl Optional {
    fn read(&mut self, xml: &mut Reader<'_>, element: &Element<'_>) -> Result<(), Malformed> {
        match element.name() {
            "description" => self.description = Some(LocalizableMessage::read(xml)?),
            "name" => self.name = Some(xml.text()?.into_owned()),
            "entity" => self.entity = Some(Reference::read(xml, element)?),
            "entityName" => self.entity_name = Some(xml.text()?.into_owned()),
            "locked" => self.locked.push(Reference::read(xml, element)?),
            "error" => self.error = Some(Fault::read_localized(xml)?),
            "result" => self.result = Some(Value::read(xml, element)?),
            "progress" => self.progress = Some(xml.parse(percent)?),
            "progressDetails" => self.progress_details.push(message::read_pair(xml)?),
            "startTime" => self.start_time = Some(xml.parse(instant::parse)?),
            "completeTime" => self.complete_time = Some(xml.parse(instant::parse)?),
            "changeTag" => self.change_tag = Some(xml.text()?.into_owned()),
            "parentTaskKey" => self.parent_task_key = Some(xml.text()?.into_owned()),
            "rootTaskKey" => self.root_task_key = Some(xml.text()?.into_owned()),
            "activationId" => self.activation_id = Some(xml.text()?.into_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// A progress; some servers go past the end.
fn percent(text: &str) -> Option<i32> {
    text.trim().parse::<i32>().ok().map(|progress| progress.clamp(0, 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A task with everything that is required, an element a line.
    const LEAST: &str = r#"<key>task-1</key>
<task type="Task">task-1</task>
<descriptionId>VirtualMachine.clone</descriptionId>
<state>running</state>
<cancelled>false</cancelled>
<cancelable>true</cancelable>
<reason xsi:type="TaskReasonUser"><userName>a</userName></reason>
<queueTime>2026-03-02T08:15:04.113Z</queueTime>
<eventChainId>7</eventChainId>"#;

    fn read(inside: &str) -> Result<TaskInfo, Malformed> {
        let spaces = r#"xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;
        let text = format!("<info {spaces}>{inside}</info>");
        let mut task = Err(Malformed::new("is not there", 0));
        Reader::new(&text, 8).children(|xml, _| {
            task = Ok(TaskInfo::read(xml)?);
            Ok(())
        })?;
        task
    }

    fn name(element: &str) -> &str {
        element[1..].split(['>', ' ']).next().unwrap()
    }

    #[test]
    fn the_least_is_enough_and_the_unknown_no_harm() {
        let strange = "<invented><key>task-9</key><state>error</state></invented>";
        let task = read(&format!("{strange}{LEAST}{strange}")).unwrap();
        assert_eq!((task.key.as_str(), task.state, task.event_chain_id), ("task-1", TaskState::Running, 7));
        assert_eq!((task.name, task.entity, task.progress, task.start_time), (None, None, None, None));
    }

    #[test]
    fn each_required_element_is_missed_by_its_name() {
        for line in LEAST.lines() {
            let missing = read(&LEAST.replace(line, "")).unwrap_err();
            assert_eq!((missing.path, missing.why), (format!("info/{}", name(line)), "is missing"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_name() {
        for (element, value) in [
            ("state", "paused"),
            ("cancelled", "perhaps"),
            ("queueTime", "yesterday"),
            ("startTime", "2026-13-02T08:15:04Z"),
            ("eventChainId", "99999999999"),
            ("progress", "half"),
        ] {
            let wrong = read(&format!("{LEAST}<{element}>{value}</{element}>")).unwrap_err();
            assert_eq!(wrong.path, format!("info/{element}"));
            assert!(!wrong.to_string().contains(value), "{wrong}");
        }
    }

    #[test]
    fn a_cut_task_is_none() {
        for end in 0..LEAST.len() {
            let cut = format!("<info xmlns=\"urn:vim25\">{}", &LEAST[..end]);
            let read = Reader::new(&cut, 8).children(|xml, _| TaskInfo::read(xml).map(drop));
            assert!(read.is_err(), "{end}");
        }
    }

    #[test]
    fn a_progress_is_a_percentage() {
        for (text, is) in [("0", 0), (" 37 ", 37), ("100", 100), ("101", 100), ("-1", 0)] {
            assert_eq!(read(&format!("{LEAST}<progress>{text}</progress>")).unwrap().progress, Some(is));
        }
    }
}
