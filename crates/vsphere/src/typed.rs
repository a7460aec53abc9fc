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
    /// One that could not be read.
    Unreadable,
}

impl Typed {
    /// Reads an element by its `xsi:type`.
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let Some((Space::Vim, kind)) = xml.kind(element)? else { return Value::read(xml, element).map(Self::Value) };
        Ok(match kind.as_str() {
            "TaskInfo" => TaskInfo::read(xml)?.map_or(Self::Unreadable, |info| Self::Task(Box::new(info))),
            "ArrayOfTaskInfo" => Self::Tasks(read_tasks(xml)?),
            "TaskDescription" => Self::Catalogue(Catalogue::read(xml)?),
            "VirtualMachineSnapshotInfo" => Self::Snapshots(snapshot::read_tree(xml)?),
            "LocalizedMethodFault" => Self::Fault(Fault::read_localized(xml)?),
            "LocalizableMessage" => Self::Message(LocalizableMessage::read(xml)?),
            kind if kind.starts_with("TaskReason") => Self::Reason(Reason::read(xml, element)?),
            _ => Self::Value(Value::read(xml, element)?),
        })
    }

    /// The same, or that it could not be read.
    pub(super) fn lenient(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        Ok(xml.attempt(|xml| Self::read(xml, element))?.unwrap_or(Self::Unreadable))
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

/// Reads each child, whatever its name; those that cannot be read are left out.
fn read_tasks(xml: &mut Reader<'_>) -> Result<Vec<TaskInfo>, Malformed> {
    let mut all = Vec::new();
    xml.children(|xml, _| {
        all.extend(TaskInfo::read(xml)?);
        Ok(())
    })?;
    Ok(all)
}
