//! Properties of managed objects: what is asked for, and what comes back.
//!
//! (vSphere Web Services API, PropertyCollector.) A vCenter cuts long answers unasked; the rest is asked for by its
//! token. A session that was lost does not fail this call: it shows as a fault of each property.

use super::error::Error;
use super::fault::Fault;
use super::reference::Reference;
use super::soap;
use super::typed::Typed;
use super::xml::{Malformed, Reader, Writer};

/// Which properties of objects of a type.
pub(super) struct Properties {
    pub(super) kind: &'static str,
    pub(super) paths: &'static [&'static str],
}

/// Of which objects. More than one is only reached along a property: of a list, one that has gone fails all.
pub(super) enum Start<'a> {
    /// Of this one.
    Object(&'a Reference),
    /// Of those that a property of this one leads to.
    Along(&'a Reference, &'static str),
}

/// An object and what was asked of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) object: Reference,
    pub(super) properties: Vec<(String, Typed)>,
    pub(super) missing: Vec<Missing>,
}

/// A property that could not be read, or an object where it has no path.
#[derive(Debug)]
pub(super) struct Missing {
    pub(super) path: String,
    pub(super) fault: Fault,
}

/// One answer: objects, and what to continue with.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) token: Option<String>,
    pub(super) found: Vec<Found>,
}

/// Writes a PropertyFilterSpec as the named element.
pub(super) fn specify(call: &mut Writer, name: &'static str, properties: &[Properties], start: &Start<'_>) {
    call.within(name, |call| {
        for Properties { kind, paths } in properties {
            call.within("propSet", |call| {
                call.text("type", kind);
                call.flag("all", false);
                paths.iter().for_each(|path| call.text("pathSet", path));
            });
        }
        call.within("objectSet", |call| start.write(call));
    });
}

impl Start<'_> {
    fn write(&self, call: &mut Writer) {
        match self {
            Self::Object(object) => call.reference("obj", object),
            Self::Along(object, path) => {
                call.reference("obj", object);
                call.flag("skip", true);
                call.typed("selectSet", "TraversalSpec", |call| {
                    call.text("type", &object.kind);
                    call.text("path", path);
                    call.flag("skip", false);
                });
            }
        }
    }
}

impl Found {
    /// Takes the value of a property.
    pub(super) fn take(&mut self, path: &str) -> Option<Typed> {
        let place = self.properties.iter().position(|(name, _)| name == path)?;
        Some(self.properties.swap_remove(place).1)
    }

    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut object, mut properties, mut missing) = (None, Vec::new(), Vec::new());
        xml.children(|xml, element| {
            match element.name() {
                "obj" => object = Some(Reference::read(xml, element)?),
                "propSet" => properties.extend(read_property(xml)?),
                "missingSet" => missing.push(Missing::read(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { object: object.ok_or_else(|| xml.missing("obj"))?, properties, missing })
    }
}

fn read_property(xml: &mut Reader<'_>) -> Result<Option<(String, Typed)>, Malformed> {
    let (mut name, mut value) = (String::new(), None);
    xml.children(|xml, element| {
        match element.name() {
            "name" => name = xml.text()?.into_string(),
            "val" => value = Some(Typed::lenient(xml, element)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(value.map(|value| (name, value)))
}

impl Missing {
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut path, mut fault) = (String::new(), None);
        xml.children(|xml, element| {
            match element.name() {
                "path" => path = xml.text()?.into_string(),
                "fault" => fault = Some(Fault::read_localized(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { path, fault: fault.ok_or_else(|| xml.missing("fault"))? })
    }

    /// Reads a MissingObject.
    pub(super) fn read_object(xml: &mut Reader<'_>) -> Result<(Reference, Self), Malformed> {
        let (mut object, mut fault) = (None, None);
        xml.children(|xml, element| {
            match element.name() {
                "obj" => object = Some(Reference::read(xml, element)?),
                "fault" => fault = Some(Fault::read_localized(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        let fault = fault.ok_or_else(|| xml.missing("fault"))?;
        Ok((object.ok_or_else(|| xml.missing("obj"))?, Self { path: String::new(), fault }))
    }
}

impl Page {
    /// Reads what was asked of one object.
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::read_with(xml, |xml| Found::read(xml).map(Some))
    }

    /// Reads what was asked of many: one that cannot be read is left out.
    pub(super) fn read_many(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::read_with(xml, |xml| Ok(xml.attempt(Found::read)?.ok()))
    }

    fn read_with(
        xml: &mut Reader<'_>,
        object: impl Fn(&mut Reader<'_>) -> Result<Option<Found>, Malformed>,
    ) -> Result<Self, Malformed> {
        // Nothing to tell is an answer without a value.
        Ok(soap::each(xml, |xml, _| Self::read_result(xml, &object))?.pop().unwrap_or_default())
    }

    fn read_result(
        xml: &mut Reader<'_>,
        object: impl Fn(&mut Reader<'_>) -> Result<Option<Found>, Malformed>,
    ) -> Result<Self, Malformed> {
        let mut page = Self::default();
        xml.children(|xml, element| {
            match element.name() {
                // It goes back as it came.
                "token" => page.token = Some(xml.parse(|token| Some(token.to_owned()))?),
                "objects" => page.found.extend(object(xml)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(page)
    }

    /// The same, unless it says that the session was lost.
    pub(super) fn checked(self) -> Result<Self, Error> {
        check(self.found.iter().flat_map(|found| &found.missing))?;
        Ok(self)
    }
}

/// Finds a lost session among what is missing.
pub(super) fn check<'a>(mut missing: impl Iterator<Item = &'a Missing>) -> Result<(), Error> {
    match missing.any(|missing| missing.fault.kind == "NotAuthenticated") {
        true => Err(Error::NotAuthenticated),
        false => Ok(()),
    }
}
