//! Work on a vCenter's virtual machines, as it is sent within a submission.

use async_graphql::InputObject;
use serde_json::Value;

use super::input::object;

/// Work for a vCenter: its name, and exactly one operation. Texts may have `${param.name}` and `${secret.name}` in
/// them.
#[derive(Clone, Debug, InputObject)]
pub(super) struct VsphereInput {
    /// The vCenter's name, of the task's tenant.
    vcenter: String,
    /// Turns a machine on.
    power_on: Option<VmInput>,
    /// Turns a machine off, as pulling its plug does.
    power_off: Option<VmInput>,
    /// Turns a machine off and on.
    reset: Option<VmInput>,
    /// Puts a machine to sleep.
    suspend: Option<VmInput>,
    /// Makes a snapshot.
    snapshot: Option<SnapshotInput>,
    /// Puts a machine back to a snapshot.
    revert: Option<RevertInput>,
    /// Removes a snapshot.
    remove_snapshot: Option<RemoveSnapshotInput>,
    /// Changes a machine.
    reconfigure: Option<ReconfigureInput>,
    /// Copies a machine.
    clone: Option<CloneInput>,
    /// Deletes a machine and its files.
    destroy: Option<VmInput>,
}

/// A virtual machine.
#[derive(Clone, Debug, InputObject)]
pub(super) struct VmInput {
    /// Its name, or its reference as `VirtualMachine:vm-119`.
    vm: String,
}

/// A snapshot to be made.
#[derive(Clone, Debug, InputObject)]
pub(super) struct SnapshotInput {
    /// The machine's name or reference.
    vm: String,
    /// The snapshot's name.
    name: String,
    /// What to say about it.
    description: Option<String>,
    /// With the memory of a running machine.
    memory: Option<bool>,
    /// With the guest's file systems flushed, which needs its tools.
    quiesce: Option<bool>,
}

/// A way back to a snapshot.
#[derive(Clone, Debug, InputObject)]
pub(super) struct RevertInput {
    /// The machine's name or reference.
    vm: String,
    /// The snapshot's name or reference; left out: the one that the machine stands upon.
    snapshot: Option<String>,
}

/// A snapshot to be removed.
#[derive(Clone, Debug, InputObject)]
pub(super) struct RemoveSnapshotInput {
    /// The machine's name or reference.
    vm: String,
    /// The snapshot's name or reference.
    snapshot: String,
    /// With those that were made upon it.
    children: Option<bool>,
}

/// What a machine becomes; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub(super) struct ReconfigureInput {
    /// The machine's name or reference.
    vm: String,
    /// How many processors.
    cpus: Option<i32>,
    /// Memory in MiB; a multiple of 4.
    memory_mb: Option<i32>,
    /// Another name.
    name: Option<String>,
    /// Other notes.
    annotation: Option<String>,
}

/// A copy to be made.
#[derive(Clone, Debug, InputObject)]
pub(super) struct CloneInput {
    /// The name or reference of the machine that is copied.
    vm: String,
    /// The copy's name.
    name: String,
    /// The name or reference of a folder; left out: the one that the machine lies in.
    folder: Option<String>,
    /// The resource pool; a copy of a template needs one.
    pool: Option<String>,
    /// The host.
    host: Option<String>,
    /// Where its files are.
    datastore: Option<String>,
    /// Whether it is turned on.
    power_on: Option<bool>,
    /// Whether it is a template.
    template: Option<bool>,
}

impl VsphereInput {
    /// As a definition has it.
    pub(super) fn value(self) -> Value {
        object([
            ("vcenter", Some(self.vcenter.into())),
            ("powerOn", self.power_on.map(VmInput::value)),
            ("powerOff", self.power_off.map(VmInput::value)),
            ("reset", self.reset.map(VmInput::value)),
            ("suspend", self.suspend.map(VmInput::value)),
            ("snapshot", self.snapshot.map(SnapshotInput::value)),
            ("revert", self.revert.map(RevertInput::value)),
            ("removeSnapshot", self.remove_snapshot.map(RemoveSnapshotInput::value)),
            ("reconfigure", self.reconfigure.map(ReconfigureInput::value)),
            ("clone", self.clone.map(CloneInput::value)),
            ("destroy", self.destroy.map(VmInput::value)),
        ])
    }
}

impl VmInput {
    fn value(self) -> Value {
        object([("vm", Some(self.vm.into()))])
    }
}

impl SnapshotInput {
    fn value(self) -> Value {
        object([
            ("vm", Some(self.vm.into())),
            ("name", Some(self.name.into())),
            ("description", self.description.map(Value::from)),
            ("memory", self.memory.map(Value::from)),
            ("quiesce", self.quiesce.map(Value::from)),
        ])
    }
}

impl RevertInput {
    fn value(self) -> Value {
        object([("vm", Some(self.vm.into())), ("snapshot", self.snapshot.map(Value::from))])
    }
}

impl RemoveSnapshotInput {
    fn value(self) -> Value {
        object([
            ("vm", Some(self.vm.into())),
            ("snapshot", Some(self.snapshot.into())),
            ("children", self.children.map(Value::from)),
        ])
    }
}

impl ReconfigureInput {
    fn value(self) -> Value {
        object([
            ("vm", Some(self.vm.into())),
            ("cpus", self.cpus.map(Value::from)),
            ("memoryMb", self.memory_mb.map(Value::from)),
            ("name", self.name.map(Value::from)),
            ("annotation", self.annotation.map(Value::from)),
        ])
    }
}

impl CloneInput {
    fn value(self) -> Value {
        object([
            ("vm", Some(self.vm.into())),
            ("name", Some(self.name.into())),
            ("folder", self.folder.map(Value::from)),
            ("pool", self.pool.map(Value::from)),
            ("host", self.host.map(Value::from)),
            ("datastore", self.datastore.map(Value::from)),
            ("powerOn", self.power_on.map(Value::from)),
            ("template", self.template.map(Value::from)),
        ])
    }
}
