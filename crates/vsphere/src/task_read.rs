//! Reads a task from an answer.
//!
//! The invariant: a task never fails the answer that it is in. What the API does not define is skipped; what it requires
//! and is missing or cannot be read is as if it had not been told, and noted. Only without its key, the time it was queued
//! at, and a state there is no task: then it is left out.

use chrono::{DateTime, Utc};
use taskloom_core::text::Text;

use super::fault::Fault;
use super::instant;
use super::left_out::Unreadable;
use super::message::{self, LocalizableMessage};
use super::reason::Reason;
use super::reference::{LONGEST, Reference};
use super::task::{TaskInfo, TaskState};
use super::value::Value;
use super::xml::{Element, Malformed, Reader, flag};

/// The most faults of one task that are told.
const FAULTS: usize = 3;
/// The most that are kept until these are chosen, and the longest text of them, in bytes.
const MANY: usize = 20;
const TOLD: usize = 300;

/// A task half read: what it must have is still missing, the rest may stay so.
#[derive(Default)]
struct TaskInfoDraft {
    faults: Vec<String>,
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
    /// Reads the current element, whatever its name is; nothing where it is no task, which is noted.
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Option<Self>, Malformed> {
        let mut draft = TaskInfoDraft::default();
        let whole = xml.attempt(|xml| xml.children(|xml, element| draft.take(xml, element)))?;
        draft.faults.extend(whole.err().map(|malformed| malformed.fault()));
        match draft.finish() {
            Ok(info) => Ok(Some(info)),
            Err(unreadable) => {
                xml.leave_out(unreadable);
                Ok(None)
            }
        }
    }
}

impl TaskInfoDraft {
    /// Takes in an element; one that cannot be read is passed over.
    fn take(&mut self, xml: &mut Reader<'_>, element: &Element<'_>) -> Result<(), Malformed> {
        let read = xml.attempt(|xml| self.read(xml, element))?;
        if self.faults.len() < MANY {
            self.faults.extend(read.err().map(|malformed| malformed.inside(element.name()).fault()));
        }
        Ok(())
    }

    fn read(&mut self, xml: &mut Reader<'_>, element: &Element<'_>) -> Result<(), Malformed> {
        match element.name() {
            "key" => self.key = Some(xml.text()?.into_string()),
            "task" => self.task = Some(Reference::read(xml, element)?),
            "descriptionId" => self.description_id = Some(xml.text()?.into_string()),
            "state" => self.state = Some(xml.parse(TaskState::parse)?),
            "cancelled" => self.cancelled = Some(xml.parse(flag)?),
            "cancelable" => self.cancelable = Some(xml.parse(flag)?),
            "reason" => self.reason = Some(Reason::read(xml, element)?),
            "queueTime" => self.queue_time = Some(xml.parse(instant::parse)?),
            "eventChainId" => self.event_chain_id = Some(xml.parse(chain)?),
            _ => self.optional.read(xml, element)?,
        }
        Ok(())
    }

    fn finish(mut self) -> Result<TaskInfo, Unreadable> {
        let reference = self.task.take();
        let key = self
            .key
            .take()
            .filter(|key| !key.is_empty())
            .or_else(|| reference.as_ref().map(|task| task.value.clone()))
            .unwrap_or_default();
        for (name, is_there) in [
            ("key", !key.is_empty()),
            ("descriptionId", self.description_id.is_some()),
            ("state", self.state.is_some()),
            ("cancelled", self.cancelled.is_some()),
            ("cancelable", self.cancelable.is_some()),
            ("reason", self.reason.is_some()),
            ("queueTime", self.queue_time.is_some()),
            ("eventChainId", self.event_chain_id.is_some()),
        ] {
            if !is_there && !self.faults.iter().any(|fault| fault.starts_with(name)) {
                self.faults.push(format!("{name} is missing"));
            }
        }
        // Which task it is, and where it stands, come first.
        self.faults.sort_by_key(|fault| !["key", "queueTime", "state"].iter().any(|name| fault.starts_with(name)));
        self.faults.truncate(FAULTS);
        let flaw = (!self.faults.is_empty()).then(|| Text::cut(&self.faults.join(", "), TOLD).into_string());
        let (Some(state), Some(queue_time), true) = (self.state, self.queue_time, (1..=LONGEST).contains(&key.len()))
        else {
            return Err(Unreadable::new(&key, flaw.unwrap_or_else(|| "key is too long".to_owned())));
        };
        let optional = self.optional;
        Ok(TaskInfo {
            task: reference.unwrap_or_else(|| Reference::task(key.as_str())),
            key,
            description: optional.description,
            name: optional.name,
            description_id: self.description_id.unwrap_or_default(),
            entity: optional.entity,
            entity_name: optional.entity_name,
            locked: optional.locked,
            state,
            cancelled: self.cancelled.unwrap_or_default(),
            cancelable: self.cancelable.unwrap_or_default(),
            error: optional.error,
            result: optional.result,
            progress: optional.progress,
            progress_details: optional.progress_details,
            reason: self.reason.unwrap_or_else(|| Reason::Other(String::new())),
            queue_time,
            start_time: optional.start_time,
            complete_time: optional.complete_time,
            event_chain_id: self.event_chain_id.unwrap_or_default(),
            change_tag: optional.change_tag,
            parent_task_key: optional.parent_task_key,
            root_task_key: optional.root_task_key,
            activation_id: optional.activation_id,
            flaw,
        })
    }
}

