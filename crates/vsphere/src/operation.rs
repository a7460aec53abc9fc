//! Work on virtual machines. Each call answers the vCenter's task that does it; how that ends is the task's to tell.

use super::error::Error;
use super::reference::Reference;
use super::session::Session;
use super::soap;
use super::xml::Writer;

/// What is changed of a machine; what is none stays. (VirtualMachineConfigSpec.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconfigure {
    /// How many processors.
    pub cpus: Option<i32>,
    /// Memory in MiB; a multiple of 4.
    pub memory_mb: Option<i64>,
    /// Other notes.
    pub annotation: Option<String>,
    /// Another name.
    pub name: Option<String>,
}

/// Where a copy goes and what it is; what is none is as of the machine that is copied. (VirtualMachineCloneSpec.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloneTo {
    /// Whether it is started.
    pub power_on: bool,
    /// Whether it is a template.
    pub template: bool,
    /// The host it runs on.
    pub host: Option<Reference>,
    /// Where its files are.
    pub datastore: Option<Reference>,
    /// The pool it takes its resources from; a template has none, so a copy of a template needs one.
    pub pool: Option<Reference>,
}

impl Session {
    /// Asks a task to end; that it did is for the task to tell. (Task.CancelTask.)
    ///
    /// # Errors
    /// [`Error::Fault`] of kind `InvalidState` when it has ended, `NotSupported` when it cannot be cancelled, and
    /// those of any call.
    pub async fn cancel(&self, task: &Reference) -> Result<(), Error> {
        self.call(Writer::call("CancelTask", task), soap::none).await
    }

    /// Turns a machine on. (PowerOnVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn power_on(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("PowerOnVM_Task", vm)).await
    }

    /// Turns a machine off, as pulling its plug does. (PowerOffVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn power_off(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("PowerOffVM_Task", vm)).await
    }

    /// Turns a machine off and on. (ResetVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn reset(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("ResetVM_Task", vm)).await
    }

    /// Puts a machine to sleep. (SuspendVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn suspend(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("SuspendVM_Task", vm)).await
    }

    /// Makes a snapshot of a machine: with the memory of a running one, or with the guest's file systems flushed,
    /// which needs its tools. The task's result is the snapshot. (CreateSnapshot_Task.)
    ///
    /// # Errors
    /// Those of any call.
    #[expect(clippy::too_many_arguments, reason = "they are the API method's own, in its order")]
    pub async fn create_snapshot(
        &self,
        vm: &Reference,
        name: &str,
        description: &str,
        memory: bool,
        quiesce: bool,
    ) -> Result<Reference, Error> {
        let mut call = Writer::call("CreateSnapshot_Task", vm);
        call.text("name", name);
        call.text("description", description);
        call.flag("memory", memory);
        call.flag("quiesce", quiesce);
        self.make(call).await
    }

    /// Puts a machine back to the snapshot it stands upon. (RevertToCurrentSnapshot_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn revert_to_current_snapshot(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("RevertToCurrentSnapshot_Task", vm)).await
    }

    /// Puts a machine back to a snapshot. (RevertToSnapshot_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn revert(&self, snapshot: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("RevertToSnapshot_Task", snapshot)).await
    }

    /// Removes a snapshot, with those made upon it if wanted. (RemoveSnapshot_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn remove_snapshot(&self, snapshot: &Reference, remove_children: bool) -> Result<Reference, Error> {
        let mut call = Writer::call("RemoveSnapshot_Task", snapshot);
        call.flag("removeChildren", remove_children);
        self.make(call).await
    }

    /// Changes a machine. (ReconfigVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn reconfigure(&self, vm: &Reference, change: &Reconfigure) -> Result<Reference, Error> {
        let mut call = Writer::call("ReconfigVM_Task", vm);
        call.within("spec", |call| {
            call.optional("name", change.name.as_deref());
            call.optional("annotation", change.annotation.as_deref());
            if let Some(cpus) = change.cpus {
                call.number("numCPUs", cpus);
            }
            if let Some(memory) = change.memory_mb {
                call.number("memoryMB", memory);
            }
        });
        self.make(call).await
    }

    /// Copies a machine into a folder; the task's result is the copy. Not named `clone`: a session has that already,
    /// and means another thing. (CloneVM_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn clone_vm(
        &self,
        vm: &Reference,
        folder: &Reference,
        name: &str,
        to: &CloneTo,
    ) -> Result<Reference, Error> {
        let mut call = Writer::call("CloneVM_Task", vm);
        call.reference("folder", folder);
        call.text("name", name);
        call.within("spec", |call| {
            call.within("location", |call| {
                let places = [("datastore", &to.datastore), ("pool", &to.pool), ("host", &to.host)];
                for (name, place) in places {
                    if let Some(place) = place {
                        call.reference(name, place);
                    }
                }
            });
            call.flag("template", to.template);
            call.flag("powerOn", to.power_on);
        });
        self.make(call).await
    }

    /// Deletes a machine and its files. (Destroy_Task.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn destroy(&self, vm: &Reference) -> Result<Reference, Error> {
        self.make(Writer::call("Destroy_Task", vm)).await
    }
}
