//! Messages that vCenters attach to tasks and faults.

use super::value::Value;
use super::xml::{Malformed, Reader};

/// A message and what it was made of. (vSphere Web Services API, LocalizableMessage.)
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LocalizableMessage {
    /// The message's id in the vCenter's own catalogue.
    pub key: String,
    /// What is filled in, by name or place.
    pub args: Vec<(String, Value)>,
    /// The text in the session's language.
    pub message: Option<String>,
}

impl LocalizableMessage {
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut message = Self::default();
        xml.children(|xml, element| {
            match element.name() {
                "key" => message.key = xml.text()?.into_string(),
                "arg" => message.args.push(read_pair(xml)?),
                "message" => message.message = Some(xml.text()?.into_string()),
                _ => {}
            }
            Ok(())
        })?;
        Ok(message)
    }
}

/// Reads a KeyAnyValue.
pub(super) fn read_pair(xml: &mut Reader<'_>) -> Result<(String, Value), Malformed> {
    let (mut key, mut value) = (String::new(), None);
    xml.children(|xml, element| {
        match element.name() {
            "key" => key = xml.text()?.into_string(),
            "value" => value = Some(Value::read(xml, element)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value.ok_or_else(|| xml.missing("value"))?))
}
