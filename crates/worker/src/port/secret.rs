//! The one type by which the text of a secret goes through the port.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use taskloom_vault::Hidden;

/// A secret on its way to the attempt that names it.
///
/// It serializes its text: whoever writes it anywhere but to a worker of this installation gives it away. A [`Hidden`]
/// cannot be serialized at all, so no other type does so by accident. No log line and no error shows either.
#[derive(Clone, PartialEq, Eq)]
pub struct PortSecret(Hidden);

impl From<Hidden> for PortSecret {
    fn from(text: Hidden) -> Self {
        Self(text)
    }
}

impl From<PortSecret> for Hidden {
    fn from(secret: PortSecret) -> Self {
        secret.0
    }
}

impl fmt::Debug for PortSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for PortSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for PortSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Hidden::new(text)))
    }
}
