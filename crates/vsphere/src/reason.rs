//! Who or what started a task.

use super::reference::Reference;
use super::xml::{Element, Malformed, Reader, Space};

/// Who or what started a task. (vSphere Web Services API, TaskReason.)
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A user.
    User {
        /// Such as `VSPHERE.LOCAL\Administrator`.
        user_name: String,
    },
    /// A scheduled task.
    Schedule {
        /// The scheduled task's name.
        name: String,
        /// The scheduled task.
        scheduled_task: Reference,
    },
    /// An alarm's action.
    Alarm {
        /// The alarm's name.
        alarm_name: String,
        /// The alarm.
        alarm: Reference,
        /// The name of what set it off.
        entity_name: String,
        /// What set it off.
        entity: Reference,
    },
    /// The vCenter itself.
    System,
    /// A reason that this client does not know.
    Other(
        /// Its type's name.
        String,
    ),
}

/// The elements of all reasons: none of two has the same name and another meaning.
#[derive(Default)]
struct ReasonDraft {
    user_name: Option<String>,
    name: Option<String>,
    scheduled_task: Option<Reference>,
    alarm_name: Option<String>,
    alarm: Option<Reference>,
    entity_name: Option<String>,
    entity: Option<Reference>,
}

impl Reason {
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let (space, kind) = xml.kind(element)?.ok_or_else(|| xml.malformed("is a reason without a type"))?;
        let mut draft = ReasonDraft::default();
        xml.children(|xml, element| {
            match element.name() {
                "userName" => draft.user_name = Some(xml.text()?.into_string()),
                "name" => draft.name = Some(xml.text()?.into_string()),
                "scheduledTask" => draft.scheduled_task = Some(Reference::read(xml, element)?),
                "alarmName" => draft.alarm_name = Some(xml.text()?.into_string()),
                "alarm" => draft.alarm = Some(Reference::read(xml, element)?),
                "entityName" => draft.entity_name = Some(xml.text()?.into_string()),
                "entity" => draft.entity = Some(Reference::read(xml, element)?),
                _ => {}
            }
            Ok(())
        })?;
        let missing = |name| xml.missing(name);
        Ok(match (space, kind.as_str()) {
            (Space::Vim, "TaskReasonUser") => {
                Self::User { user_name: draft.user_name.ok_or_else(|| missing("userName"))? }
            }
            (Space::Vim, "TaskReasonSchedule") => Self::Schedule {
                name: draft.name.ok_or_else(|| missing("name"))?,
                scheduled_task: draft.scheduled_task.ok_or_else(|| missing("scheduledTask"))?,
            },
            (Space::Vim, "TaskReasonAlarm") => Self::Alarm {
                alarm_name: draft.alarm_name.ok_or_else(|| missing("alarmName"))?,
                alarm: draft.alarm.ok_or_else(|| missing("alarm"))?,
                entity_name: draft.entity_name.ok_or_else(|| missing("entityName"))?,
                entity: draft.entity.ok_or_else(|| missing("entity"))?,
            },
            (Space::Vim, "TaskReasonSystem") => Self::System,
            _ => Self::Other(kind.into_string()),
        })
    }
}
