//! XML as vCenters speak it: a reader that pulls straight into structs, a writer that escapes everything.
//!
//! No tree is built of an answer. The reader trusts nobody: a document type definition is refused before its entities
//! could grow, and so is nesting beyond a limit. The size is limited before a text comes here.

mod malformed;
mod read;
mod write;

pub use malformed::Malformed;
pub(super) use read::{Element, Reader, Space};
pub(super) use write::Writer;

/// The namespace of the vSphere Web Services API, of all its versions.
pub(super) const VIM: &str = "urn:vim25";
/// Where `xsi:type` lives, whatever prefix a server chose for it.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The simple types: `xsd:string`, `xsd:int`, …
pub(super) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
/// SOAP 1.1.
pub(super) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// XML Schema's boolean.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
