//! Work on a vCenter's virtual machines, as a step asks for it.

use serde::{Deserialize, Serialize};

use super::canonical::is_default;

/// Work for a vCenter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vsphere {
    /// The vCenter's name, as it was registered.
    pub vcenter: String,
    #[serde(flatten)]
    pub operation: Operation,
}

/// What is done. Texts may have `${param.…}` and `${secret.…}` in them. A machine, a snapshot, a folder is named by
/// its name or by its reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    PowerOn(Machine),
    PowerOff(Machine),
    Reset(Machine),
    Suspend(Machine),
    Snapshot(NewSnapshot),
    Revert(Revert),
    RemoveSnapshot(RemoveSnapshot),
    Reconfigure(Reconfigure),
    Clone(NewClone),
    Destroy(Machine),
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub vm: String,
}

/// A snapshot to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSnapshot {
    pub vm: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// With the memory of a running machine.
    #[serde(default, skip_serializing_if = "is_default")]
    pub memory: bool,
    /// With the guest's file systems flushed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiesce: bool,
}

/// A way back to a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revert {
    pub vm: String,
    /// None: the one that the machine stands upon.
    #[serde(default, skip_serializing_if = "is_default")]
    pub snapshot: Option<String>,
}

/// A snapshot to be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveSnapshot {
    pub vm: String,
    pub snapshot: String,
    /// With those made upon it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub children: bool,
}

/// What a machine becomes; what is none stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reconfigure {
    pub vm: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub cpus: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub memory_mb: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub annotation: Option<String>,
}

/// A copy to be made; what is none is as of the machine that is copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewClone {
    pub vm: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub folder: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub pool: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub host: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub datastore: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub power_on: bool,
    /// Whether it is a template.
    #[serde(default, skip_serializing_if = "is_default")]
    pub template: bool,
}

impl Operation {
    /// The machine that it is done to.
    #[must_use]
    pub fn vm(&self) -> &str {
        match self {
            Self::PowerOn(it) | Self::PowerOff(it) | Self::Reset(it) | Self::Suspend(it) | Self::Destroy(it) => &it.vm,
            Self::Snapshot(it) => &it.vm,
            Self::Revert(it) => &it.vm,
            Self::RemoveSnapshot(it) => &it.vm,
            Self::Reconfigure(it) => &it.vm,
            Self::Clone(it) => &it.vm,
        }
    }

    /// What it is called in definitions.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::PowerOn(_) => "powerOn",
            Self::PowerOff(_) => "powerOff",
            Self::Reset(_) => "reset",
            Self::Suspend(_) => "suspend",
            Self::Snapshot(_) => "snapshot",
            Self::Revert(_) => "revert",
            Self::RemoveSnapshot(_) => "removeSnapshot",
            Self::Reconfigure(_) => "reconfigure",
            Self::Clone(_) => "clone",
            Self::Destroy(_) => "destroy",
        }
    }

    /// Every text in which values may be filled in.
    pub fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::PowerOn(it) | Self::PowerOff(it) | Self::Reset(it) | Self::Suspend(it) | Self::Destroy(it) => {
                vec![&mut it.vm]
            }
            Self::Snapshot(it) => vec![&mut it.vm, &mut it.name, &mut it.description],
            Self::Revert(it) => [&mut it.vm].into_iter().chain(&mut it.snapshot).collect(),
            Self::RemoveSnapshot(it) => vec![&mut it.vm, &mut it.snapshot],
            Self::Reconfigure(it) => [&mut it.vm].into_iter().chain(&mut it.name).chain(&mut it.annotation).collect(),
            Self::Clone(it) => {
                let places = [&mut it.folder, &mut it.pool, &mut it.host, &mut it.datastore];
                [&mut it.vm, &mut it.name].into_iter().chain(places.into_iter().flatten()).collect()
            }
        }
    }
}
