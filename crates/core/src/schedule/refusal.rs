//! Why a schedule's time is not taken: a code that programs read, the field, and what would be right.

use std::fmt;

/// What kind of mistake it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// Not five or six fields.
    Fields,
    /// Something that a field does not have.
    Syntax,
    /// A value out of bounds, or a range that runs backwards.
    Range,
    /// A step of nothing, longer than its field, or without a range.
    Step,
    /// An `@` word that names no time.
    Nickname,
    /// Other readers of cron expressions read it both ways.
    Ambiguous,
    /// No date matches.
    Never,
    /// No time zone has this name.
    Zone,
}

impl RefusalCode {
    /// As clients see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fields => "FIELDS",
            Self::Syntax => "SYNTAX",
            Self::Range => "RANGE",
            Self::Step => "STEP",
            Self::Nickname => "NICKNAME",
            Self::Ambiguous => "AMBIGUOUS",
            Self::Never => "NEVER",
            Self::Zone => "ZONE",
        }
    }
}

/// A time that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: RefusalCode,
    /// `minute`, `weekday`, `zone`, …; none when it is about all fields.
    pub field: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(code: RefusalCode, reason: impl Into<String>) -> Self {
        Self { code, field: None, reason: reason.into() }
    }

    pub(super) fn of(code: RefusalCode, field: &'static str, reason: impl Into<String>) -> Self {
        Self { code, field: Some(field), reason: reason.into() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code.name())?;
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}
