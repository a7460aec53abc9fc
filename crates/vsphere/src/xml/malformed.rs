//! What is wrong with an answer, and where. Says never what was there: that may be anything.

use std::fmt;

/// The most characters of an element's name that are told.
const NAME: usize = 64;

/// An answer that is not what the API defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The element, with those around it: `Envelope/Body/ReadNextTasksResponse/returnval/queueTime`. Empty where the
    /// answer as a whole is meant.
    pub path: String,
    /// What is wrong with it.
    pub why: &'static str,
    /// How far the answer was read, in bytes.
    pub at: u64,
}

impl Malformed {
    pub(crate) fn new(why: &'static str, at: u64) -> Self {
        Self { path: String::new(), why, at }
    }

    /// The same within an element. Called on the way out, so that a good answer costs nothing.
    pub(crate) fn inside(mut self, name: &str) -> Self {
        let slash = if self.path.is_empty() { "" } else { "/" };
        let name = name.chars().filter(|character| !character.is_control()).take(NAME).collect::<String>();
        self.path = format!("{name}{slash}{}", self.path);
        self
    }

    /// The element and what is wrong with it: the same wherever it stands in an answer.
    #[must_use]
    pub fn fault(&self) -> String {
        let what = if self.path.is_empty() { "it" } else { &self.path };
        format!("{what} {}", self.why)
    }
}

impl std::error::Error for Malformed {}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.fault(), self.at)
    }
}
