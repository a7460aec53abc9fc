//! What is wrong with the settings: place and remedy on a line each.

use std::fmt;

use super::SettingOrigin;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Where it was made.
    pub origin: SettingOrigin,
    /// What is wrong, and what would be right.
    pub text: String,
}

/// Every mistake that was found; never empty.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Faults(pub Vec<SettingFault>);

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.text)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not valid")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}
