//! Faults: why a call or a task failed.

use super::message::LocalizableMessage;
use super::value::Value;
use super::xml::{Element, Malformed, Reader};

/// A fault. (vSphere Web Services API, MethodFault and LocalizedMethodFault.)
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fault {
    /// Its type, such as `InvalidPowerState`; that of another API goes without its namespace.
    pub kind: String,
    /// What the vCenter says of it, in the session's language.
    pub localized_message: Option<String>,
    /// Further messages.
    pub messages: Vec<LocalizableMessage>,
    /// The fault that led to it.
    pub cause: Option<Box<Fault>>,
    /// The type's own elements: `("existingState", Text("poweredOff"))`.
    pub details: Vec<(String, Value)>,
}

impl Fault {
    /// An element of the fault's type.
    #[must_use]
    pub fn detail(&self, name: &str) -> Option<&Value> {
        self.details.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The best text there is for people, in the session's language; may be empty.
    #[must_use]
    pub fn message(&self) -> &str {
        let further = || self.messages.iter().find_map(|message| message.message.as_deref());
        self.localized_message.as_deref().filter(|text| !text.is_empty()).or_else(further).unwrap_or_default()
    }

    /// Reads a LocalizedMethodFault: `fault`, `localizedMessage`.
    pub(super) fn read_localized(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (mut fault, mut text) = (None, None);
        xml.children(|xml, element| {
            match element.name() {
                "fault" => fault = Some(Self::read(xml, element)?),
                "localizedMessage" => text = Some(xml.text()?.into_string()),
                _ => {}
            }
            Ok(())
        })?;
        let fault = fault.ok_or_else(|| xml.missing("fault"))?;
        Ok(Self { localized_message: text, ..fault })
    }

    /// Reads a MethodFault, whose type is the element's `xsi:type`.
    pub(super) fn read(xml: &mut Reader<'_>, element: &Element<'_>) -> Result<Self, Malformed> {
        let kind = xml.kind(element)?.map(|(_, name)| name.into_string()).unwrap_or_default();
        let mut fault = Self { kind, ..Self::default() };
        xml.children(|xml, element| {
            match element.name() {
                "faultCause" => fault.cause = Some(Box::new(Self::read_localized(xml)?)),
                "faultMessage" => fault.messages.push(LocalizableMessage::read(xml)?),
                _ => fault.details.push((element.label().into_string(), Value::read(xml, element)?)),
            }
            Ok(())
        })?;
        Ok(fault)
    }
}
