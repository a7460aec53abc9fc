//! `run: {vsphere: {…}}`: a vCenter, and exactly one operation with what belongs to it.

use super::super::vsphere::{Machine, NewClone, NewSnapshot, Operation, Reconfigure, RemoveSnapshot, Revert, Vsphere};
use super::run::{LINE, template_of};
use crate::document::place::{Faults, Fields, Place};
use crate::document::{value, word};

/// The operations, and the keys of each.
const OPERATIONS: [(&str, &[&str]); 10] = [
    ("powerOn", &["vm"]),
    ("powerOff", &["vm"]),
    ("reset", &["vm"]),
    ("suspend", &["vm"]),
    ("snapshot", &["vm", "name", "description", "memory", "quiesce"]),
    ("revert", &["vm", "snapshot"]),
    ("removeSnapshot", &["vm", "snapshot", "children"]),
    ("reconfigure", &["vm", "cpus", "memoryMb", "name", "annotation"]),
    ("clone", &["vm", "name", "folder", "pool", "host", "datastore", "powerOn", "template"]),
    ("destroy", &["vm"]),
];

/// The longest text, such as a snapshot's description, in bytes.
const TEXT: usize = 64 << 10;
/// The most memory of a machine, in MiB: that of the largest that there are.
const MEMORY: u32 = 24 << 20;

/// Reads what a step that is given these secrets wants of a vCenter.
pub(super) fn read(place: &Place<'_>, secrets: &[String], faults: &mut Faults) -> Option<Vsphere> {
    let names = OPERATIONS.map(|(name, _)| name);
    let mut keys = vec!["vcenter"];
    keys.extend(names);
    let fields = Fields::open(place.clone(), &keys, faults)?;
    let vcenter = fields.get("vcenter", faults).and_then(|place| value::name(&place, faults).map(str::to_owned));
    let given: Vec<_> = names.into_iter().filter(|name| place.node.find(name).is_some()).collect();
    let [name] = given[..] else {
        if given.is_empty() {
            // A key that was mistyped has already been told of.
            if place.entries().iter().all(|entry| entry.key == "vcenter") {
                faults.add(place, format!("does not say what to do: write one of {}", word::list(&names)));
            }
        } else {
            faults
                .add(place, format!("has the keys {}: keep one of them, or make several subtasks", word::list(&given)));
        }
        return None;
    };
    let known = OPERATIONS.into_iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, keys)| keys);
    let fields = Fields::open(fields.get(name, faults)?, known, faults)?;
    let operation = Reader { fields, secrets, faults }.operation(name)?;
    Some(Vsphere { vcenter: vcenter?, operation })
}

struct Reader<'t, 'r> {
    fields: Fields<'t>,
    secrets: &'r [String],
    faults: &'r mut Faults,
}

impl Reader<'_, '_> {
    fn operation(&mut self, name: &str) -> Option<Operation> {
        // Read first, so that every fault is told though a required text is missing.
        let vm = self.required("vm");
        Some(match name {
            "powerOn" => Operation::PowerOn(Machine { vm: vm? }),
            "powerOff" => Operation::PowerOff(Machine { vm: vm? }),
            "reset" => Operation::Reset(Machine { vm: vm? }),
            "suspend" => Operation::Suspend(Machine { vm: vm? }),
            "destroy" => Operation::Destroy(Machine { vm: vm? }),
            "snapshot" => {
                let (name, description) = (self.required("name"), self.long("description").unwrap_or_default());
                let (memory, quiesce) = (self.flag("memory"), self.flag("quiesce"));
                Operation::Snapshot(NewSnapshot { vm: vm?, name: name?, description, memory, quiesce })
            }
            "revert" => {
                let snapshot = self.optional("snapshot");
                Operation::Revert(Revert { vm: vm?, snapshot })
            }
            "removeSnapshot" => {
                let (snapshot, children) = (self.required("snapshot"), self.flag("children"));
                Operation::RemoveSnapshot(RemoveSnapshot { vm: vm?, snapshot: snapshot?, children })
            }
            "reconfigure" => return self.reconfigure(vm),
            "clone" => return self.clone(vm),
            _ => return None,
        })
    }

    fn reconfigure(&mut self, vm: Option<String>) -> Option<Operation> {
        let cpus = self.fields.find("cpus").and_then(|place| value::count(&place, 1..=4096, self.faults));
        let memory = self.fields.find("memoryMb");
        let memory_mb = memory.as_ref().and_then(|place| value::count(place, 4..=MEMORY, self.faults));
        if let (Some(place), Some(size)) = (&memory, memory_mb)
            && size % 4 != 0
        {
            self.faults.add(place, format!("must be a multiple of 4, but is {size}"));
        }
        let (name, annotation) = (self.optional("name"), self.long("annotation"));
        let keys = ["cpus", "memoryMb", "name", "annotation"];
        if let Some(vm) = self.fields.find("vm")
            && keys.iter().all(|key| self.fields.find(key).is_none())
        {
            self.faults.add(&vm, format!("nothing of it is to change: give one of {}", word::list(&keys)));
        }
        Some(Operation::Reconfigure(Reconfigure { vm: vm?, cpus, memory_mb, name, annotation }))
    }

    fn clone(&mut self, vm: Option<String>) -> Option<Operation> {
        let name = self.required("name");
        let [folder, pool, host, datastore] = ["folder", "pool", "host", "datastore"].map(|key| self.optional(key));
        let (power_on, template) = (self.flag("powerOn"), self.flag("template"));
        if let Some(place) = self.fields.find("powerOn").filter(|_| power_on && template) {
            self.faults.add(&place, "a template cannot be powered on: keep one of `powerOn` and `template`");
        }
        Some(Operation::Clone(NewClone { vm: vm?, name: name?, folder, pool, host, datastore, power_on, template }))
    }

    fn required(&mut self, key: &str) -> Option<String> {
        let place = self.fields.get(key, self.faults)?;
        self.text(&place, LINE)
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        let place = self.fields.find(key)?;
        self.text(&place, LINE)
    }

    /// A text of several lines.
    fn long(&mut self, key: &str) -> Option<String> {
        let place = self.fields.find(key)?;
        self.text(&place, TEXT)
    }

    fn flag(&mut self, key: &str) -> bool {
        self.fields.find(key).and_then(|place| value::flag(&place, self.faults)).unwrap_or_default()
    }

    fn text(&mut self, place: &Place<'_>, longest: usize) -> Option<String> {
        let text = value::text(place, self.faults)?;
        let is_wrong = |c: char| c.is_control() && (longest == LINE || !matches!(c, '\n' | '\r' | '\t'));
        if text.trim().is_empty() {
            self.faults.add(place, "must not be blank");
        } else if text.len() > longest || text.contains(is_wrong) {
            let what = if longest == LINE { "one line of at most 8 KiB" } else { "text of at most 64 KiB" };
            self.faults.add(place, format!("must be {what}, without control characters"));
        }
        template_of(place, text, self.secrets, self.faults);
        Some(text.to_owned())
    }
}