impl Optional {
    fn read(&mut self, xml: &mut Reader<'_>, element: &Element<'_>) -> Result<(), Malformed> {
        match element.name() {
            "description" => self.description = Some(LocalizableMessage::read(xml)?),
            "name" => self.name = Some(xml.text()?.into_string()),
            "entity" => self.entity = Some(Reference::read(xml, element)?),
            "entityName" => self.entity_name = Some(xml.text()?.into_string()),
            "locked" => self.locked.push(Reference::read(xml, element)?),
            "error" => self.error = Some(Fault::read_localized(xml)?),
            "result" => self.result = Some(Value::read(xml, element)?),
            "progress" => self.progress = Some(xml.parse(percent)?),
            "progressDetails" => self.progress_details.push(message::read_pair(xml)?),
            "startTime" => self.start_time = Some(xml.parse(instant::parse)?),
            "completeTime" => self.complete_time = Some(xml.parse(instant::parse)?),
            "changeTag" => self.change_tag = Some(xml.text()?.into_string()),
            "parentTaskKey" => self.parent_task_key = Some(xml.text()?.into_string()),
            "rootTaskKey" => self.root_task_key = Some(xml.text()?.into_string()),
            "activationId" => self.activation_id = Some(xml.text()?.into_string()),
            _ => {}
        }
        Ok(())
    }
}

/// A progress; some servers go past the end, or before the beginning.
fn percent(text: &str) -> Option<i32> {
    let progress = text.trim().parse::<f64>().ok().filter(|progress| progress.is_finite())?;
    #[expect(clippy::cast_possible_truncation, reason = "it is between 0 and 100")]
    Some(progress.clamp(0.0, 100.0) as i32)
}

