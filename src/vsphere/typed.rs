//! Values of properties, told apart by the type that the answer names.

use super::catalogue::Catalogue;
use super::fault::Fault;
use super::message::LocalizableMessage;
use super::reason::Reason;
use super::reference::Reference;
use super::snapshot::{self, Snapshot};
use super::task::TaskInfo;
use super::value::Value;
use super::xml::{Element, Malformed, Reader, Space};

/// The value of a property.
#[derive(Debug)]
pub(super) enum Typed {
    Task(Box<TaskInfo>),
    Tasks(Vec<TaskInfo>),
    Catalogue(Catalogue),
    Snapshots(Vec<Snapshot>),
    Fault(Fault),
    Message(LocalizableMessage),
    Reason(Reason),
    /// A plain one, or of a type that nobody here needs.
    Value(Value),
}

impl Typed {
    /// Reads an element by its `xsi:type`.
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let Some((Space::Vim, kind)) = xml.kind(element)? else { return Value::read(xml, element).map(Self::Value) };
        Ok(match kind {
            "TaskInfo" => Self::Task(Box::new(TaskInfo::read(xml)?)),
            "ArrayOfTaskInfo" => Self::Tasks(read_tasks(xml)?),
            "TaskDescription" => Self::Catalogue(Catalogue::read(xml)?),
            "VirtualMachineSnapshotInfo" => Self::Snapshots(snapshot::read_tree(xml)?),
            "LocalizedMethodFault" => Self::Fault(Fault::read_localized(xml)?),
            "LocalizableMessage" => Self::Message(LocalizableMessage::read(xml)?),
            _ if kind.starts_with("TaskReason") => Self::Reason(Reason::read(xml, element)?),
            _ => Self::Value(Value::read(xml, element)?),
        })
    }

    pub(super) fn into_text(self) -> Option<String> {
        match self {
            Self::Value(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn into_reference(self) -> Option<Reference> {
        match self {
            Self::Value(Value::Reference(reference)) => Some(reference),
            _ => None,
        }
    }
}

/// Reads each child, whatever its name.
fn read_tasks(xml: &mut Reader<'_>) -> Result<Vec<TaskInfo>, Malformed> {
    let mut all = Vec::new();
    xml.children(|xml, _| {
        all.push(TaskInfo::read(xml)?);
        Ok(())
    })?;
    Ok(all)
}
