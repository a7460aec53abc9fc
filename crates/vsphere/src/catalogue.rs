//! The vCenter's own catalogue of labels, in the session's language.

use std::collections::HashMap;

use super::xml::{Malformed, Reader};

/// The labels of operations, by [`TaskInfo::description_id`](super::TaskInfo::description_id). (vSphere Web Services
/// API, TaskDescription.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue(HashMap<String, Label>);

/// What an operation is called. (ElementDescription.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// For people. Some only repeat the method's name.
    pub label: String,
    /// A sentence.
    pub summary: String,
}

impl Catalogue {
    /// What the operation of this description id is called.
    #[must_use]
    pub fn get(&self, description_id: &str) -> Option<&Label> {
        self.0.get(description_id)
    }

    /// Description ids and what they are called, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Label)> {
        self.0.iter().map(|(key, label)| (key.as_str(), label))
    }

    /// How many operations it has; a vCenter's about 1,600.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a TaskDescription's methods; its states and reasons have words of our own.
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut all = HashMap::new();
        xml.children(|xml, element| {
            if element.name() == "methodInfo" {
                // One that cannot be read has no words: that is no reason to have none of the others.
                all.extend(xml.attempt(Label::read)?);
            }
            Ok(())
        })?;
        Ok(Self(all))
    }
}

impl Label {
    fn read(xml: &mut Reader<'_>) -> Result<(String, Self), Malformed> {
        let (mut key, mut label) = (None, Self::default());
        xml.children(|xml, element| {
            match element.name() {
                "key" => key = Some(xml.text()?.into_string()),
                "label" => label.label = xml.text()?.into_string(),
                "summary" => label.summary = xml.text()?.into_string(),
                _ => {}
            }
            Ok(())
        })?;
        Ok((key.ok_or_else(|| xml.missing("key"))?, label))
    }
}