/// The number of an event chain. The least number of all stands for none in databases.
fn chain(text: &str) -> Option<i32> {
    text.trim().parse().ok().filter(|number| *number > i32::MIN)
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

    /// What is read of a task between two others, whatever is in it.
    fn read(inside: &str) -> Result<TaskInfo, Unreadable> {
        let spaces = r#"xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance""#;
        let text = format!("<page {spaces}><i>{LEAST}</i><i>{inside}</i><i>{LEAST}</i></page>");
        let (mut xml, mut page) = (Reader::new(&text, 8), vec![]);
        let whole = xml.children(|xml, _| {
            xml.children(|xml, _| {
                page.push(TaskInfo::read(xml)?);
                Ok(())
            })
        });
        assert_eq!((whole, page.len()), (Ok(()), 3), "{inside}");
        let is_whole = |info: &Option<TaskInfo>| info.as_ref().is_some_and(|info| info.flaw.is_none());
        assert!(is_whole(&page[0]) && is_whole(&page[2]), "{inside}");
        let mut left_out = xml.into_left_out();
        page.swap_remove(1).ok_or_else(|| left_out.tasks.pop().expect("it is noted"))
    }

    /// Its flaw, or why it is left out.
    fn wrong(inside: &str) -> String {
        match read(inside) {
            Ok(info) => format!("{}: {}", info.key, info.flaw.unwrap_or_default()),
            Err(unreadable) => format!("{} left out: {}", unreadable.key, unreadable.why),
        }
    }

    #[test]
    fn the_least_is_enough_and_the_unknown_no_harm() {
        let strange = "<invented><key>task-9</key><state>error</state></invented>";
        let task = read(&format!("{strange}{LEAST}{strange}")).unwrap();
        assert_eq!((task.key.as_str(), task.state, task.event_chain_id), ("task-1", TaskState::Running, 7));
        assert_eq!((task.name, task.entity, task.progress, task.start_time), (None, None, None, None));
        assert_eq!(task.flaw, None);
    }

    #[test]
    fn what_is_missing_is_named_and_the_rest_is_kept() {
        for name in ["descriptionId", "cancelled", "cancelable", "reason", "eventChainId"] {
            let lines = LEAST.lines().filter(|line| !line.starts_with(&format!("<{name}")));
            assert_eq!(wrong(&lines.collect::<String>()), format!("task-1: {name} is missing"));
        }
        for name in ["state", "queueTime"] {
            let lines = LEAST.lines().filter(|line| !line.starts_with(&format!("<{name}")));
            assert_eq!(wrong(&lines.collect::<String>()), format!("task-1 left out: {name} is missing"));
        }
        // A task's reference is its key.
        assert_eq!(wrong(&LEAST.replace("<key>task-1</key>", "")), "task-1: ");
        assert_eq!(
            read(&LEAST.replace("<task type=\"Task\">task-1</task>", "")).unwrap().task,
            Reference::task("task-1")
        );
        let nameless = LEAST.replace("task-1", "");
        assert_eq!(wrong(&nameless), " left out: key is missing");
    }

    #[test]
    fn what_cannot_be_read_is_named_and_the_rest_is_kept() {
        for (element, value) in [
            ("cancelled", "perhaps"),
            ("startTime", "2026-13-02T08:15:04Z"),
            ("completeTime", "10000-01-01T00:00:00Z"),
            ("eventChainId", "99999999999"),
            ("eventChainId", "-2147483648"),
            ("progress", "half"),
            ("progress", "NaN"),
            ("progress", "inf"),
        ] {
            let wrong = wrong(&format!("{LEAST}<{element}>{value}</{element}>"));
            assert_eq!(wrong, format!("task-1: {element} has a value that it cannot have"));
        }
        for (element, value) in [("state", "paused"), ("state", ""), ("queueTime", "yesterday"), ("queueTime", "NaN")] {
            let line = LEAST.lines().find(|line| line.starts_with(&format!("<{element}"))).unwrap();
            let wrong = wrong(&LEAST.replace(line, &format!("<{element}>{value}</{element}>")));
            assert_eq!(wrong, format!("task-1 left out: {element} has a value that it cannot have"));
        }
        let deep = format!("<error>{}{}</error>", "<fault>".repeat(200), "</fault>".repeat(200));
        for (element, fault) in [
            ("<name>&invented;</name>", "name has an entity of its own"),
            ("<entity>vm-1</entity>", "entity is a reference without a type"),
            (
                &format!("<entity type=\"VirtualMachine\">{}</entity>", "x".repeat(3000)),
                "entity is too long for a reference",
            ),
            ("<reason>me</reason>", "reason is a reason without a type"),
            ("<error/>", "error/fault is missing"),
            (deep.as_str(), "error/"),
        ] {
            let wrong = wrong(&format!("{LEAST}{element}"));
            assert!(wrong.starts_with(&format!("task-1: {fault}")), "{element}: {wrong}");
        }
        let long = "k".repeat(5000);
        let left = read(&LEAST.replace("task-1", &long)).unwrap_err();
        assert!(left.key.len() <= 100 && left.key.starts_with("kkk"), "{left:?}");
    }

    #[test]
    fn a_text_is_clean_and_has_an_end() {
        let names = format!("<name>a\0b&#1;c</name><entityName>{}</entityName>", "x".repeat(1 << 20));
        let task = read(&format!("{LEAST}{names}")).unwrap();
        assert_eq!((task.name.as_deref(), task.flaw), (Some("a\u{fffd}b\u{fffd}c"), None));
        assert_eq!(task.entity_name.map(|name| name.len()), Some(taskloom_core::text::MESSAGE));
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
        for (text, is) in
            [("0", 0), (" 37 ", 37), ("100", 100), ("101", 100), ("-1", 0), ("250", 100), ("99999999999999", 100)]
        {
            assert_eq!(read(&format!("{LEAST}<progress>{text}</progress>")).unwrap().progress, Some(is));
        }
    }

    #[test]
    fn instants_far_away_are_instants() {
        for at in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "9999-12-31T23:59:59Z"] {
            let task = read(&LEAST.replace("2026-03-02T08:15:04.113Z", at)).unwrap();
            assert_eq!((task.flaw, task.queue_time), (None, instant::parse(at).unwrap()));
        }
    }
}
