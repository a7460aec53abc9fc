//! The objects that an operation's texts name.

use taskloom_vsphere::{Entity, Error, Reference, Session};

/// Why nothing was begun, as far as is known.
#[derive(Debug)]
pub(super) enum NotBegun {
    Call(Error),
    Said(String),
}

impl From<Error> for NotBegun {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// The machine of a name or reference.
pub(super) async fn machine(session: &Session, text: &str) -> Result<Entity, NotBegun> {
    let found = session.find_vm(text).await?;
    found.ok_or_else(|| NotBegun::Said(format!("there is no virtual machine `{text}`")))
}

/// A snapshot of a machine.
pub(super) async fn snapshot(session: &Session, machine: &Entity, text: &str) -> Result<Reference, NotBegun> {
    const KIND: &str = "VirtualMachineSnapshot";
    let none = || NotBegun::Said(format!("the machine {} has no snapshot `{text}`", machine.name));
    let all = session.snapshots(&machine.reference).await?;
    if let Some(found) = reference(text, &[KIND]) {
        // Another machine's would be changed as willingly.
        return all.into_iter().map(|snapshot| snapshot.reference).find(|one| *one == found).ok_or_else(none);
    }
    let mut named = all.into_iter().filter(|snapshot| snapshot.name == text);
    match (named.next(), named.count()) {
        (Some(snapshot), 0) => Ok(snapshot.reference),
        (None, _) => Err(none()),
        (Some(_), more) => Err(NotBegun::Said(format!(
            "the machine {} has {} snapshots `{text}`: give the reference, such as {KIND}:snapshot-7",
            machine.name,
            more + 1
        ))),
    }
}

/// A thing of one of these types, by its reference or its name. A name costs a look at the whole inventory.
pub(super) async fn thing(session: &Session, text: &str, kinds: &[&str]) -> Result<Reference, NotBegun> {
    if let Some(found) = reference(text, kinds) {
        return Ok(found);
    }
    let all = session.inventory().await?;
    let mut named =
        all.into_iter().filter(|thing| thing.name == text && kinds.contains(&thing.reference.kind.as_str()));
    match (named.next(), named.count()) {
        (Some(thing), 0) => Ok(thing.reference),
        (None, _) => Err(NotBegun::Said(format!("there is no {} `{text}`", kinds[0]))),
        (Some(_), more) => Err(NotBegun::Said(format!(
            "{} of the type {} have the name `{text}`: give the reference, such as {}:…",
            more + 1,
            kinds[0],
            kinds[0]
        ))),
    }
}

fn reference(text: &str, kinds: &[&str]) -> Option<Reference> {
    Reference::parse(text).ok().filter(|found| kinds.contains(&found.kind.as_str()))
}
