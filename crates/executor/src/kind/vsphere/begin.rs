//! Begins an operation: finds what it is done to, then makes the one call that begins the vCenter's task.

use taskloom_vsphere::{CloneTo, Entity, Error, Obstacle, Reconfigure, Reference, Session};
use tokio::sync::watch;

use super::find::{self, NotBegun};
use crate::program::{CloneTarget, MachineAction, VsphereJob};

/// A task that was begun.
#[derive(Debug)]
pub(super) struct BegunTask {
    /// The operation, for people.
    pub(super) title: &'static str,
    /// The task as an object.
    pub(super) task: Reference,
    /// What it is done to: `web-01 (VirtualMachine:vm-119)`.
    pub(super) machine: String,
    /// As what the task's result is put out, if it has one. Not as a key of an operation: who writes `${param.vm}` further
    /// down means the parameter.
    pub(super) gives: Option<&'static str>,
    /// The same by its former name, where no parameter has that.
    pub(super) gave: Option<&'static str>,
}

/// An operation with all that it names found.
enum FoundOperation<'o> {
    PowerOn,
    PowerOff,
    Reset,
    Suspend,
    Destroy,
    Snapshot {
        name: &'o str,
        description: &'o str,
        memory: bool,
        quiesce: bool,
    },
    /// None: to the one that the machine stands upon.
    Revert(Option<Reference>),
    RemoveSnapshot(Reference, bool),
    Reconfigure(Reconfigure),
    Clone(Reference, &'o str, CloneTo),
}

/// Begins the operation, unless `may_begin` has fallen by then.
pub(super) async fn begin(
    session: &Session,
    job: &VsphereJob,
    may_begin: &watch::Receiver<bool>,
) -> Result<BegunTask, NotBegun> {
    let title = job.title;
    let machine = find::machine(session, &job.vm).await?;
    let call = FoundOperation::find(session, &job.action, &machine).await?;
    if !*may_begin.borrow() {
        return Err(NotBegun::Said("stopped before anything was begun".to_owned()));
    }
    let vm = &machine.reference;
    let task = call.make(session, vm).await.map_err(|error| doubtful(title, error))?;
    let (gives, gave) = match call {
        FoundOperation::Snapshot { .. } => (Some("created_snapshot"), Some("snapshot")),
        FoundOperation::Clone(..) => (Some("cloned_vm"), None),
        FoundOperation::PowerOn
        | FoundOperation::PowerOff
        | FoundOperation::Reset
        | FoundOperation::Suspend
        | FoundOperation::Destroy => (None, None),
        FoundOperation::Revert(_) | FoundOperation::RemoveSnapshot(..) | FoundOperation::Reconfigure(_) => (None, None),
    };
    Ok(BegunTask { title, task, machine: format!("{} ({vm})", machine.name), gives, gave })
}

impl<'o> FoundOperation<'o> {
    async fn find(session: &Session, action: &'o MachineAction, machine: &Entity) -> Result<Self, NotBegun> {
        Ok(match action {
            MachineAction::PowerOn => Self::PowerOn,
            MachineAction::PowerOff => Self::PowerOff,
            MachineAction::Reset => Self::Reset,
            MachineAction::Suspend => Self::Suspend,
            MachineAction::Destroy => Self::Destroy,
            MachineAction::Snapshot { name, description, memory, quiesce } => {
                Self::Snapshot { name, description, memory: *memory, quiesce: *quiesce }
            }
            MachineAction::Revert(Some(name)) => Self::Revert(Some(find::snapshot(session, machine, name).await?)),
            MachineAction::Revert(None) => Self::Revert(None),
            MachineAction::RemoveSnapshot { snapshot, children } => {
                Self::RemoveSnapshot(find::snapshot(session, machine, snapshot).await?, *children)
            }
            MachineAction::Reconfigure { cpus, memory_mb, name, annotation } => Self::Reconfigure(Reconfigure {
                cpus: cpus.and_then(|cpus| i32::try_from(cpus).ok()),
                memory_mb: memory_mb.map(i64::from),
                annotation: annotation.clone(),
                name: name.clone(),
            }),
            MachineAction::Clone(new) => {
                let (folder, to) = place(session, machine, new).await?;
                Self::Clone(folder, &new.name, to)
            }
        })
    }

    async fn make(&self, session: &Session, vm: &Reference) -> Result<Reference, Error> {
        match self {
            Self::PowerOn => session.power_on(vm).await,
            Self::PowerOff => session.power_off(vm).await,
            Self::Reset => session.reset(vm).await,
            Self::Suspend => session.suspend(vm).await,
            Self::Destroy => session.destroy(vm).await,
            Self::Snapshot { name, description, memory, quiesce } => {
                session.create_snapshot(vm, name, description, *memory, *quiesce).await
            }
            Self::Revert(Some(snapshot)) => session.revert(snapshot).await,
            Self::Revert(None) => session.revert_to_current_snapshot(vm).await,
            Self::RemoveSnapshot(snapshot, children) => session.remove_snapshot(snapshot, *children).await,
            Self::Reconfigure(change) => session.reconfigure(vm, change).await,
            Self::Clone(folder, name, to) => session.clone_vm(vm, folder, name, to).await,
        }
    }
}

async fn place(session: &Session, machine: &Entity, new: &CloneTarget) -> Result<(Reference, CloneTo), NotBegun> {
    let folder = match (&new.folder, &machine.parent) {
        (Some(text), _) => find::thing(session, text, &["Folder"]).await?,
        (None, Some(parent)) if parent.kind == "Folder" => parent.clone(),
        (None, _) => {
            return Err(NotBegun::Said(format!("the machine {} lies in no folder: give `folder`", machine.name)));
        }
    };
    let mut places = [None, None, None];
    let wanted: [(&Option<String>, &[&str]); 3] =
        [(&new.host, &["HostSystem"]), (&new.datastore, &["Datastore"]), (&new.pool, &["ResourcePool", "VirtualApp"])];
    for (place, (text, kinds)) in places.iter_mut().zip(wanted) {
        if let Some(text) = text {
            *place = Some(find::thing(session, text, kinds).await?);
        }
    }
    let [host, datastore, pool] = places;
    Ok((folder, CloneTo { power_on: new.power_on, template: new.template, host, datastore, pool }))
}

/// The call that begins a task may have been heard though its answer was not: then nobody knows.
fn doubtful(title: &str, error: Error) -> NotBegun {
    let is_unknown = matches!(
        error,
        Error::Unreachable(Obstacle::Broken, _)
            | Error::TooSlow
            | Error::Http(_)
            | Error::TooLarge
            | Error::Malformed(_)
    );
    match is_unknown {
        false => NotBegun::Call(error),
        true => NotBegun::Said(format!(
            "whether {title} was begun is not known, look at the machine before you run this again: {error}"
        )),
    }
}
