//! References to managed objects: every object of the API is named by its type and the server's own key.

use std::fmt;
use std::str::FromStr;

use super::xml::{Element, Malformed, Reader};

/// The longest type and the longest key, in bytes: what is cut is another's, and indexes of databases have their limits.
pub(super) const LONGEST: usize = 200;

/// Names a managed object of one vCenter: `VirtualMachine:vm-119`. (vSphere Web Services API,
/// ManagedObjectReference.)
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// Its type, such as `Task` or `VirtualMachine`.
    pub kind: String,
    /// The server's own key for it.
    pub value: String,
}

/// A text that is not of the form `Type:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reference has the form Type:value, such as VirtualMachine:vm-119")]
pub struct ReferenceError;

impl Reference {
    /// The object with this type and key.
    #[must_use]
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind: kind.into(), value: value.into() }
    }

    /// The task with this key.
    #[must_use]
    pub fn task(key: impl Into<String>) -> Self {
        Self::new("Task", key)
    }

    /// Reads `Type:value`.
    ///
    /// # Errors
    /// When one of both is missing.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        match text.split_once(':') {
            Some((kind, value)) if !kind.is_empty() && !value.is_empty() => Ok(Self::new(kind, value)),
            _ => Err(ReferenceError),
        }
    }

    /// Reads an element whose attribute `type` (the one without a namespace) is the object's type.
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let kind = element.attribute("type").ok_or_else(|| xml.malformed("is a reference without a type"))?;
        let (kind, value) = (kind.into_string(), xml.text()?.into_string());
        if kind.len() > LONGEST || value.len() > LONGEST {
            return Err(xml.malformed("is too long for a reference"));
        }
        Ok(Self { kind, value })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let reference = Reference::parse("VirtualMachine:vm-119").unwrap();
        assert_eq!(reference, Reference::new("VirtualMachine", "vm-119"));
        assert_eq!(reference.to_string().parse(), Ok(reference));
        for wrong in ["", "vm-119", ":vm-119", "VirtualMachine:"] {
            assert_eq!(Reference::parse(wrong), Err(ReferenceError), "{wrong}");
        }
    }
}
