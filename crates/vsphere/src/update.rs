//! Changes as a property collector tells them.
//!
//! (vSphere Web Services API, UpdateSet and what is in it.)

use super::property::Missing;
use super::reference::Reference;
use super::soap;
use super::typed::Typed;
use super::xml::{Malformed, Reader, flag};

/// What changed between two versions, or a part of it.
#[derive(Debug, Default)]
pub(super) struct UpdateSet {
    /// What the next wait continues from.
    pub(super) version: String,
    pub(super) filters: Vec<FilterUpdate>,
    /// Whether the rest is to be fetched.
    pub(super) truncated: bool,
}

/// What changed for one filter. The same filter may come again in the same answer.
#[derive(Debug)]
pub(super) struct FilterUpdate {
    pub(super) filter: Reference,
    pub(super) objects: Vec<ObjectUpdate>,
    /// Objects that the vCenter does not know any more.
    pub(super) missing: Vec<(Reference, Missing)>,
}

/// What changed of one object.
#[derive(Debug)]
pub(super) struct ObjectUpdate {
    /// Whether it does not belong to the filter's objects any more; else it does, or began to.
    pub(super) leaves: bool,
    pub(super) object: Reference,
    pub(super) changes: Vec<Change>,
    pub(super) missing: Vec<Missing>,
}

/// A property's new value; none where it was unset or taken away.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) path: String,
    pub(super) value: Option<Typed>,
    removed: bool,
}

impl UpdateSet {
    /// Reads the answer of WaitForUpdatesEx; nothing when the time was over.
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Option<Self>, Malformed> {
        Ok(soap::each(xml, |xml, _| Self::read_value(xml))?.pop())
    }

    fn read_value(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut set, mut version) = (Self::default(), None);
        xml.children(|xml, element| {
            match element.name() {
                // It goes back as it came.
                "version" => version = Some(xml.parse(|version| Some(version.to_owned()))?),
                "filterSet" => set.filters.push(FilterUpdate::read(xml)?),
                "truncated" => set.truncated = xml.parse(flag)?,
                _ => {}
            }
            Ok(())
        })?;
        set.version = version.ok_or_else(|| xml.missing("version"))?;
        Ok(set)
    }

    /// Everything that could not be read, wherever it is told.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Missing> {
        self.filters.iter().flat_map(|filter| {
            let objects = filter.missing.iter().map(|(_, missing)| missing);
            objects.chain(filter.objects.iter().flat_map(|update| &update.missing))
        })
    }
}

impl FilterUpdate {
    fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut filter, mut objects, mut missing) = (None, Vec::new(), Vec::new());
        xml.children(|xml, element| {
            match element.name() {
                "filter" => filter = Some(Reference::read(xml, element)?),
                "objectSet" => objects.push(ObjectUpdate::read(xml)?),
                "missingSet" => missing.push(Missing::read_object(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { filter: filter.ok_or_else(|| xml.missing("filter"))?, objects, missing })
    }
}

impl ObjectUpdate {
    fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut leaves, mut object) = (None, None);
        let (mut changes, mut missing) = (Vec::new(), Vec::new());
        xml.children(|xml, element| {
            match element.name() {
                "kind" => leaves = Some(xml.text()?.as_str() == "leave"),
                "obj" => object = Some(Reference::read(xml, element)?),
                "changeSet" => changes.push(Change::read(xml)?),
                "missingSet" => missing.push(Missing::read(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        let leaves = leaves.ok_or_else(|| xml.missing("kind"))?;
        Ok(Self { leaves, object: object.ok_or_else(|| xml.missing("obj"))?, changes, missing })
    }
}

impl Change {
    fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut change = Self::default();
        xml.children(|xml, element| {
            match element.name() {
                "name" => change.path = xml.text()?.into_string(),
                "op" => change.removed = matches!(xml.text()?.as_str(), "remove" | "indirectRemove"),
                "val" => change.value = Some(Typed::lenient(xml, element)?),
                _ => {}
            }
            Ok(())
        })?;
        change.value = change.value.filter(|_| !change.removed);
        Ok(change)
    }
}
