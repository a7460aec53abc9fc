//! Values whose type only the answer tells.

use taskloom_core::text::Text;

use super::reference::Reference;
use super::xml::{Element, Malformed, Reader, Space, flag};

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string, a time, an enumeration, a number with a fraction, …: as it was written.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A managed object.
    Reference(Reference),
    /// A value with a structure that nobody here needs, so it was not read.
    Other {
        /// The name of its type without the namespace, such as `ArrayOfManagedObjectReference`.
        kind: String,
    },
}

impl Value {
    /// Reads the element by its `xsi:type`. One without any is a reference where it has the attribute of one.
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let named = xml.kind(element)?;
        let untyped_reference = named.is_none() && element.attribute("type").is_some();
        let (space, kind) = named.unwrap_or((Space::Vim, Text::default()));
        let kind = kind.as_str();
        if untyped_reference || (space, kind) == (Space::Vim, "ManagedObjectReference") {
            return Reference::read(xml, element).map(Self::Reference);
        }
        let other = || Self::Other { kind: kind.to_owned() };
        let Some(text) = xml.plain()? else { return Ok(other()) };
        let number = || text.as_str().trim().parse().ok().map(Self::Int);
        Ok(match (space, kind) {
            (Space::Xsd, "boolean") => flag(text.as_str()).map(Self::Bool),
            (Space::Xsd, "byte" | "short" | "int" | "long" | "integer") => number(),
            (Space::Xsd, "unsignedByte" | "unsignedShort" | "unsignedInt") => number(),
            (Space::Xsd, _) => None,
            // An object that has nothing in it looks as an empty text does.
            _ if !kind.is_empty() && text.as_str().trim().is_empty() => Some(other()),
            _ => None,
        }
        .unwrap_or_else(|| Self::Text(text.into_string())))
    }
}
