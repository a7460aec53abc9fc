//! Snapshots of a virtual machine.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::instant;
use super::property::Properties;
use super::reference::Reference;
use super::session::Session;
use super::typed::Typed;
use super::xml::{Malformed, Reader};

/// A snapshot. (vSphere Web Services API, VirtualMachineSnapshotTree.)
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The snapshot as an object.
    pub reference: Reference,
    /// Its name; another may have the same.
    pub name: String,
    /// What someone wrote about it.
    pub description: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The one it was made upon.
    pub parent: Option<Reference>,
    /// Whether the machine stands upon this one.
    pub is_current: bool,
}

impl Session {
    /// The machine's snapshots, each after the one it was made upon.
    ///
    /// # Errors
    /// [`Error::ManagedObjectNotFound`], and those of any call.
    pub async fn snapshots(&self, vm: &Reference) -> Result<Vec<Snapshot>, Error> {
        let properties = Properties { kind: "VirtualMachine", paths: &["snapshot"] };
        match self.property(properties, vm).await? {
            Some(Typed::Snapshots(all)) => Ok(all),
            _ => Ok(Vec::new()),
        }
    }

    /// The machine's snapshot of this name.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] where several have it, and those of [`Session::snapshots`].
    pub async fn find_snapshot(&self, vm: &Reference, name: &str) -> Result<Option<Snapshot>, Error> {
        let mut named = self.snapshots(vm).await?;
        named.retain(|snapshot| snapshot.name == name);
        match named.len() {
            0 | 1 => Ok(named.pop()),
            count => Err(Error::Ambiguous { count }),
        }
    }
}

/// Reads a VirtualMachineSnapshotInfo.
pub(super) fn read_tree(xml: &mut Reader<'_>) -> Result<Vec<Snapshot>, Malformed> {
    let (mut all, mut current) = (Vec::new(), None);
    xml.children(|xml, element| {
        match element.name() {
            "currentSnapshot" => current = Some(Reference::read(xml, element)?),
            "rootSnapshotList" => read_branch(xml, None, &mut all)?,
            _ => {}
        }
        Ok(())
    })?;
    for snapshot in &mut all {
        snapshot.is_current = current.as_ref() == Some(&snapshot.reference);
    }
    Ok(all)
}

/// Reads a snapshot and those made upon it. How deep is limited by the reader; a vCenter stops at 32.
fn read_branch(xml: &mut Reader<'_>, parent: Option<&Reference>, all: &mut Vec<Snapshot>) -> Result<(), Malformed> {
    let (mut reference, mut created_at) = (None, None);
    let (mut name, mut description) = (String::new(), String::new());
    let mut children = Vec::new();
    xml.children(|xml, element| {
        match element.name() {
            "snapshot" => reference = Some(Reference::read(xml, element)?),
            "name" => name = xml.text()?.into_string(),
            "description" => description = xml.text()?.into_string(),
            "createTime" => created_at = Some(xml.parse(instant::parse)?),
            // Always after the snapshot itself: the order of elements is the definition's.
            "childSnapshotList" => read_branch(xml, reference.as_ref(), &mut children)?,
            _ => {}
        }
        Ok(())
    })?;
    let reference = reference.ok_or_else(|| xml.missing("snapshot"))?;
    let created_at = created_at.ok_or_else(|| xml.missing("createTime"))?;
    all.push(Snapshot { reference, name, description, created_at, parent: parent.cloned(), is_current: false });
    all.append(&mut children);
    Ok(())
}
